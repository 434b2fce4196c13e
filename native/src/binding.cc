// The only file that knows Node. It knows no libtorch: JSON and plain arrays cross here, and nothing is computed.

#include <napi.h>

#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "engine/engine.h"

namespace {

using tensorloom::Array;
using tensorloom::EngineError;
using tensorloom::Failure;

/// An Error whose `failure` holds the failure as JSON; native/index.ts makes an EngineError of it.
Napi::Error to_js(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.message);
  error.Value().Set("failure", Napi::String::New(env, failure.to_json()));
  return error;
}

template <typename F>
auto rethrow_to_js(Napi::Env env, const F& f) {
  try {
    return f();
  } catch (const EngineError& error) {
    throw to_js(env, error.failure);
  }
}

Napi::Value info(const Napi::CallbackInfo& call) {
  return rethrow_to_js(call.Env(), [&]() -> Napi::Value { return Napi::String::New(call.Env(), tensorloom::info_json()); });
}

void check_program(const Napi::CallbackInfo& call) {
  rethrow_to_js(call.Env(), [&] { tensorloom::check_program(call[0].As<Napi::String>().Utf8Value()); });
}

struct Training;

/// What the training thread tells JavaScript: events, and last of all how it ended.
struct Message {
  std::string events;
  std::shared_ptr<tensorloom::TrainResult> result;
  std::shared_ptr<Failure> failure;
};

void on_message(Napi::Env env, Napi::Function on_events, Training* training, Message* message);
using Channel = Napi::TypedThreadSafeFunction<Training, Message, on_message>;

struct Training {
  explicit Training(Napi::Env env) : done(Napi::Promise::Deferred::New(env)), control(std::make_shared<tensorloom::Control>()) {}

  Napi::Promise::Deferred done;
  /// Shared with the functions that JavaScript may keep for longer than the run.
  std::shared_ptr<tensorloom::Control> control;
  Channel channel;
  std::thread thread;
};

void on_message(Napi::Env env, Napi::Function on_events, Training* training, Message* message) {
  const std::unique_ptr<Message> owned(message);
  // Node calls with no environment while it shuts down.
  if (static_cast<napi_env>(env) == nullptr) return;
  if (!message->events.empty()) {
    on_events.Call({Napi::String::New(env, message->events)});
  } else if (message->failure) {
    training->done.Reject(to_js(env, *message->failure).Value());
  } else {
    Napi::Object result = Napi::Object::New(env);
    result.Set("status", message->result->finished ? "finished" : "cancelled");
    result.Set("steps", Napi::Number::New(env, static_cast<double>(message->result->steps)));
    result.Set("file", message->result->file ? Napi::String::New(env, *message->result->file) : env.Null());
    training->done.Resolve(result);
  }
}

Napi::Value train(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  std::string spec = call[0].As<Napi::String>().Utf8Value();
  auto training = std::make_unique<Training>(env);
  Training* self = training.get();
  // The finalizer runs on Node's thread, when the run is over or the process ends: the one place that joins and frees.
  self->channel = Channel::New(env, call[1].As<Napi::Function>(), "tensorloom training", 0, 1, self, [](Napi::Env, void*, Training* ended) {
    ended->control->cancel();
    ended->thread.join();
    delete ended;
  }, static_cast<void*>(nullptr));
  self->thread = std::thread([self, spec = std::move(spec)] {
    // A message that Node no longer takes is freed here.
    const auto send = [self](std::unique_ptr<Message> message) {
      if (self->channel.NonBlockingCall(message.get()) == napi_ok) message.release();
    };
    auto last = std::make_unique<Message>();
    try {
      last->result = std::make_shared<tensorloom::TrainResult>(tensorloom::train(spec, [&](std::string events) { send(std::unique_ptr<Message>(new Message{std::move(events), nullptr, nullptr})); }, *self->control));
    } catch (const EngineError& error) {
      last->failure = std::make_shared<Failure>(error.failure);
    }
    send(std::move(last));
    self->channel.Release();
  });
  training.release();

  Napi::Object result = Napi::Object::New(env);
  result.Set("done", self->done.Promise());
  result.Set("cancel", Napi::Function::New(env, [control = self->control](const Napi::CallbackInfo&) { control->cancel(); }));
  result.Set("turn", Napi::Function::New(env, [control = self->control](const Napi::CallbackInfo& call) {
    rethrow_to_js(call.Env(), [&] { control->turn(call[0].As<Napi::String>().Utf8Value()); });
  }));
  return result;
}

size_t item_size(const std::string& dtype) { return dtype == "int64" ? 8 : dtype == "float32" ? 4 : 1; }

