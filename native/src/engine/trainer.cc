#include "trainer.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <map>
#include <thread>
#include <type_traits>
#include <utility>

#include "averages.h"
#include "batches.h"
#include "breakpoints.h"
#include "checkpoint.h"
#include "clock.h"
#include "course.h"
#include "divergence.h"
#include "evaluation.h"
#include "events.h"
#include "frozen.h"
#include "histograms.h"
#include "interpreter.h"
#include "look.h"
#include "memory.h"
#include "optimizers.h"
#include "passes.h"
#include "weights.h"
#include "whereabouts.h"

namespace tensorloom {
namespace {

/// A network that can learn brings the loss of one batch down to this share of its first value.
constexpr double kLearntShare = 0.1;

/// Gradient norms cost a pass over all gradients, so only each tenth is taken where clipping does not need them.
constexpr int64_t kNormEverySteps = 10;

at::Tensor norm_of(const std::vector<at::Tensor>& tensors) { return at::linalg_vector_norm(at::stack(at::_foreach_norm(tensors, 2))); }

/// Carries out one order: the loop over epochs and steps, and what is told and kept of it.
class Trainer {
 public:
  Trainer(TrainSpec spec, const OnEvents& on_events, Control& control)
      : spec_(std::move(spec)),
        control_(control),
        events_(on_events),
        device_(pick_device(spec_.cuda)),
        learning_(spec_.features.empty() ? spec_.program : spec_.program.behind(spec_.features)),
        train_rows_(spec_.train, learning_, device_, spec_.channels_last),
        validation_rows_(spec_.validation, learning_, device_, spec_.channels_last),
        train_step_(learning_.only(output_names(spec_, true)), device_),
        breakpoints_(spec_.breakpoints, train_step_.program().outputs),
        averages_(spec_.ema_decay),
        course_(spec_, train_rows_, train_step_, device_),
        passes_(spec_, train_step_, train_rows_, weights_, parameters_, device_, doing_),
        divergence_(spec_, train_rows_, weights_, parameters_, course_, passes_, events_, [this] { drain(); }),
        evaluation_(spec_, learning_, validation_rows_, device_),
        looks_(spec_.looks, train_step_.program(), device_),
        histograms_(spec_.histograms) {}

  TrainResult run() {
    try {
      return run_to_end();
    } catch (...) {
      // What was seen before the end is part of the story.
      events_.flush();
      try {
        rethrow_as_engine_error(doing_);
      } catch (EngineError& error) {
        if (error.failure.step < 0 && started_) error.failure.step = at_.step + 1;
        throw;
      }
    }
  }

 private:
  TrainResult run_to_end() {
    prepare();
    started_ = true;
    begun_ = window_start_ = Clock::now();
    announce();
    if (!spec_.features.empty()) {
      doing_ = "computing the frozen part";
      compute_features(spec_, weights_, device_, train_rows_, validation_rows_, control_, events_);
    }
    while (at_.epoch < spec_.epochs && !has_stopped_early()) {
      if (at_.in_epoch == 0) course_.turn(control_, events_);
      if (!train_epoch() || !finish_epoch()) return stop();
    }
    flush();
    report_progress();
    events_.flush();
    return {true, at_.step, file_};
  }

