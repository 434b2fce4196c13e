#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace tensorloom {

/// Whether no number in them is NaN or infinite. On the CPU one pass over the memory, without the dispatcher, so that it
/// may be asked at every step. Tensors that are not defined are passed over.
bool all_finite(const std::vector<at::Tensor>& tensors);

} // namespace tensorloom
