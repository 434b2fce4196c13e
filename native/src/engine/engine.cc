#include "engine.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

#include "build_id.h"
#include "interpreter.h"
#include "memory.h"
#include "tensors.h"
#include "trainer.h"
#include "weights.h"

namespace tensorloom {
namespace {

/// Runs `f`; whatever it throws leaves as an EngineError.
template <typename F>
auto guarded(const F& f) {
  install_memory_guard();
  try {
    return f();
  } catch (...) {
    rethrow_as_engine_error("The engine failed");
  }
}

/// Names of the GPUs, from the driver's own listing; libtorch's CUDA headers would need the CUDA toolkit.
std::vector<std::string> gpu_names() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", none)) {
    std::ifstream file(gpu.path() / "information");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("Model:")) names.push_back(line.substr(line.find_first_not_of(" \t", 6)));
  }
  return names;
}

Program read_program(std::string_view text) {
  const Json json = Json::parse(text, "PROGRAM_INVALID");
  return Program::read(JsonPlace(json, "", "PROGRAM_INVALID"));
}

at::Tensor tensor_of(const std::string& name, const Array& array) {
  const Json dtype{array.dtype};
  const at::ScalarType type = dtype_named(JsonPlace(dtype, "inputs." + name + ".dtype", "DATA_MISMATCH"));
  size_t elements = 1;
  for (const int64_t size : array.shape) {
    if (size < 0 || (size > 0 && elements > (size_t{1} << 44) / static_cast<size_t>(size))) throw EngineError("DATA_MISMATCH", "The input \"" + name + "\" has an impossible shape.");
    elements *= static_cast<size_t>(size);
  }
  if (elements * c10::elementSize(type) != array.data.size()) throw EngineError("DATA_MISMATCH", "The input \"" + name + "\" holds " + std::to_string(array.data.size()) + " bytes where its shape needs " + std::to_string(elements * c10::elementSize(type)) + ".");
  at::Tensor tensor = at::empty(array.shape, at::TensorOptions(type));
  if (!array.data.empty()) std::memcpy(tensor.mutable_data_ptr(), array.data.data(), array.data.size());
  return tensor;
}

Array array_of(const at::Tensor& tensor) {
  at::Tensor dense = tensor.to(at::kCPU);
  if (dense.is_floating_point()) dense = dense.to(at::kFloat);
  dense = dense.contiguous();
  const auto* bytes = static_cast<const uint8_t*>(dense.const_data_ptr());
  return {dtype_name(dense.scalar_type()), dense.sizes().vec(), {bytes, bytes + dense.nbytes()}};
}

} // namespace

std::string info_json() {
  return guarded([] {
    const bool cuda = at::globalContext().hasCUDA();
    JsonWriter json;
    json.open('{').key("libtorch").value(TORCH_VERSION).key("cuda").value(cuda).key("cudaDevices").open('[');
    if (cuda)
      for (const std::string& name : gpu_names()) json.value(name);
    json.close(']').key("cores").value(static_cast<int64_t>(std::max(1U, std::thread::hardware_concurrency()))).key("build").value(build_id());
    return json.close('}').take();
  });
}

void check_program(std::string_view program_json) {
  guarded([&] { return read_program(program_json); });
}

TrainResult train(std::string_view spec_json, const OnEvents& on_events, Control& control) {
  static std::timed_mutex one_at_a_time;
  return guarded([&]() -> TrainResult {
    TrainSpec spec = TrainSpec::parse(spec_json);
    std::unique_lock<std::timed_mutex> turn(one_at_a_time, std::defer_lock);
    while (!turn.try_lock_for(std::chrono::milliseconds(50)))
      if (control.is_cancelled()) return {false, 0, std::nullopt};
    return run_training(std::move(spec), on_events, control);
  });
}

std::map<std::string, Array> run(std::string_view program_json, const WeightSource& source, const std::map<std::string, Array>& arrays, bool cuda, std::optional<uint64_t> random_seed, const std::string& gradient_of) {
  return guarded([&] {
    const Program program = read_program(program_json);
    const at::Device device = pick_device(cuda);
    std::optional<c10::InferenceMode> inference;
    if (gradient_of.empty()) inference.emplace();
    const at::AutoGradMode with_grad(!gradient_of.empty());
    std::vector<at::Tensor> values(program.weights.size());
    if (source.seed) values = draw_weights(program.weights, make_generator(*source.seed));
    if (source.file) load_weights(program.weights, Safetensors::read(*source.file).tensors, !source.seed, values);
    if (random_seed) at::manual_seed(*random_seed);

    std::vector<at::Tensor> inputs;
    for (const Input& input : program.inputs) {
      const auto entry = arrays.find(input.name);
      if (entry == arrays.end()) throw EngineError("DATA_MISMATCH", "The input \"" + input.name + "\" is missing.", input.node);
      inputs.push_back(tensor_of(input.name, entry->second).to(device));
    }
    std::vector<std::string> names;
    for (const Output& output : program.outputs) names.push_back(output.name);
    std::vector<at::Tensor> weights = place_weights(values, device, false);
    // Nothing is learnt here: weights are followed that are asked for, beside inputs that are, or else all that depends on the inputs, from the first value on that can be.
    const auto follow = [](const at::Tensor& tensor) {
      if (tensor.defined() && tensor.is_floating_point() && !tensor.requires_grad()) tensor.requires_grad_(true);
    };
    const auto is_asked = [&](int value) { return std::any_of(program.outputs.begin(), program.outputs.end(), [&](const Output& output) { return output.value == value; }); };
    Observer observer;
    if (!gradient_of.empty()) {
      bool of_weights = false;
      for (size_t i = 0; i < weights.size(); ++i) {
        if (!is_asked(program.weights[i].value)) continue;
        follow(weights[i]);
        of_weights = true;
      }
      for (size_t i = 0; i < inputs.size(); ++i)
        if (!of_weights || is_asked(program.inputs[i].value)) follow(inputs[i]);
      if (!of_weights)
        observer = [&](const Op&, const std::vector<at::Tensor>&, const std::vector<at::Tensor>& made) {
          for (const at::Tensor& tensor : made) follow(tensor);
        };
    }
    const std::vector<at::Tensor> outputs = Interpreter(program.only(names), device).run(inputs, weights, false, observer);
    std::map<std::string, Array> results;
    for (size_t i = 0; i < outputs.size(); ++i) results[names[i]] = array_of(outputs[i]);
    if (gradient_of.empty()) return results;
    const auto score = std::find(names.begin(), names.end(), gradient_of);
    if (score == names.end() || outputs[static_cast<size_t>(score - names.begin())].numel() != 1) throw EngineError("PROGRAM_INVALID", "Gradients can be taken of an output of one number only.");
    for (const at::Tensor& output : outputs)
      if (output.requires_grad()) output.retain_grad();
    outputs[static_cast<size_t>(score - names.begin())].backward();
    for (size_t i = 0; i < outputs.size(); ++i)
      if (outputs[i].requires_grad() && outputs[i].grad().defined()) results["gradient/" + names[i]] = array_of(outputs[i].grad());
    return results;
  });
}

} // namespace tensorloom