  /// Weights, optimizers and random state: drawn, loaded, or resumed.
  void prepare() {
    at::set_num_threads(spec_.threads > 0 ? spec_.threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
    if (device_.is_cuda()) {
      at::globalContext().setDeterministicCuDNN(true);
      at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
    }
    at::manual_seed(spec_.seed);
    const std::vector<Weight>& layout = spec_.program.weights;
    std::vector<at::Tensor> values = draw_weights(layout, at::globalContext().defaultGenerator(at::kCPU));
    // Where a run begins, averages are the weights themselves.
    std::vector<at::Tensor> averages;
    std::optional<Safetensors> resumed;
    if (!spec_.resume_from.empty()) {
      resumed = Safetensors::read(spec_.resume_from);
      load_weights(layout, resumed->tensors, true, values);
      if (averages_.are_kept()) averages = std::exchange(values, Averages::read_raw(layout, *resumed, values));
    } else if (!spec_.start_from.empty()) {
      const Safetensors start = Safetensors::read(spec_.start_from);
      const size_t found = load_weights(layout, start.tensors, false, values);
      if (found == 0 && !values.empty()) throw EngineError("WEIGHTS_MISMATCH", "The file to start from has none of this model's weights.");
      if (found < values.size()) events_.log("warn", std::to_string(values.size() - found) + " of " + std::to_string(values.size()) + " weights are not in the file to start from and keep their drawn values.");
    }
    weights_ = place_weights(values, device_, spec_.channels_last);
    for (size_t i = 0; i < weights_.size(); ++i) {
      if (!layout[i].trainable) continue;
      // A leaf of its own: a weight loaded from a file may share storage with nothing else.
      weights_[i] = weights_[i].detach().requires_grad_(true);
      parameters_.tensors.push_back(weights_[i]);
      parameters_.names.push_back(layout[i].name);
      parameters_.nodes.push_back(layout[i].node);
      node_of_[weights_[i].unsafeGetTensorImpl()] = layout[i].node;
    }
    if (parameters_.tensors.empty()) throw EngineError("PROGRAM_INVALID", "The network has no weights to train. Add a layer with weights, such as Linear.");
    if (averages_.are_kept()) averages_.begin(layout, weights_, place_weights(averages.empty() ? values : averages, device_, spec_.channels_last));
    optimizers_.assign(spec_, parameters_, train_step_.program().outputs);
    if (resumed) {
      optimizers_.load(resumed->tensors);
      course_.restore(restore_position(*resumed, spec_, device_));
      breakpoints_.restore(at_.breaks);
      file_ = spec_.resume_from;
      file_step_ = at_.step;
    }
    if (spec_.plateau && !at_.plateau) at_.plateau = PlateauState{spec_.lr};
    if (spec_.early_stopping && !at_.early_stopping) at_.early_stopping = EarlyStoppingState{};
    if (device_.is_cuda() && optimizers_.can_skip()) divergence_.flag_on(device_);
    elapsed_before_ms_ = at_.elapsed_ms;
  }

  void announce() {
    const std::string count = std::to_string(parameters_.numel());
    events_.add("started", [&](JsonWriter& json) {
      json.key("stepsPerEpoch").value(course_.steps_per_epoch()).key("totalSteps").value(course_.total_steps()).key("firstStep").value(at_.step + 1).key("inEpoch").value(at_.in_epoch);
      json.key("device").value(device_.str()).key("parameterCount").value(parameters_.numel());
    });
    events_.log("info", (at_.step > 0 ? "Resuming after step " + std::to_string(at_.step) : "Training " + count + " parameters") + " on " + device_.str() + " with " + std::to_string(at::get_num_threads()) + " threads.");
    events_.flush();
  }

  /// Takes the rest of the epoch's steps. @return false where the run was cancelled.
  bool train_epoch() {
    optimizers_.begin_epoch(at_.epoch);
    course_.begin_epoch();
    while (!course_.is_epoch_over()) {
      if (control_.is_cancelled() || breakpoints_.take_hit()) return false;
      // Before the first step it was done already, when the rows were not in order yet.
      if (at_.in_epoch > 0) course_.turn(control_, events_);
      step();
      if (events_.is_due()) flush();
      if (checkpoint_due()) checkpoint();
    }
    return true;
  }

  void step() {
    const StepRows rows = course_.next();
    const double lr = course_.learning_rate();
    const auto begun = Clock::now();
    looks_.begin(at_.in_epoch, course_.steps_per_epoch(), elapsed_ms());
    std::vector<at::Tensor> sums;
    at::Tensor norm;
    // Further losses as they were when their own optimizer stepped.
    std::vector<std::pair<size_t, at::Tensor>> own;
    for (size_t i = 0; i < optimizers_.size(); ++i) {
      Optimizers::Part& part = optimizers_.begin(i, at_.epoch);
      Optimizer& optimizer = *part.optimizer;
      passes_.aim(part.output);
      sums = pass(rows, true);
      if (i + 1 < optimizers_.size()) own.emplace_back(part.output, sums[part.output]);
      doing_ = "the optimizer's step";
      if (Look* look = looks_.current()) look->before_step(part.parameters);
      norm = clip_gradients();
      divergence_.check_gradients(rows);
      if (course_.ends_epoch() && histograms_.is_due(at_.epoch + 1 == spec_.epochs)) histograms_.note_gradients(parameters_);
      if (optimizer.evaluates()) {
        optimizer.step(lr * part.lr_factor, read_scalar(sums[part.output]), [&] {
          passes_.drop_gradients();
          const at::AutoGradMode with_grad(true);
          const double loss = read_scalar(pass(rows, !optimizer.searches())[part.output]);
          clip_gradients();
          return loss;
        });
      } else {
        be_at(kOptimizer);
        optimizer.step(lr * part.lr_factor, divergence_.skip());
        be_at(kElsewhere);
      }
      passes_.drop_gradients();
      if (Look* look = looks_.current()) look->after_step();
    }
    for (auto& [output, value] : own) sums[output] = std::move(value);
    averages_.add(parameters_.tensors, at_.step == 0);

    ++at_.step;
    ++at_.in_epoch;
    window_rows_ += rows.count;
    ++window_steps_;
    for (size_t i = 0; i < sums.size(); ++i)
      if (!breakpoints_.owns(i)) note("train/" + train_step_.program().outputs[i].name, sums[i]);
    if (spec_.one_batch && device_.is_cpu()) note_one_batch(read_scalar(sums[0]));
    events_.point("lr", at_.step, lr);
    if (norm.defined()) note("grad_norm", norm);
    if (looks_.current()) looks_.end(at_.step, exact_ms_since(begun), passes_.seen_sizes(), node_of_, events_);
  }

  std::vector<at::Tensor> pass(const StepRows& rows, bool must_be_finite) {
    return passes_.run(rows, looks_.current(), [&](const std::vector<at::Tensor>& inputs, int64_t first_row, const std::vector<at::Tensor>& outputs) {
      breakpoints_.note(at_.step + 1, outputs);
      // On a GPU they are read with the rest of the figures.
      if (device_.is_cpu()) breakpoints_.judge(events_);
      if (must_be_finite) divergence_.check_loss(outputs[optimizers_.current().output], inputs, first_row);
    });
  }

  /// @return the norm of all gradients before clipping, where it was taken.
  at::Tensor clip_gradients() {
    const at::NoGradGuard no_grad;
    const bool clip_norm = spec_.grad_clip && spec_.grad_clip->by_norm;
    const bool wants_norm = clip_norm || at_.step % kNormEverySteps == 0;
    if (!wants_norm && !spec_.grad_clip) return {};
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& parameter : parameters_.tensors)
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    at::Tensor norm = wants_norm && !gradients.empty() ? norm_of(gradients) : at::Tensor();
    if (clip_norm && norm.defined()) {
      // As torch.nn.utils.clip_grad_norm_ has it.
      at::_foreach_mul_(gradients, (spec_.grad_clip->max / (norm + 1e-6)).clamp_max(1.0));
    } else if (spec_.grad_clip && !gradients.empty()) {
      at::_foreach_clamp_min_(gradients, -spec_.grad_clip->max);
      at::_foreach_clamp_max_(gradients, spec_.grad_clip->max);
    }
    return norm;
  }

