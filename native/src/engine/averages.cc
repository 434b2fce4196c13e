#include "averages.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>

#include "error.h"

namespace tensorloom {
namespace {

std::string raw_name(const Weight& weight) { return "raw/" + weight.name; }

} // namespace

void Averages::begin(const std::vector<Weight>& layout, const std::vector<at::Tensor>& weights, const std::vector<at::Tensor>& values) {
  const at::NoGradGuard no_grad;
  all_ = weights;
  for (size_t i = 0; i < weights.size(); ++i)
    if (layout[i].trainable) averages_.push_back(all_[i] = values[i].clone());
}

void Averages::add(const std::vector<at::Tensor>& trainable, bool is_first) {
  if (!decay_) return;
  const at::NoGradGuard no_grad;
  if (is_first) at::_foreach_copy_(averages_, trainable);
  else at::_foreach_lerp_(averages_, trainable, at::Scalar(1 - *decay_));
}

NamedTensors Averages::raw(const std::vector<Weight>& layout, const std::vector<at::Tensor>& weights) const {
  NamedTensors raw;
  if (!decay_) return raw;
  for (size_t i = 0; i < weights.size(); ++i)
    if (layout[i].trainable) raw.emplace_back(raw_name(layout[i]), weights[i].detach());
  return raw;
}

std::vector<at::Tensor> Averages::read_raw(const std::vector<Weight>& layout, const Safetensors& saved, std::vector<at::Tensor> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    const Weight& weight = layout[i];
    if (!weight.trainable) continue;
    const auto entry = saved.tensors.find(raw_name(weight));
    if (entry == saved.tensors.end() || entry->second.sizes() != values[i].sizes() || entry->second.scalar_type() != weight.dtype)
      throw EngineError("CHECKPOINT_CORRUPT", "The checkpoint has averaged weights, and \"" + raw_name(weight) + "\" is missing or has another shape.", weight.node);
    values[i] = entry->second;
  }
  return values;
}

} // namespace tensorloom
