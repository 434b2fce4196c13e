#pragma once

#include <ATen/core/Tensor.h>

namespace tensorloom {

/// Whether no number in it is NaN or infinite, as none is in a tensor that is not defined or holds whole numbers. On the CPU one pass over
/// the memory as fast as that gives it, without the dispatcher, so that it may be asked of all gradients at every step.
bool all_finite(const at::Tensor& tensor);

} // namespace tensorloom