  /// Evaluates, closes the epoch and keeps it. @return false where the run was cancelled before the evaluation was done.
  bool finish_epoch() {
    drain();
    divergence_.check_weights();
    doing_ = "the evaluation";
    std::optional<Evaluated> found = outside_window([&] { return evaluation_.run(shown_weights(), at_.step, at_.epoch + 1, histograms_.is_under_way(), control_, events_); });
    if (!found) return false;
    evaluation_ms_ = found->ms;
    if (histograms_.is_under_way()) outside_window([&] { histograms_.report(parameters_, std::move(found->activations), at_.step, at_.epoch + 1, events_); });
    ++at_.epoch;
    at_.in_epoch = 0;
    if (at_.plateau && step_plateau(*spec_.plateau, *at_.plateau, found->loss))
      events_.log("info", "The validation loss has stopped falling: the learning rate goes down to " + rounded(at_.plateau->lr) + ".");
    if (spec_.early_stopping) judge_epoch(*spec_.early_stopping, *at_.early_stopping, found->watched);
    if (at_.one_batch && at_.epoch == spec_.epochs) judge_one_batch(*at_.one_batch);
    if (!spec_.checkpoint_folder.empty()) checkpoint();
    if (events_.is_due()) flush();
    return true;
  }

  bool has_stopped_early() const { return spec_.early_stopping && at_.early_stopping->is_over(*spec_.early_stopping); }

