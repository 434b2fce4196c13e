#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "program.h"

namespace tensorloom {

/// First values in the order of `weights`, drawn from `generator` (CPU), as the same torch.nn modules draw them.
std::vector<at::Tensor> draw_weights(const std::vector<Weight>& weights, at::Generator generator);

/// Puts saved values in the place of `values`, by name.
/// @throws EngineError WEIGHTS_MISMATCH where a shape or dtype differs, or where `all` and a weight is missing.
/// @return how many weights were found.
size_t load_weights(const std::vector<Weight>& weights, const std::map<std::string, at::Tensor>& saved, bool all, std::vector<at::Tensor>& values);

/// Weights as a run on `device` holds them; those of convolutions in channels_last order where asked for.
std::vector<at::Tensor> place_weights(const std::vector<at::Tensor>& values, at::Device device, bool channels_last);

/// Those of a run's weights that are trained.
struct Parameters {
  std::vector<at::Tensor> tensors;
  std::vector<std::string> names, nodes; ///< Of each: its own, and the canvas node that has it.

  int64_t numel() const;
};

/// A CPU generator of its own.
at::Generator make_generator(uint64_t seed);

} // namespace tensorloom
