#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "batches.h"
#include "course.h"
#include "events.h"
#include "passes.h"
#include "spec.h"
#include "weights.h"

namespace tensorloom {

/// Ends a run whose numbers are no longer finite, and names the node that made the first bad one: RUN_NONFINITE.
///
/// On the CPU losses and gradients are looked at before they do harm. On a GPU looking would wait for the device at every step: there a flag on
/// the device keeps the optimizers from stepping any further, and is found when values are next read.
class Divergence {
 public:
  /// `drain` hands on what was noted so far, before the run ends.
  Divergence(const TrainSpec& spec, const Batches& rows, const std::vector<at::Tensor>& weights, const Parameters& parameters, const Course& course, Passes& passes, EventLog& events, std::function<void()> drain);

  /// From here on with the flag on this device.
  void flag_on(at::Device device);
  /// For Optimizer::step.
  std::optional<at::Tensor> skip() const { return flag_.defined() ? std::optional(flag_) : std::nullopt; }
  /// Whether the flag is up. Waits for the device.
  bool is_flagged() const { return flag_.defined() && flag_.item<float>() != 0; }

  void check_loss(const at::Tensor& loss, const std::vector<at::Tensor>& inputs, int64_t first_row);
  /// A loss may be finite where its gradients are not, as at sqrt(0).
  void check_gradients(const StepRows& rows);
  /// Weights that a step has made infinite are found by the next one's loss. What is evaluated or saved before that is looked at here.
  void check_weights() const;
  /// For a loss of the epoch under way that was read after its step.
  void check_past_loss(int64_t step, double loss);
  /// For the flag, once the losses before it were read: theirs were finite.
  void check_flag();

 private:
  [[noreturn]] void blame_forward(const std::vector<at::Tensor>& inputs, int64_t first_row, int64_t step, double loss);
  [[noreturn]] void blame_backward(const StepRows& rows, int64_t step);

  const TrainSpec& spec_;
  const Batches& rows_;
  const std::vector<at::Tensor>& weights_;
  const Parameters& parameters_;
  const Course& course_;
  Passes& passes_;
  EventLog& events_;
  std::function<void()> drain_;
  /// 1 from the first step whose numbers were not finite, for how many steps it has been so, and the number 1; undefined without a flag.
  at::Tensor flag_, flagged_steps_, one_;
};

} // namespace tensorloom