  /// Says that the run ends here, where it does. Comes before the epoch's checkpoint: a run that goes on from that has said it already.
  void judge_epoch(const EarlyStopping& options, EarlyStoppingState& state, double watched) {
    step_early_stopping(options, state, at_.epoch, watched);
    if (!state.is_over(options) || at_.epoch == spec_.epochs) return;
    const std::string epochs = std::to_string(options.patience) + (options.patience == 1 ? " epoch" : " epochs");
    const std::string best = state.best ? "was best in epoch " + std::to_string(state.best_epoch) + ", " + rounded(*state.best) + ", and has not become better" : std::string("was no finite number");
    const std::string message = "Stopped early after epoch " + std::to_string(at_.epoch) + " of " + std::to_string(spec_.epochs) + ": validation " + options.output + " " + best + " for " + epochs + ".";
    events_.add("stopped", [&](JsonWriter& json) { json.key("step").value(at_.step).key("epoch").value(at_.epoch).key("bestEpoch").value(state.best_epoch).key("message").value(message); });
    events_.log("info", message);
  }

  /// Says whether the network could learn one batch by heart; as with early stopping, before the checkpoint.
  void judge_one_batch(const OneBatchState& losses) {
    const bool learnt = losses.first > 0 ? losses.lowest <= kLearntShare * losses.first : losses.lowest < losses.first;
    const std::string fall = "from " + rounded(losses.first) + " to " + rounded(losses.lowest) + " in " + std::to_string(at_.step) + " steps";
    const std::string message = learnt ? "The network can learn: the loss of one batch fell " + fall + "."
                                       : "The network did not learn one batch: its loss went " + fall + ", where a tenth of the first was to be reached. Look at the loss and the layers before the output, raise the learning rate, take Dropout out, or give it more steps.";
    events_.add("judged", [&](JsonWriter& json) { json.key("step").value(at_.step).key("learnt").value(learnt).key("message").value(message); });
    events_.log(learnt ? "info" : "warn", message);
  }

  void note_one_batch(double loss) {
    if (!at_.one_batch) at_.one_batch = OneBatchState{loss, loss};
    at_.one_batch->lowest = std::min(at_.one_batch->lowest, loss);
  }

  /// Notes a value of the step just done. GPU values are kept as they are and read together later.
  void note(const std::string& key, const at::Tensor& value) {
    if (device_.is_cpu()) events_.point(key, at_.step, read_scalar(value));
    else pending_.push_back({key, at_.step, value.to(at::kFloat).reshape({})});
  }

  /// Reads the values still on the device, in one transfer.
  void drain() {
    breakpoints_.judge(events_);
    if (pending_.empty()) return;
    std::vector<at::Tensor> values;
    values.reserve(pending_.size());
    for (const Pending& one : pending_) values.push_back(one.value);
    const at::Tensor read = at::stack(values).to(at::kCPU);
    const float* numbers = read.const_data_ptr<float>();
    const std::vector<Pending> pending = std::exchange(pending_, {});
    for (size_t i = 0; i < pending.size(); ++i) {
      events_.point(pending[i].key, pending[i].step, numbers[i]);
      if (pending[i].key != "train/loss") continue;
      if (spec_.one_batch) note_one_batch(numbers[i]);
      divergence_.check_past_loss(pending[i].step, numbers[i]);
    }
    divergence_.check_flag();
  }

  /// Reads what the device still holds, measures the speed and hands the events on.
  void flush() {
    drain();
    if (window_steps_ > 0) {
      const double seconds = exact_ms_since(window_start_) / 1000;
      const double speed = static_cast<double>(window_steps_) / seconds;
      // Smoothed over about a second of flushes.
      steps_per_second_ = steps_per_second_ == 0 ? speed : 0.9 * steps_per_second_ + 0.1 * speed;
      events_.point("samples_per_second", at_.step, static_cast<double>(window_rows_) / seconds);
      report_progress();
      window_start_ = Clock::now();
      window_rows_ = window_steps_ = 0;
    }
    events_.flush();
  }

  /// Runs what is not training, and keeps its time out of the measured speed.
  template <typename F>
  std::invoke_result_t<const F&> outside_window(const F& f) {
    struct Shift {
      Clock::time_point& window_start;
      Clock::time_point start = Clock::now();
      ~Shift() { window_start += Clock::now() - start; }
    } shift{window_start_};
    return f();
  }

  /// The most that tensors have taken on the device that trains.
  int64_t most_bytes() const {
    if (device_.is_cpu()) return static_cast<int64_t>(peak_bytes());
    return at::accelerator::getDeviceStats(device_.index()).allocated_bytes[0].peak;
  }

