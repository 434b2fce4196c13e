#include "checkpoint.h"

#include <ATen/Context.h>
#include <ATen/core/Generator.h>

#include <mutex>

#include "error.h"

namespace tensorloom {
namespace {

constexpr char kKey[] = "tensorloom";
constexpr int64_t kMost = 9007199254740991;

at::Tensor generator_state(at::DeviceType device) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return generator.get_state();
}

void restore_generator(const Safetensors& saved, const std::string& name, at::DeviceType device) {
  const auto entry = saved.tensors.find(name);
  if (entry == saved.tensors.end()) throw EngineError("CHECKPOINT_CORRUPT", "The checkpoint has no \"" + name + "\"; it holds weights only.");
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  try {
    generator.set_state(entry->second);
  } catch (const c10::Error&) {
    throw EngineError("CHECKPOINT_CORRUPT", "The checkpoint's random state is damaged.");
  }
}

} // namespace

WrittenFile save_checkpoint(const std::string& path, const TrainSpec& spec, at::Device device, const std::vector<at::Tensor>& weights, NamedTensors state, const Position& position) {
  NamedTensors tensors;
  for (size_t i = 0; i < weights.size(); ++i) tensors.emplace_back(spec.program.weights[i].name, weights[i]);
  for (auto& entry : state) tensors.push_back(std::move(entry));
  tensors.emplace_back("random/cpu", generator_state(at::kCPU));
  if (device.is_cuda()) tensors.emplace_back("random/cuda", generator_state(at::kCUDA));
  JsonWriter json;
  json.open('{').key("version").value(int64_t{1}).key("step").value(position.step).key("epoch").value(position.epoch).key("inEpoch").value(position.in_epoch);
  json.key("elapsedMs").value(position.elapsed_ms).key("rows").value(spec.train.rows).key("batchSize").value(spec.batch_size).key("accumulate").value(spec.accumulate);
  if (const auto& plateau = position.plateau)
    json.key("plateau").open('{').key("lr").value(plateau->lr).key("best").value(plateau->best).key("badEpochs").value(plateau->bad_epochs).key("cooling").value(plateau->cooling).close('}');
  if (const auto& stopping = position.early_stopping) {
    json.key("earlyStopping").open('{').key("best");
    if (stopping->best) json.value(*stopping->best);
    else json.null();
    json.key("bestEpoch").value(stopping->best_epoch).key("badEpochs").value(stopping->bad_epochs).close('}');
  }
  if (const auto& one = position.one_batch) json.key("oneBatch").open('{').key("first").value(one->first).key("lowest").value(one->lowest).close('}');
  if (!position.breaks.empty()) {
    json.key("breaks").open('[');
    for (const std::string& node : position.breaks) json.value(node);
    json.close(']');
  }
  if (position.turned) {
    json.key("turned");
    position.turned->write(json);
  }
  json.close('}');
  return write_safetensors(path, tensors, {{kKey, json.take()}});
}

Position restore_position(const Safetensors& saved, const TrainSpec& spec, at::Device device) {
  const std::string code = "CHECKPOINT_CORRUPT";
  const auto entry = saved.metadata.find(kKey);
  if (entry == saved.metadata.end()) throw EngineError(code, "The file holds weights only, no position to resume from.");
  const Json json = Json::parse(entry->second, code);
  const JsonPlace place(json, kKey, code);
  place.fields({"version", "step", "epoch", "inEpoch", "elapsedMs", "rows", "batchSize", "accumulate", "plateau?", "earlyStopping?", "oneBatch?", "breaks?", "turned?"});
  if (place.at("version").integer(0, kMost) != 1) place.at("version").fail("this engine reads checkpoints of version 1");
  Position position{place.at("step").integer(0, kMost), place.at("epoch").integer(0, kMost), place.at("inEpoch").integer(0, kMost), place.at("elapsedMs").integer(0, kMost), std::nullopt, std::nullopt, std::nullopt, {}, std::nullopt};
  if (place.has("plateau")) {
    const JsonPlace plateau = place.at("plateau").fields({"lr", "best", "badEpochs", "cooling"});
    // JSON has no infinity: before the first evaluation there is no best loss.
    const JsonPlace best = plateau.at("best");
    position.plateau = PlateauState{plateau.at("lr").number(0, 1e30), best.json().is_null() ? std::numeric_limits<double>::infinity() : best.number(), plateau.at("badEpochs").integer(0, kMost), plateau.at("cooling").integer(0, kMost)};
  }
  if (place.has("earlyStopping")) {
    const JsonPlace stopping = place.at("earlyStopping").fields({"best", "bestEpoch", "badEpochs"});
    const JsonPlace best = stopping.at("best");
    position.early_stopping = EarlyStoppingState{best.json().is_null() ? std::nullopt : std::optional(best.number()), stopping.at("bestEpoch").integer(0, kMost), stopping.at("badEpochs").integer(0, kMost)};
  }
  if (place.has("oneBatch")) {
    const JsonPlace one = place.at("oneBatch").fields({"first", "lowest"});
    position.one_batch = OneBatchState{one.at("first").number(), one.at("lowest").number()};
  }
  if (place.has("breaks"))
    for (size_t i = 0; i < place.at("breaks").size(256); ++i) position.breaks.insert(place.at("breaks").at(i).text());
  if (place.has("turned")) position.turned = Turned::read(place.at("turned"));
  const auto same = [&](const char* key, int64_t now) {
    const int64_t then = place.at(key).integer(0, kMost);
    if (then != now) throw EngineError("DATA_MISMATCH", std::string("The checkpoint was written with ") + key + " " + std::to_string(then) + " and cannot be resumed with " + std::to_string(now) + "; start a new run from its weights instead.");
  };
  same("rows", spec.train.rows);
  same("batchSize", spec.batch_size);
  same("accumulate", spec.accumulate);
  restore_generator(saved, "random/cpu", at::kCPU);
  if (device.is_cuda() && saved.tensors.contains("random/cuda")) restore_generator(saved, "random/cuda", at::kCUDA);
  return position;
}

} // namespace tensorloom
