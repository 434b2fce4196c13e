#include "batches.h"

#include <ATen/core/Generator.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/randperm.h>

#include <algorithm>
#include <limits>

#include "error.h"
#include "interpreter.h"
#include "tensors.h"
#include "weights.h"

namespace tensorloom {
namespace {

/// Sets up to this size move to the GPU whole.
constexpr size_t kResidentBytes = size_t{4} << 30;

/// Windows over the entries of an array as its rows, without a copy of any.
at::Tensor windows_over(const at::Tensor& array, const Window& window, int64_t rows) {
  std::vector<int64_t> sizes{rows, window.length}, strides{window.stride * array.stride(0), array.stride(0)};
  for (int64_t axis = 1; axis < array.dim(); ++axis) {
    sizes.push_back(array.size(axis));
    strides.push_back(array.stride(axis));
  }
  return array.as_strided(sizes, strides, window.first * array.stride(0));
}

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
    names_.push_back(input.name);
    if (!split.files.contains(input.name)) {
      arrays_.emplace_back();
      crops_.push_back(false);
      continue;
    }
    const std::string& file = split.files.at(input.name);
    at::Tensor array = map_npy(file);
    const std::string what = "The array \"" + file_name(file) + "\" for the input \"" + input.name + "\" is " + dtype_name(array.scalar_type()) + " " + print_shape(array.sizes());
    if (array.scalar_type() != input.dtype) throw EngineError("DATA_MISMATCH", what + " where the program takes " + dtype_name(input.dtype) + ".", input.node);
    const auto window = split.windows.find(input.name);
    const Window* windowed = window == split.windows.end() ? nullptr : &window->second;
    if (windowed && (array.dim() == 0 || windowed->length > array.size(0) || windowed->first > array.size(0) - windowed->length || (rows_ - 1) > (array.size(0) - windowed->length - windowed->first) / windowed->stride))
      throw EngineError("DATA_MISMATCH", what + " and so ends before the last of " + std::to_string(rows_) + " windows of " + std::to_string(windowed->length) + ".", input.node);
    if (!windowed && (array.dim() == 0 || array.size(0) < rows_)) throw EngineError("DATA_MISMATCH", what + " where the run needs " + std::to_string(rows_) + " rows.", input.node);
    bytes += array.nbytes();
    crops_.push_back(split.lengths && split.lengths->crop.contains(input.name));
    if (crops_.back() && array.dim() < 2) throw EngineError("DATA_MISMATCH", what + " and so has no second axis to cut.", input.node);
    arrays_.push_back(std::move(array));
  }
  if (device_.is_cuda() && bytes <= kResidentBytes)
    for (at::Tensor& array : arrays_)
      if (array.defined()) array = array.to(device_);
  for (size_t i = 0; i < arrays_.size(); ++i)
    if (const auto window = split.windows.find(program.inputs[i].name); window != split.windows.end()) arrays_[i] = windows_over(arrays_[i], window->second, rows_);
  if (split.lengths) read_lengths(*split.lengths);
}

void Batches::fill(const std::string& input, at::Tensor rows) {
  for (size_t i = 0; i < names_.size(); ++i)
    if (names_[i] == input) arrays_[i] = device_.is_cuda() && rows.nbytes() <= kResidentBytes ? rows.to(device_) : std::move(rows);
}

void Batches::read_lengths(const Lengths& lengths) {
  const std::string what = "The lengths \"" + file_name(lengths.file) + "\" are ";
  lengths_ = map_npy(lengths.file);
  if (lengths_.scalar_type() != at::kLong || lengths_.dim() != 1 || lengths_.size(0) < rows_) throw EngineError("DATA_MISMATCH", what + dtype_name(lengths_.scalar_type()) + " " + print_shape(lengths_.sizes()) + " where the run needs int64 [" + std::to_string(rows_) + "].");
  int64_t most = std::numeric_limits<int64_t>::max();
  for (size_t i = 0; i < arrays_.size(); ++i)
    if (crops_[i]) most = std::min(most, arrays_[i].size(1));
  const int64_t* each = lengths_.const_data_ptr<int64_t>();
  for (int64_t row = 0; row < rows_; ++row)
    if (each[row] < 1 || each[row] > most) throw EngineError("DATA_MISMATCH", what + "wrong at row " + std::to_string(row) + ": " + std::to_string(each[row]) + " is not from 1 to " + std::to_string(most) + ".");
}

int64_t Batches::longest(const at::Tensor& order, int64_t first, int64_t count) const {
  const int64_t* each = lengths_.const_data_ptr<int64_t>();
  const int64_t* rows = order.defined() ? order.const_data_ptr<int64_t>() : nullptr;
  int64_t most = 1;
  for (int64_t i = first; i < first + count; ++i) most = std::max(most, each[rows ? rows[i] : i]);
  return most;
}

at::Tensor Batches::placed(at::Tensor batch) const {
  if (batch.device() != device_) batch = batch.pin_memory().to(device_, batch.scalar_type(), /*non_blocking=*/true);
  if (channels_last_ && batch.dim() == 4) batch = batch.contiguous(at::MemoryFormat::ChannelsLast);
  return batch;
}

std::vector<at::Tensor> Batches::take(const at::Tensor& order, int64_t first, int64_t count) const {
  std::vector<at::Tensor> batch;
  batch.reserve(arrays_.size());
  const int64_t steps = lengths_.defined() ? longest(order, first, count) : 0;
  for (size_t i = 0; i < arrays_.size(); ++i) {
    const at::Tensor array = crops_[i] ? arrays_[i].narrow(1, 0, steps) : arrays_[i];
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

at::Tensor bucketed_rows(const at::Tensor& lengths, int64_t batch_size, uint64_t seed, int64_t epoch) {
  constexpr int64_t kPoolBatches = 32;
  const int64_t* each = lengths.const_data_ptr<int64_t>();
  const at::Tensor shuffled = shuffled_rows(lengths.size(0), seed, epoch);
  int64_t* rows = shuffled.mutable_data_ptr<int64_t>();
  // A last batch that is not full stays last, with rows of any length.
  const int64_t batches = lengths.size(0) / batch_size;
  for (int64_t first = 0; first < batches; first += kPoolBatches)
    std::stable_sort(rows + first * batch_size, rows + std::min(first + kPoolBatches, batches) * batch_size, [&](int64_t a, int64_t b) { return each[a] < each[b]; });
  const at::Tensor turns = at::randperm(batches, make_generator(mix(mix(seed) ^ ~static_cast<uint64_t>(epoch))), at::TensorOptions(at::kLong));
  const int64_t* turn = turns.const_data_ptr<int64_t>();
  at::Tensor order = shuffled.clone();
  int64_t* out = order.mutable_data_ptr<int64_t>();
  for (int64_t batch = 0; batch < batches; ++batch) std::copy_n(rows + turn[batch] * batch_size, batch_size, out + batch * batch_size);
  return order;
}

} // namespace tensorloom