  int64_t elapsed_ms() const { return elapsed_before_ms_ + ms_since(begun_); }

  void report_progress() {
    events_.add("progress", [&](JsonWriter& json) {
      json.key("step").value(at_.step).key("epoch").value(at_.epoch).key("elapsedMs").value(elapsed_ms()).key("stepsPerSecond").value(steps_per_second_).key("evaluationMs").value(evaluation_ms_).key("peakBytes").value(most_bytes());
    });
  }

  bool checkpoint_due() const {
    // The epoch's own checkpoint is about to come.
    if (spec_.checkpoint_folder.empty() || spec_.checkpoint_every_ms == 0 || course_.is_epoch_over()) return false;
    return ms_since(checkpointed_) >= spec_.checkpoint_every_ms;
  }

  void checkpoint() {
    drain();
    divergence_.check_weights();
    doing_ = "writing a checkpoint";
    if (divergence_.is_flagged()) throw EngineError("INTERNAL", "A run that is no longer finite must not be saved.");
    at_.elapsed_ms = elapsed_ms();
    at_.breaks = breakpoints_.holding();
    const std::string path = spec_.checkpoint_folder + "/step-" + std::to_string(at_.step) + ".safetensors";
    NamedTensors state = optimizers_.state();
    for (auto& entry : averages_.raw(spec_.program.weights, weights_)) state.push_back(std::move(entry));
    const WrittenFile written = outside_window([&] { return save_checkpoint(path, spec_, device_, shown_weights(), std::move(state), at_); });
    file_ = path;
    file_step_ = at_.step;
    checkpointed_ = Clock::now();
    events_.add("checkpoint", [&](JsonWriter& json) {
      json.key("step").value(at_.step).key("epoch").value(at_.epoch).key("file").value(path).key("sizeBytes").value(written.size_bytes).key("sha256").value(written.sha256);
    });
  }

  TrainResult stop() {
    if (!spec_.checkpoint_folder.empty() && file_step_ != at_.step) checkpoint();
    events_.log("info", "Stopped after step " + std::to_string(at_.step) + ".");
    flush();
    return {false, at_.step, file_};
  }

  /// The weights that are evaluated, shown and exported.
  const std::vector<at::Tensor>& shown_weights() const { return averages_.shown(weights_); }

  struct Pending {
    std::string key;
    int64_t step;
    at::Tensor value;
  };

  TrainSpec spec_;
  Control& control_;
  EventLog events_;
  at::Device device_;
  /// What is run at every step: the program, or what stands behind the features.
  Program learning_;
  Batches train_rows_, validation_rows_;
  Interpreter train_step_;
  Breakpoints breakpoints_;
  std::vector<at::Tensor> weights_;
  Parameters parameters_;
  std::map<const void*, std::string> node_of_;
  /// What is going on outside of operators, for the sentence that says where it failed.
  const char* doing_ = "getting ready: the weights, and what the optimizer keeps of each,";
  Averages averages_;
  Optimizers optimizers_;
  Course course_;
  Position& at_ = course_.at;
  Passes passes_;
  Divergence divergence_;
  Evaluation evaluation_;
  Looks looks_;
  HistogramLog histograms_;

  bool started_ = false;
  std::vector<Pending> pending_;
  Clock::time_point begun_ = Clock::now(), window_start_ = Clock::now(), checkpointed_ = Clock::now();
  int64_t elapsed_before_ms_ = 0, window_rows_ = 0, window_steps_ = 0;
  double steps_per_second_ = 0;
  double evaluation_ms_ = 0;
  std::optional<std::string> file_;
  int64_t file_step_ = -1;
};

} // namespace

at::Device pick_device(bool cuda) {
  if (!cuda) return at::kCPU;
  if (!at::globalContext().hasCUDA()) throw EngineError("DEVICE_MISSING", "This machine has no CUDA device that libtorch can use. Train on the CPU instead.");
  return at::Device(at::kCUDA, 0);
}

TrainResult run_training(TrainSpec spec, const OnEvents& on_events, Control& control) {
  const Whereabouts whereabouts(spec.place_file, spec.program.nodes);
  const MemoryLimit limit(spec.cuda ? 0 : spec.memory_limit_bytes);
  reset_peak();
  return Trainer(std::move(spec), on_events, control).run();
}

} // namespace tensorloom
