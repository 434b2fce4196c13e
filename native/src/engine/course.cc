#include "course.h"

#include <algorithm>

namespace tensorloom {

Course::Course(const TrainSpec& spec, const Batches& rows, Interpreter& program, at::Device device) : spec_(spec), rows_(rows), program_(program), device_(device), knobs_(spec.knobs) {
  plan({spec_.batch_size, spec_.drop_last});
  ordered_steps_per_epoch_ = steps_per_epoch_;
}

/// How the training rows are cut from here on. Only between two epochs.
void Course::plan(const TurnBatchSize& batch) {
  const int64_t rows = spec_.train.rows, batches = batch.drop_last ? rows / batch.batch_size : (rows + batch.batch_size - 1) / batch.batch_size;
  if (batches == 0) throw EngineError("DATA_MISMATCH", "The training split has " + std::to_string(rows) + " rows, fewer than one batch of " + std::to_string(batch.batch_size) + ". Lower the batch size, or keep the last short batch.");
  batch_size_ = batch.batch_size;
  batches_per_epoch_ = batches;
  steps_per_epoch_ = (batches + spec_.accumulate - 1) / spec_.accumulate;
  total_steps_ = at.step - at.in_epoch + steps_per_epoch_ * (spec_.epochs - at.epoch);
}

/// Where the schedule stands, in steps as the run was ordered: where batches were turned, it is gone through by epochs.
int64_t Course::scheduled_step() const { return at.epoch * ordered_steps_per_epoch_ + at.in_epoch * ordered_steps_per_epoch_ / steps_per_epoch_; }

double Course::learning_rate() const {
  if (at.turned && at.turned->lr_held) return *at.turned->lr_held;
  if (at.plateau) return at.plateau->lr;
  const double scheduled = spec_.lr_at(scheduled_step());
  return at.turned ? at.turned->lr_scale * scheduled : scheduled;
}

void Course::restore(Position position) {
  at = std::move(position);
  // Those that had taken hold by then are in it; at the very step of the checkpoint they may or may not be, and turning one twice is as once.
  std::erase_if(knobs_, [&](const Knob& knob) { return knob.step && *knob.step < at.step; });
  if (at.turned) {
    plan(at.turned->batch.value_or(TurnBatchSize{spec_.batch_size, spec_.drop_last}));
    for (const TurnDropout& dropout : at.turned->dropouts) program_.set_dropout(dropout.node, dropout.p);
  }
  if (at.in_epoch > steps_per_epoch_ || at.step > total_steps_ || at.epoch > spec_.epochs) throw EngineError("DATA_MISMATCH", "The checkpoint lies past the end of this run.");
}

void Course::begin_epoch() {
  const int64_t epoch = spec_.one_batch ? 0 : at.epoch;
  if (!spec_.shuffle) return;
  const at::Tensor& lengths = rows_.lengths();
  if (spec_.bucketing) {
    order_ = bucketed_rows(lengths.narrow(0, 0, spec_.train.rows), batch_size_, spec_.seed, epoch);
    return;
  }
  order_ = shuffled_rows(spec_.train.rows, spec_.seed, epoch);
  // Lengths are looked up on the CPU.
  if (device_.is_cuda() && !lengths.defined()) order_ = order_.to(device_);
}

StepRows Course::rows_of(int64_t step_in_epoch) const {
  StepRows step{order_, {}, 0};
  const int64_t first = spec_.one_batch ? 0 : step_in_epoch * spec_.accumulate;
  for (int64_t batch = first; batch < std::min(first + spec_.accumulate, batches_per_epoch_); ++batch) {
    const int64_t row = batch * batch_size_, count = std::min(batch_size_, spec_.train.rows - row);
    step.parts.emplace_back(row, count);
    step.count += count;
  }
  return step;
}

void Course::turn(Control& control, EventLog& events) {
  if (control.has_knobs())
    for (Knob& knob : control.take_knobs()) knobs_.push_back(std::move(knob));
  if (knobs_.empty()) return;
  bool repeats = false;
  for (const Knob& knob : std::exchange(knobs_, {})) {
    // What a person wants now comes after what the run has yet to repeat.
    const bool is_due = knob.step ? *knob.step == at.step : !repeats, cuts = std::holds_alternative<TurnBatchSize>(knob.turn);
    if (!is_due || (cuts && at.in_epoch != 0)) {
      repeats = repeats || knob.step;
      knobs_.push_back(knob);
      continue;
    }
    if (!at.turned) at.turned.emplace();
    const std::optional<double> before = std::visit([&](const auto& turn) { return apply(turn); }, knob.turn);
    events.add("turned", [&](JsonWriter& json) {
      json.key("id").value(knob.id).key("step").value(at.step).key("epoch").value(at.epoch).key("before");
      if (before) json.value(*before);
      else json.null();
      json.key("stepsPerEpoch").value(steps_per_epoch_).key("totalSteps").value(total_steps_);
    });
  }
}

/// Each of these gives what was in force before, where that is one number.
std::optional<double> Course::apply(const TurnLr& turn) {
  const double before = learning_rate();
  // A schedule that stands at 0 has no proportion to go on in.
  const double scheduled = at.plateau ? 1 : spec_.lr_at(scheduled_step());
  at.turned->lr_held = turn.hold || scheduled <= 0 ? std::optional(turn.lr) : std::nullopt;
  if (at.turned->lr_held) return before;
  if (at.plateau) at.plateau->lr = turn.lr;
  else at.turned->lr_scale = turn.lr / scheduled;
  return before;
}

std::optional<double> Course::apply(const TurnDropout& turn) {
  if (turn.node.empty()) at.turned->dropouts.clear();
  std::erase_if(at.turned->dropouts, [&](const TurnDropout& earlier) { return earlier.node == turn.node; });
  at.turned->dropouts.push_back(turn);
  program_.set_dropout(turn.node, turn.p);
  return std::nullopt;
}

std::optional<double> Course::apply(const TurnBatchSize& turn) {
  const auto before = static_cast<double>(batch_size_);
  at.turned->batch = turn;
  plan(turn);
  return before;
}

} // namespace tensorloom
