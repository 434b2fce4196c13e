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

/// A float is not finite where all bits of its exponent are set. Written in vectors: by itself the compiler makes none at -O2.
[[gnu::always_inline]] inline bool scan(const float* data, int64_t count) {
  constexpr uint32_t kExponent = 0x7f800000;
  constexpr int64_t kLanes = 8, kAtOnce = 4;
  using Bits [[gnu::vector_size(kLanes * sizeof(uint32_t))]] = uint32_t;
  using Found [[gnu::vector_size(kLanes * sizeof(int32_t))]] = int32_t;
  Found bad[kAtOnce] = {};
  int64_t i = 0;
  for (; i + kAtOnce * kLanes <= count; i += kAtOnce * kLanes)
    for (int64_t part = 0; part < kAtOnce; ++part) {
      Bits bits;
      std::memcpy(&bits, data + i + part * kLanes, sizeof bits);
      bad[part] |= (bits & kExponent) == kExponent;
    }
  int32_t any = 0;
  for (const Found& part : bad)
    for (int64_t lane = 0; lane < kLanes; ++lane) any |= part[lane];
  for (; i < count; ++i) {
    uint32_t bits = 0;
    std::memcpy(&bits, data + i, sizeof bits);
    any |= static_cast<int32_t>((bits & kExponent) == kExponent);
  }
  return any == 0;
}

using Scan = bool (*)(const float*, int64_t);
bool scan_anywhere(const float* data, int64_t count) { return scan(data, count); }

#ifdef __x86_64__
[[gnu::target("avx2")]] bool scan_avx2(const float* data, int64_t count) { return scan(data, count); }
const Scan is_finite = __builtin_cpu_supports("avx2") ? scan_avx2 : scan_anywhere;
#else
const Scan is_finite = scan_anywhere;
#endif

} // namespace

bool all_finite(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_floating_point()) return true;
  if (!tensor.is_cpu() || tensor.scalar_type() != at::kFloat || !tensor.is_non_overlapping_and_dense()) return at::isfinite(tensor).all().item<bool>();
  const float* data = tensor.const_data_ptr<float>();
  if (tensor.numel() < 2 * kGrain) return is_finite(data, tensor.numel());
  std::atomic<bool> finite{true};
  at::parallel_for(0, tensor.numel(), kGrain, [&](int64_t begin, int64_t end) {
    if (!is_finite(data + begin, end - begin)) finite = false;
  });
  return finite;
}

} // namespace tensorloom
