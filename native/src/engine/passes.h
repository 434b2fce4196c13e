#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "backward_trace.h"
#include "batches.h"
#include "course.h"
#include "interpreter.h"
#include "look.h"
#include "spec.h"
#include "weights.h"

namespace tensorloom {

/// Forward and backward passes over training rows. A pass can be taken again exactly as it was, to find what made it fail.
class Passes {
 public:
  /// Sees a micro-batch between its two passes.
  using Between = std::function<void(const std::vector<at::Tensor>& inputs, int64_t first_row, const std::vector<at::Tensor>& outputs)>;

  /// `weights` and `parameters` are the run's, `doing` is where it says what is going on outside of operators.
  Passes(const TrainSpec& spec, Interpreter& program, const Batches& rows, const std::vector<at::Tensor>& weights, Parameters& parameters, at::Device device, const char*& doing);

  const Program& program() const { return program_.program(); }
  /// Which output the backward passes begin at from here on.
  void aim(size_t output) { loss_ = output; }

  /// Both passes over the rows of one step: its outputs, and gradients at the parameters. Each micro-batch weighs as many rows as it has, so
  /// that the group's mean is the mean of all its rows.
  std::vector<at::Tensor> run(const StepRows& rows, Look* look, const Between& between);

  /// A micro-batch's passes once more, under a trace.
  void trace(FaultTrace& trace, const std::vector<at::Tensor>& inputs, int64_t first_row, double share);
  /// Its forward pass once more, without gradients.
  void replay(const std::vector<at::Tensor>& inputs, int64_t first_row, const Observer& observer);

  void drop_gradients();
  /// How large each input of the program was when a step was last looked at.
  const std::map<std::string, std::vector<int64_t>>& seen_sizes() const { return seen_sizes_; }

 private:
  std::vector<at::Tensor> forward(const std::vector<at::Tensor>& inputs, const Observer& observer = nullptr);
  void find_failing_backward(const std::vector<at::Tensor>& inputs, int64_t first_row, double share);
  std::string node_of_loss() const;
  void keep_random(int64_t first_row);
  void restore_random(int64_t first_row) const;

  const TrainSpec& spec_;
  Interpreter& program_;
  const Batches& rows_;
  const std::vector<at::Tensor>& weights_;
  Parameters& parameters_;
  at::Device device_;
  const char*& doing_;
  size_t loss_ = 0;
  /// The CPU generator as it was before each micro-batch of a step, by its first row, where the program draws numbers.
  std::map<int64_t, at::Tensor> random_before_;
  std::map<std::string, std::vector<int64_t>> seen_sizes_;
};

} // namespace tensorloom
