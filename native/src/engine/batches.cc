#include "batches.h"

#include <ATen/core/Generator.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/randperm.h>

#include "error.h"
#include "interpreter.h"
#include "tensors.h"
#include "weights.h"

namespace tensorloom {
namespace {

/// Sets up to this size move to the GPU whole.
constexpr size_t kResidentBytes = size_t{4} << 30;

/// Spreads nearby seeds far apart (SplitMix64; Steele, Lea, Flood 2014).
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

} // namespace

Batches::Batches(const Split& split, const Program& program, at::Device device, bool channels_last) : device_(device), channels_last_(channels_last), rows_(split.rows) {
  size_t bytes = 0;
  for (const Input& input : program.inputs) {
    const std::string& file = split.files.at(input.name);
    at::Tensor array = map_npy(file);
    const std::string what = "The array \"" + file_name(file) + "\" for the input \"" + input.name + "\" is " + dtype_name(array.scalar_type()) + " " + print_shape(array.sizes());
    if (array.scalar_type() != input.dtype) throw EngineError("DATA_MISMATCH", what + " where the program takes " + dtype_name(input.dtype) + ".", input.node);
    if (array.dim() == 0 || array.size(0) < rows_) throw EngineError("DATA_MISMATCH", what + " where the run needs " + std::to_string(rows_) + " rows.", input.node);
    bytes += array.nbytes();
    arrays_.push_back(std::move(array));
  }
  if (device_.is_cuda() && bytes <= kResidentBytes)
    for (at::Tensor& array : arrays_) array = array.to(device_);
}

at::Tensor Batches::placed(at::Tensor batch) const {
  if (batch.device() != device_) batch = batch.pin_memory().to(device_, batch.scalar_type(), /*non_blocking=*/true);
  if (channels_last_ && batch.dim() == 4) batch = batch.contiguous(at::MemoryFormat::ChannelsLast);
  return batch;
}

std::vector<at::Tensor> Batches::take(const at::Tensor& order, int64_t first, int64_t count) const {
  std::vector<at::Tensor> batch;
  batch.reserve(arrays_.size());
  for (const at::Tensor& array : arrays_) {
    if (order.defined()) {
      at::Tensor rows = order.narrow(0, first, count);
      if (rows.device() != array.device()) rows = rows.to(array.device());
      batch.push_back(placed(at::index_select(array, 0, rows)));
    } else {
      batch.push_back(placed(array.narrow(0, first, count)));
    }
  }
  return batch;
}

at::Tensor shuffled_rows(int64_t rows, uint64_t seed, int64_t epoch) {
  return at::randperm(rows, make_generator(mix(mix(seed) ^ static_cast<uint64_t>(epoch))), at::TensorOptions(at::kLong));
}

} // namespace tensorloom
