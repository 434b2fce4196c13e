#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "file.h"

namespace tensorloom {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// The number in a one-element tensor. On the CPU without a trip through the dispatcher.
double read_scalar(const at::Tensor& tensor);

/// A memory-mapped `.npy` file (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): C order,
/// uint8, float32 or int64. The tensor is read-only and keeps the mapping alive.
/// @throws EngineError DATA_MISMATCH naming the file.
at::Tensor map_npy(const std::string& path);

/// What a safetensors file holds (https://huggingface.co/docs/safetensors).
struct Safetensors {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;

  /// Reads a whole file with every offset checked. @throws EngineError CHECKPOINT_CORRUPT
  static Safetensors read(const std::string& path);
};

/// Writes tensors (on any device, in any memory format) in the order given.
WrittenFile write_safetensors(const std::string& path, const NamedTensors& tensors, const std::map<std::string, std::string>& metadata);

} // namespace tensorloom
