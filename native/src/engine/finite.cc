#include "finite.h"

#include <ATen/Parallel.h>
#include <ATen/ops/isfinite.h>

#include <atomic>
#include <cstdint>
#include <cstring>

namespace tensorloom {
namespace {

/// Below this, other threads cost more than they save.
constexpr int64_t kGrain = 1 << 18;

/// A float is not finite where all bits of its exponent are set. Eight at a time keeps the compiler's vectors full.
bool is_finite(const float* data, int64_t count) {
  constexpr uint32_t kExponent = 0x7f800000;
  constexpr int64_t kLanes = 8;
  uint32_t bad[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    uint32_t bits[kLanes];
    std::memcpy(bits, data + i, sizeof bits);
    for (int64_t lane = 0; lane < kLanes; ++lane) bad[lane] |= static_cast<uint32_t>((bits[lane] & kExponent) == kExponent);
  }
  uint32_t any = 0;
  for (const uint32_t lane : bad) any |= lane;
  for (; i < count; ++i) {
    uint32_t bits = 0;
    std::memcpy(&bits, data + i, sizeof bits);
    any |= static_cast<uint32_t>((bits & kExponent) == kExponent);
  }
  return any == 0;
}

bool is_finite(const at::Tensor& tensor) {
  if (!tensor.is_cpu() || tensor.scalar_type() != at::kFloat || !tensor.is_non_overlapping_and_dense()) return at::isfinite(tensor).all().item<bool>();
  const float* data = tensor.const_data_ptr<float>();
  if (tensor.numel() < 2 * kGrain) return is_finite(data, tensor.numel());
  std::atomic<bool> finite{true};
  at::parallel_for(0, tensor.numel(), kGrain, [&](int64_t begin, int64_t end) {
    if (!is_finite(data + begin, end - begin)) finite = false;
  });
  return finite;
}

} // namespace

bool all_finite(const std::vector<at::Tensor>& tensors) {
  for (const at::Tensor& tensor : tensors)
    if (tensor.defined() && tensor.is_floating_point() && !is_finite(tensor)) return false;
  return true;
}

} // namespace tensorloom
