#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tensorloom {

class Interpreter;

/// How a network writes text: the counterpart of `generate` in core/training/spec.ts.
struct Generation {
  std::string input, output;
  std::vector<int64_t> prompt;
  int64_t tokens, context;
  double temperature; ///< 0: always the likeliest.
  int64_t every_epochs;
  std::vector<int64_t> without;
};

/// The prompt and what the network writes behind it. `predict` runs in eval mode; numbers are drawn from `generator` (CPU) alone.
/// @return nothing where `is_cancelled` said so before the end.
std::optional<std::vector<int64_t>> write_text(Interpreter& predict, const std::vector<at::Tensor>& weights, const Generation& how, at::Device device, at::Generator generator, const std::function<bool()>& is_cancelled);

} // namespace tensorloom
