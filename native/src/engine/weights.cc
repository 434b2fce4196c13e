#include "weights.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include "error.h"
#include "interpreter.h"

namespace tensorloom {

int64_t Parameters::numel() const {
  int64_t count = 0;
  for (const at::Tensor& tensor : tensors) count += tensor.numel();
  return count;
}

at::Generator make_generator(uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

std::vector<at::Tensor> draw_weights(const std::vector<Weight>& weights, at::Generator generator) {
  struct Drawer {
    at::Tensor& tensor;
    at::Generator& generator;
    void operator()(const Uniform& uniform) const {
      tensor.uniform_(uniform.low, uniform.high, generator);
      if (uniform.zero) tensor.zero_();
    }
    void operator()(const Normal& normal) const {
      tensor.normal_(normal.mean, normal.std, generator);
      if (normal.zero_row >= 0) tensor.select(0, normal.zero_row).zero_();
    }
    void operator()(const Constant& constant) const { tensor.fill_(constant.value); }
    void operator()(const Values& values) const {
      const at::Tensor all = at::empty({static_cast<int64_t>(values.values.size())}, at::kDouble);
      std::copy(values.values.begin(), values.values.end(), all.mutable_data_ptr<double>());
      tensor.copy_(all.view(tensor.sizes()));
    }
  };
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> values;
  values.reserve(weights.size());
  for (const Weight& weight : weights) {
    try {
      at::Tensor tensor = at::empty(weight.shape, at::TensorOptions(weight.dtype));
      std::visit(Drawer{tensor, generator}, weight.init);
      values.push_back(std::move(tensor));
    } catch (...) {
      try {
        rethrow_as_engine_error("The weight \"" + weight.name + "\" " + print_shape(weight.shape) + " cannot be made");
      } catch (EngineError& error) {
        error.failure.node = weight.node;
        throw;
      }
    }
  }
  return values;
}

size_t load_weights(const std::vector<Weight>& weights, const std::map<std::string, at::Tensor>& saved, bool all, std::vector<at::Tensor>& values) {
  size_t found = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const Weight& weight = weights[i];
    const auto entry = saved.find(weight.name);
    if (entry == saved.end()) {
      if (all) throw EngineError("WEIGHTS_MISMATCH", "The saved weights have no \"" + weight.name + "\"; they belong to another model.", weight.node);
      continue;
    }
    const at::Tensor& tensor = entry->second;
    if (tensor.sizes() != c10::IntArrayRef(weight.shape) || tensor.scalar_type() != weight.dtype)
      throw EngineError({"WEIGHTS_MISMATCH", "The saved weight \"" + weight.name + "\" is " + dtype_name(tensor.scalar_type()) + " " + print_shape(tensor.sizes()) + " where the model has " + dtype_name(weight.dtype) + " " + print_shape(weight.shape) + ".", weight.node, "", -1, {tensor.sizes().vec(), weight.shape}});
    values[i] = tensor;
    ++found;
  }
  return found;
}

std::vector<at::Tensor> place_weights(const std::vector<at::Tensor>& values, at::Device device, bool channels_last) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> placed;
  placed.reserve(values.size());
  for (const at::Tensor& value : values) {
    at::Tensor tensor = value.to(device);
    if (channels_last && tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
    placed.push_back(std::move(tensor));
  }
  return placed;
}

} // namespace tensorloom