/// `{ dtype, shape, data }` from JavaScript, its bytes copied, since JavaScript may go on writing to them.
Array array_from(const Napi::Object& tensor) {
  Array array{tensor.Get("dtype").As<Napi::String>().Utf8Value(), {}, {}};
  const auto shape = tensor.Get("shape").As<Napi::Array>();
  for (uint32_t i = 0; i < shape.Length(); ++i) array.shape.push_back(shape.Get(i).As<Napi::Number>().Int64Value());
  const auto data = tensor.Get("data").As<Napi::TypedArray>();
  const auto* bytes = static_cast<const uint8_t*>(data.ArrayBuffer().Data()) + data.ByteOffset();
  array.data.assign(bytes, bytes + data.ByteLength());
  return array;
}

Napi::Object array_to(Napi::Env env, const Array& array) {
  Napi::Object tensor = Napi::Object::New(env);
  Napi::Array shape = Napi::Array::New(env, array.shape.size());
  for (uint32_t i = 0; i < array.shape.size(); ++i) shape.Set(i, Napi::Number::New(env, static_cast<double>(array.shape[i])));
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, array.data.size());
  if (!array.data.empty()) std::memcpy(buffer.Data(), array.data.data(), array.data.size());
  const size_t count = array.data.size() / item_size(array.dtype);
  tensor.Set("dtype", array.dtype);
  tensor.Set("shape", shape);
  if (array.dtype == "float32") tensor.Set("data", Napi::Float32Array::New(env, count, buffer, 0));
  else if (array.dtype == "int64") tensor.Set("data", Napi::BigInt64Array::New(env, count, buffer, 0));
  else tensor.Set("data", Napi::Uint8Array::New(env, count, buffer, 0));
  return tensor;
}

class RunWorker final : public Napi::AsyncWorker {
 public:
  RunWorker(Napi::Env env, std::string program, tensorloom::WeightSource weights, std::map<std::string, Array> inputs, bool cuda, std::optional<uint64_t> random_seed, std::string gradient_of)
      : Napi::AsyncWorker(env), done_(Napi::Promise::Deferred::New(env)), program_(std::move(program)), weights_(std::move(weights)), inputs_(std::move(inputs)), cuda_(cuda), random_seed_(random_seed), gradient_of_(std::move(gradient_of)) {}

  Napi::Promise promise() const { return done_.Promise(); }

  void Execute() override {
    try {
      outputs_ = tensorloom::run(program_, weights_, inputs_, cuda_, random_seed_, gradient_of_);
    } catch (const EngineError& error) {
      failure_ = std::make_unique<Failure>(error.failure);
    }
  }
  void OnOK() override {
    if (failure_) return done_.Reject(to_js(Env(), *failure_).Value());
    Napi::Object outputs = Napi::Object::New(Env());
    for (const auto& [name, array] : outputs_) outputs.Set(name, array_to(Env(), array));
    done_.Resolve(outputs);
  }

 private:
  Napi::Promise::Deferred done_;
  std::string program_;
  tensorloom::WeightSource weights_;
  std::map<std::string, Array> inputs_, outputs_;
  bool cuda_;
  std::optional<uint64_t> random_seed_;
  std::string gradient_of_;
  std::unique_ptr<Failure> failure_;
};

std::optional<uint64_t> seed_from(const Napi::Value& value) {
  if (!value.IsNumber()) return std::nullopt;
  return static_cast<uint64_t>(value.As<Napi::Number>().Int64Value());
}

/// run(programJson, { file?, seed? }, { name: { dtype, shape, data } }, isCuda, randomSeed?, gradientOf?)
Napi::Value run(const Napi::CallbackInfo& call) {
  const auto source = call[1].As<Napi::Object>();
  tensorloom::WeightSource weights{std::nullopt, seed_from(source.Get("seed"))};
  if (const Napi::Value file = source.Get("file"); file.IsString()) weights.file = file.As<Napi::String>().Utf8Value();
  const auto tensors = call[2].As<Napi::Object>();
  std::map<std::string, Array> inputs;
  const Napi::Array names = tensors.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const auto name = names.Get(i).As<Napi::String>();
    inputs[name.Utf8Value()] = array_from(tensors.Get(name).As<Napi::Object>());
  }
  auto* worker = new RunWorker(call.Env(), call[0].As<Napi::String>().Utf8Value(), std::move(weights), std::move(inputs), call[3].ToBoolean().Value(), seed_from(call[4]), call[5].IsString() ? call[5].As<Napi::String>().Utf8Value() : "");
  worker->Queue();
  return worker->promise();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("info", Napi::Function::New(env, info));
  exports.Set("checkProgram", Napi::Function::New(env, check_program));
  exports.Set("train", Napi::Function::New(env, train));
  exports.Set("run", Napi::Function::New(env, run));
  return exports;
}

} // namespace

NODE_API_MODULE(tensorloom, init)
