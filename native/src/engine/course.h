#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "batches.h"
#include "checkpoint.h"
#include "control.h"
#include "events.h"
#include "interpreter.h"
#include "spec.h"

namespace tensorloom {

/// The training rows of one optimizer step.
struct StepRows {
  at::Tensor order;                             ///< Of the epoch; undefined: as they lie.
  std::vector<std::pair<int64_t, int64_t>> parts; ///< First row and row count of each micro-batch.
  int64_t count = 0;                            ///< Of all of them.
};

/// The way of a run through its rows: where it stands, how the rows are cut into steps, which learning rate a step has, and what knobs have made of both.
class Course {
 public:
  /// `program` is what training runs, in which knobs turn the dropout.
  /// @throws EngineError DATA_MISMATCH where the training split has fewer rows than one batch.
  Course(const TrainSpec& spec, const Batches& rows, Interpreter& program, at::Device device);

  Position at;

  int64_t steps_per_epoch() const { return steps_per_epoch_; }
  int64_t total_steps() const { return total_steps_; }
  bool is_epoch_over() const { return at.in_epoch >= steps_per_epoch_; }
  bool ends_epoch() const { return at.in_epoch + 1 >= steps_per_epoch_; }
  double learning_rate() const;

  /// Goes on from a checkpoint's position, with what knobs had made of the run by then.
  /// @throws EngineError DATA_MISMATCH where that lies past the end.
  void restore(Position position);

  /// Draws the order of the epoch under way.
  void begin_epoch();
  /// The rows of the step that comes next.
  StepRows next() const { return rows_of(at.in_epoch); }
  /// Those of a step of the epoch under way, 1-based as it is counted over the run.
  StepRows rows_of_step(int64_t step) const { return rows_of(step - 1 - (at.step - at.in_epoch)); }

  /// Lets knobs take hold before the next step is taken: one with a step at that step, one without now. Batches are cut anew only
  /// where an epoch begins.
  void turn(Control& control, EventLog& events);

 private:
  void plan(const TurnBatchSize& batch);
  StepRows rows_of(int64_t step_in_epoch) const;
  int64_t scheduled_step() const;
  std::optional<double> apply(const TurnLr& turn);
  std::optional<double> apply(const TurnDropout& turn);
  std::optional<double> apply(const TurnBatchSize& turn);

  const TrainSpec& spec_;
  const Batches& rows_;
  Interpreter& program_;
  at::Device device_;
  at::Tensor order_;
  /// Knobs that have not taken hold yet.
  std::vector<Knob> knobs_;
  /// Batches as they are cut in the epoch under way, and how many steps an epoch had as the run was ordered.
  int64_t batch_size_ = 0, batches_per_epoch_ = 0, steps_per_epoch_ = 0, total_steps_ = 0, ordered_steps_per_epoch_ = 0;
};

} // namespace tensorloom
