#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "spec.h"

namespace tensorloom {

/// The rows of one split, ready to be cut into batches. On the CPU they stay in the mapped file; sets that fit are kept
/// on the GPU.
class Batches {
 public:
  /// @throws EngineError DATA_MISMATCH where a file does not hold what the program takes.
  Batches(const Split& split, const Program& program, at::Device device, bool channels_last);

  /// Puts the rows of an input that no file holds, float32 [rows, ...].
  void fill(const std::string& input, at::Tensor rows);

  int64_t rows() const { return rows_; }
  /// How long each row is, on the CPU; undefined where the split says nothing of lengths.
  const at::Tensor& lengths() const { return lengths_; }

  /// `count` rows from position `first`: of `order` where it is defined, else as they lie. Sequences end with the longest
  /// of these rows.
  std::vector<at::Tensor> take(const at::Tensor& order, int64_t first, int64_t count) const;

 private:
  void read_lengths(const Lengths& lengths);
  int64_t longest(const at::Tensor& order, int64_t first, int64_t count) const;
  at::Tensor placed(at::Tensor batch) const;

  std::vector<at::Tensor> arrays_;
  std::vector<std::string> names_;
  /// Which of them are cut to the longest row.
  std::vector<bool> crops_;
  at::Tensor lengths_;
  at::Device device_;
  bool channels_last_;
  int64_t rows_;
};

/// The order of one epoch's rows. Depends on nothing but its arguments, so a resumed run finds the same one.
at::Tensor shuffled_rows(int64_t rows, uint64_t seed, int64_t epoch);

/// The same, with rows of like length in one batch: within every few dozen batches rows are sorted by length, and the full
/// batches then come in random order. Each row comes exactly once.
at::Tensor bucketed_rows(const at::Tensor& lengths, int64_t batch_size, uint64_t seed, int64_t epoch);

} // namespace tensorloom
