#include "trainer.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <thread>
#include <utility>

#include "backward_trace.h"
#include "batches.h"
#include "checkpoint.h"
#include "events.h"
#include "finite.h"
#include "generate.h"
#include "histograms.h"
#include "interpreter.h"
#include "look.h"
#include "memory.h"
#include "precision.h"
#include "weights.h"

namespace tensorloom {
namespace {

using Clock = std::chrono::steady_clock;

/// A network that can learn brings the loss of one batch down to this share of its first value.
constexpr double kLearntShare = 0.1;

/// Gradient norms cost a pass over all gradients, so only each tenth is taken where clipping does not need them.
constexpr int64_t kNormEverySteps = 10;

/// The first steps pay for memory and for the kernels' preparations, and say little of those that follow.
constexpr int64_t kFirstLook = 2;
/// A run that has gone on for long is looked at once in so many parts of its time.
constexpr int64_t kLooksARun = 100;
/// Histograms are taken where epochs end, but not more often than this, and of so many tensors of a kind.
constexpr int64_t kHistogramsEveryMs = 500;
constexpr size_t kMostHistograms = 64;

int64_t ms_since(Clock::time_point start) { return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count(); }

/// The number in a one-element tensor. On the CPU without a trip through the dispatcher.
double read_scalar(const at::Tensor& tensor) {
  if (tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.numel() == 1) return *tensor.const_data_ptr<float>();
  return tensor.item().toDouble();
}

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

at::Tensor norm_of(const std::vector<at::Tensor>& tensors) { return at::linalg_vector_norm(at::stack(at::_foreach_norm(tensors, 2))); }

std::vector<std::string> output_names(const TrainSpec& spec, bool training) {
  std::vector<std::string> names{"loss"};
  for (const Metric& metric : spec.metrics)
    if (!training || !metric.only_validation) names.push_back(metric.output);
  return names;
}

std::vector<std::string> prediction_names(const Program& program) {
  std::vector<std::string> names;
  for (const Output& output : program.outputs)
    if (output.name.starts_with("y")) names.push_back(output.name);
  return names;
}

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
        evaluate_(learning_.only(output_names(spec_, false)), device_),
        predict_(learning_.only(prediction_names(spec_.program)), device_) {
    if (spec_.points) place_.emplace(learning_.only({spec_.points->output}), device_);
    if (spec_.lattice) lattice_.emplace(spec_.program.only({"y"}), device_);
    plan({spec_.batch_size, spec_.drop_last});
    ordered_steps_per_epoch_ = steps_per_epoch_;
    knobs_ = std::move(spec_.knobs);
  }

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
    if (!spec_.features.empty()) compute_features();
    while (at_.epoch < spec_.epochs && !has_stopped_early()) {
      if (at_.in_epoch == 0) turn_knobs();
      if (!train_epoch() || !finish_epoch()) return stop();
    }
    flush();
    report_progress();
    events_.flush();
    return {true, at_.step, file_};
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

  /// Weights, optimizer and random state: drawn, loaded, or resumed.
  void prepare() {
    at::set_num_threads(spec_.threads > 0 ? spec_.threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
    if (device_.is_cuda()) {
      at::globalContext().setDeterministicCuDNN(true);
      at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
    }
    at::manual_seed(spec_.seed);
    std::vector<at::Tensor> values = draw_weights(spec_.program.weights, at::globalContext().defaultGenerator(at::kCPU));
    // Of the weights that are averaged over the steps; where a run begins they are the weights themselves.
    std::vector<at::Tensor> averages;
    std::optional<Safetensors> resumed;
    if (!spec_.resume_from.empty()) {
      resumed = Safetensors::read(spec_.resume_from);
      load_weights(spec_.program.weights, resumed->tensors, true, values);
      if (spec_.ema_decay) averages = std::exchange(values, raw_weights(*resumed, values));
    } else if (!spec_.start_from.empty()) {
      const Safetensors start = Safetensors::read(spec_.start_from);
      const size_t found = load_weights(spec_.program.weights, start.tensors, false, values);
      if (found == 0 && !values.empty()) throw EngineError("WEIGHTS_MISMATCH", "The file to start from has none of this model's weights.");
      if (found < values.size()) events_.log("warn", std::to_string(values.size() - found) + " of " + std::to_string(values.size()) + " weights are not in the file to start from and keep their drawn values.");
    }
    weights_ = place_weights(values, device_, spec_.channels_last);

    std::vector<at::Tensor> parameters;
    std::vector<std::string> names;
    for (size_t i = 0; i < weights_.size(); ++i) {
      const Weight& weight = spec_.program.weights[i];
      if (!weight.trainable) continue;
      // A leaf of its own: a weight loaded from a file may share storage with nothing else.
      weights_[i] = weights_[i].detach().requires_grad_(true);
      parameters.push_back(weights_[i]);
      names.push_back(weight.name);
      parameter_nodes_.push_back(weight.node);
      parameter_names_.push_back(weight.name);
      parameter_count_ += weights_[i].numel();
    }
    if (parameters.empty()) throw EngineError("PROGRAM_INVALID", "The network has no weights to train. Add a layer with weights, such as Linear.");
    parameters_ = parameters;
    for (size_t i = 0; i < parameters.size(); ++i) node_of_[parameters[i].unsafeGetTensorImpl()] = parameter_nodes_[i];
    if (spec_.ema_decay) start_averages(place_weights(averages.empty() ? values : averages, device_, spec_.channels_last));
    assign_optimizers(parameters, names);
    if (resumed) {
      for (const Part& part : parts_) part.optimizer->load(resumed->tensors);
      at_ = restore_position(*resumed, spec_, device_);
      restore_turned();
      if (at_.in_epoch > steps_per_epoch_ || at_.step > total_steps_ || at_.epoch > spec_.epochs) throw EngineError("DATA_MISMATCH", "The checkpoint lies past the end of this run.");
      file_ = spec_.resume_from;
      file_step_ = at_.step;
    }
    if (spec_.plateau && !at_.plateau) at_.plateau = PlateauState{spec_.lr};
    if (spec_.early_stopping && !at_.early_stopping) at_.early_stopping = EarlyStoppingState{};
    if (device_.is_cuda() && std::all_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.optimizer->can_skip(); })) diverged_ = at::zeros({}, at::TensorOptions(at::kFloat).device(device_));
    elapsed_before_ms_ = at_.elapsed_ms;
  }

  /// Gives each optimizer its weights; the main one, the last, has what is left.
  void assign_optimizers(const std::vector<at::Tensor>& parameters, const std::vector<std::string>& names) {
    std::vector<bool> taken(names.size(), false);
    const auto add = [&](const OptimizerOptions& options, size_t output, double lr_factor, const auto& has) {
      Part part{output, lr_factor, {}, {}, nullptr};
      std::vector<std::string> own;
      std::vector<double> scales;
      for (size_t i = 0; i < names.size(); ++i) {
        if (taken[i] || !has(names[i])) continue;
        taken[i] = true;
        part.parameters.push_back(parameters[i]);
        own.push_back(names[i]);
        const auto pace = spec_.paces.find(names[i]);
        scales.push_back(pace == spec_.paces.end() ? 1 : pace->second.scale);
        part.from_epochs.push_back(pace == spec_.paces.end() || spec_.one_batch ? 0 : pace->second.from_epoch);
      }
      if (own.empty()) throw EngineError("PROGRAM_INVALID", "An optimizer has no weights to train.");
      part.optimizer = std::make_unique<Optimizer>(options, part.parameters, std::move(own));
      if (std::all_of(part.from_epochs.begin(), part.from_epochs.end(), [](int64_t from) { return from > 0; })) throw EngineError("PROGRAM_INVALID", "No weight of an optimizer learns from the first epoch on. Let one layer at least, such as the last, learn from the start.");
      if (!spec_.paces.empty()) part.optimizer->set_scales(scales);
      parts_.push_back(std::move(part));
    };
    const std::vector<Output>& outputs = train_step_.program().outputs;
    for (const FurtherOptimizer& further : spec_.further) {
      const auto output = std::find_if(outputs.begin(), outputs.end(), [&](const Output& one) { return one.name == further.loss; });
      add(further.options, static_cast<size_t>(output - outputs.begin()), further.lr_factor, [&](const std::string& name) { return further.weights.contains(name); });
    }
    add(spec_.optimizer, 0, 1, [](const std::string&) { return true; });
    begin_part(parts_.size() - 1);
  }

  /// From here on passes are taken by this optimizer's loss, and only its weights get gradients, those that learn in this epoch.
  void begin_part(size_t index) {
    part_ = index;
    if (parts_.size() == 1 && spec_.paces.empty()) return;
    for (size_t i = 0; i < parts_.size(); ++i)
      for (size_t j = 0; j < parts_[i].parameters.size(); ++j) parts_[i].parameters[j].set_requires_grad(i == index && at_.epoch >= parts_[i].from_epochs[j]);
  }

  /// The output that is made small at the moment.
  size_t loss_at() const { return parts_[part_].output; }
  const std::string& loss_name() const { return train_step_.program().outputs[loss_at()].name; }

  /// Lets every row pass once through what does not learn.
  void compute_features() {
    doing_ = "computing the frozen part";
    Interpreter frozen(spec_.program.up_to(spec_.features), device_);
    const std::vector<Output>& outputs = frozen.program().outputs;
    const auto start = Clock::now();
    auto said = start;
    size_t bytes = 0;
    int64_t done = 0;
    const std::pair<const Split*, Batches*> splits[] = {{&spec_.train, &train_rows_}, {&spec_.validation, &validation_rows_}};
    const int64_t total = spec_.train.rows + spec_.validation.rows;
    for (const auto& [split, rows] : splits) {
      const Batches stored(*split, frozen.program(), device_, spec_.channels_last);
      std::vector<at::Tensor> features(outputs.size());
      for (int64_t first = 0; first < split->rows; first += spec_.batch_size) {
        // Whoever asks for the end sees to it that nothing of this is used.
        if (control_.is_cancelled()) return;
        const int64_t count = std::min(spec_.batch_size, split->rows - first);
        const at::NoGradGuard no_grad;
        const AutocastGuard autocast(spec_.bf16, device_.type());
        const std::vector<at::Tensor> values = frozen.run(stored.take({}, first, count), weights_, false);
        for (size_t i = 0; i < values.size(); ++i) {
          if (values[i].dim() == 0 || values[i].size(0) != count) throw EngineError("PROGRAM_INVALID", "A value that is to be computed once for each row does not have a row for each.");
          if (!features[i].defined()) {
            std::vector<int64_t> shape = values[i].sizes().vec();
            shape[0] = split->rows;
            features[i] = at::empty(shape, at::TensorOptions(at::kFloat));
            bytes += features[i].nbytes();
          }
          features[i].narrow(0, first, count).copy_(values[i]);
        }
        done += count;
        if (ms_since(said) > 2000) {
          said = Clock::now();
          events_.log("info", "The frozen part has seen " + std::to_string(done) + " of " + std::to_string(total) + " rows.");
          events_.flush();
        }
      }
      for (size_t i = 0; i < outputs.size(); ++i) rows->fill(outputs[i].name, std::move(features[i]));
    }
    events_.log("info", "The frozen part saw each of " + std::to_string(total) + " rows once, in " + rounded(static_cast<double>(ms_since(start)) / 1000) + " s; what it said (" + print_bytes(static_cast<int64_t>(bytes)) + ") is kept for all epochs.");
    events_.flush();
  }

  /// Where averages are kept, a checkpoint has them under the weights' own names, and the weights that are trained under these.
  static std::string raw_name(const Weight& weight) { return "raw/" + weight.name; }

  std::vector<at::Tensor> raw_weights(const Safetensors& saved, std::vector<at::Tensor> values) const {
    for (size_t i = 0; i < values.size(); ++i) {
      const Weight& weight = spec_.program.weights[i];
      if (!weight.trainable) continue;
      const auto entry = saved.tensors.find(raw_name(weight));
      if (entry == saved.tensors.end() || entry->second.sizes() != values[i].sizes() || entry->second.scalar_type() != weight.dtype)
        throw EngineError("CHECKPOINT_CORRUPT", "The checkpoint has averaged weights, and \"" + raw_name(weight) + "\" is missing or has another shape.", weight.node);
      values[i] = entry->second;
    }
    return values;
  }

  /// Averages of what is trained; running statistics and the like are the network's own.
  void start_averages(const std::vector<at::Tensor>& placed) {
    const at::NoGradGuard no_grad;
    averaged_weights_ = weights_;
    for (size_t i = 0; i < weights_.size(); ++i)
      if (spec_.program.weights[i].trainable) averages_.push_back(averaged_weights_[i] = placed[i].clone());
  }

  /// As torch.optim.swa_utils.AveragedModel has it with get_ema_multi_avg_fn: the first step's weights begin the average.
  void average() {
    if (!spec_.ema_decay) return;
    const at::NoGradGuard no_grad;
    if (at_.step == 0) at::_foreach_copy_(averages_, parameters_);
    else at::_foreach_lerp_(averages_, parameters_, at::Scalar(1 - *spec_.ema_decay));
  }

  /// The weights that are evaluated, shown and exported.
  const std::vector<at::Tensor>& shown_weights() const { return spec_.ema_decay ? averaged_weights_ : weights_; }

  void announce() {
    events_.add("started", [&](JsonWriter& json) {
      json.key("stepsPerEpoch").value(steps_per_epoch_).key("totalSteps").value(total_steps_).key("firstStep").value(at_.step + 1).key("inEpoch").value(at_.in_epoch);
      json.key("device").value(device_.str()).key("parameterCount").value(parameter_count_);
    });
    events_.log("info", (at_.step > 0 ? "Resuming after step " + std::to_string(at_.step) : "Training " + std::to_string(parameter_count_) + " parameters") + " on " + device_.str() + " with " + std::to_string(at::get_num_threads()) + " threads.");
    events_.flush();
  }

  /// Takes the rest of the epoch's steps. @return false where the run was cancelled.
  bool train_epoch() {
    // Another epoch may let more weights learn.
    begin_part(part_);
    const at::Tensor order = order_of(at_.epoch);
    while (at_.in_epoch < steps_per_epoch_) {
      if (control_.is_cancelled()) return false;
      // Before the first step it was done already, when the rows were not in order yet.
      if (at_.in_epoch > 0) turn_knobs();
      step(order);
      flush_if_due();
      if (checkpoint_due()) checkpoint();
    }
    return true;
  }

  /// How the training rows are cut from here on. Only between two epochs.
  void plan(const TurnBatchSize& batch) {
    const int64_t rows = spec_.train.rows, batches = batch.drop_last ? rows / batch.batch_size : (rows + batch.batch_size - 1) / batch.batch_size;
    if (batches == 0) throw EngineError("DATA_MISMATCH", "The training split has " + std::to_string(rows) + " rows, fewer than one batch of " + std::to_string(batch.batch_size) + ". Lower the batch size, or keep the last short batch.");
    batch_size_ = batch.batch_size;
    batches_per_epoch_ = batches;
    steps_per_epoch_ = (batches + spec_.accumulate - 1) / spec_.accumulate;
    total_steps_ = at_.step - at_.in_epoch + steps_per_epoch_ * (spec_.epochs - at_.epoch);
  }

  /// Where the schedule stands, in steps as the run was ordered: where batches were turned, it is gone through by epochs.
  int64_t scheduled_step() const { return at_.epoch * ordered_steps_per_epoch_ + at_.in_epoch * ordered_steps_per_epoch_ / steps_per_epoch_; }

  double learning_rate() const {
    if (at_.turned && at_.turned->lr_held) return *at_.turned->lr_held;
    if (at_.plateau) return at_.plateau->lr;
    const double scheduled = spec_.lr_at(scheduled_step());
    return at_.turned ? at_.turned->lr_scale * scheduled : scheduled;
  }

  /// Makes the run what knobs had made of it when its checkpoint was written. Those that had taken hold by then are in it; at the
  /// very step of the checkpoint they may or may not be, and turning one twice is as once.
  void restore_turned() {
    std::erase_if(knobs_, [&](const Knob& knob) { return knob.step && *knob.step < at_.step; });
    if (!at_.turned) return;
    plan(at_.turned->batch.value_or(TurnBatchSize{spec_.batch_size, spec_.drop_last}));
    for (const TurnDropout& dropout : at_.turned->dropouts) train_step_.set_dropout(dropout.node, dropout.p);
  }

  /// Lets knobs take hold before the next step is taken: one with a step at that step, one without now. Batches are cut anew only
  /// where an epoch begins.
  void turn_knobs() {
    if (control_.has_knobs())
      for (Knob& knob : control_.take_knobs()) knobs_.push_back(std::move(knob));
    if (knobs_.empty()) return;
    bool repeats = false;
    for (const Knob& knob : std::exchange(knobs_, {})) {
      // What a person wants now comes after what the run has yet to repeat.
      const bool is_due = knob.step ? *knob.step == at_.step : !repeats, cuts = std::holds_alternative<TurnBatchSize>(knob.turn);
      if (!is_due || (cuts && at_.in_epoch != 0)) {
        repeats = repeats || knob.step;
        knobs_.push_back(knob);
        continue;
      }
      if (!at_.turned) at_.turned.emplace();
      const std::optional<double> before = std::visit([&](const auto& turn) { return apply(turn); }, knob.turn);
      events_.add("turned", [&](JsonWriter& json) {
        json.key("id").value(knob.id).key("step").value(at_.step).key("epoch").value(at_.epoch).key("before");
        if (before) json.value(*before);
        else json.null();
        json.key("stepsPerEpoch").value(steps_per_epoch_).key("totalSteps").value(total_steps_);
      });
    }
  }

  /// @return what was in force before, where that is one number.
  std::optional<double> apply(const TurnLr& turn) {
    const double before = learning_rate();
    // A schedule that stands at 0 has no proportion to go on in.
    const double scheduled = at_.plateau ? 1 : spec_.lr_at(scheduled_step());
    at_.turned->lr_held = turn.hold || scheduled <= 0 ? std::optional(turn.lr) : std::nullopt;
    if (at_.turned->lr_held) return before;
    if (at_.plateau) at_.plateau->lr = turn.lr;
    else at_.turned->lr_scale = turn.lr / scheduled;
    return before;
  }

  std::optional<double> apply(const TurnDropout& turn) {
    if (turn.node.empty()) at_.turned->dropouts.clear();
    std::erase_if(at_.turned->dropouts, [&](const TurnDropout& earlier) { return earlier.node == turn.node; });
    at_.turned->dropouts.push_back(turn);
    train_step_.set_dropout(turn.node, turn.p);
    return std::nullopt;
  }

  std::optional<double> apply(const TurnBatchSize& turn) {
    const auto before = static_cast<double>(batch_size_);
    at_.turned->batch = turn;
    plan(turn);
    return before;
  }

  at::Tensor order_of(int64_t epoch) const {
    if (spec_.one_batch) epoch = 0;
    if (!spec_.shuffle) return {};
    const at::Tensor& lengths = train_rows_.lengths();
    if (spec_.bucketing) return bucketed_rows(lengths.narrow(0, 0, spec_.train.rows), batch_size_, spec_.seed, epoch);
    at::Tensor order = shuffled_rows(spec_.train.rows, spec_.seed, epoch);
    // Lengths are looked up on the CPU.
    return device_.is_cuda() && !lengths.defined() ? order.to(device_) : order;
  }

  /// First row and row count of the micro-batches of one step.
  std::vector<std::pair<int64_t, int64_t>> micro_batches(int64_t step_in_epoch) const {
    std::vector<std::pair<int64_t, int64_t>> parts;
    const int64_t first = spec_.one_batch ? 0 : step_in_epoch * spec_.accumulate;
    for (int64_t batch = first; batch < std::min(first + spec_.accumulate, batches_per_epoch_); ++batch) {
      const int64_t row = batch * batch_size_;
      parts.emplace_back(row, std::min(batch_size_, spec_.train.rows - row));
    }
    return parts;
  }

  void step(const at::Tensor& order) {
    const auto parts = micro_batches(at_.in_epoch);
    int64_t rows = 0;
    for (const auto& part : parts) rows += part.second;

    const double lr = learning_rate();
    const auto begun = Clock::now();
    if (is_look_due()) look_.emplace(*spec_.looks, train_step_.program(), device_);
    std::vector<at::Tensor> sums;
    at::Tensor norm;
    // Further losses as they were when their own optimizer stepped.
    std::vector<std::pair<size_t, at::Tensor>> own;
    for (size_t i = 0; i < parts_.size(); ++i) {
      begin_part(i);
      Part& part = parts_[i];
      Optimizer& optimizer = *part.optimizer;
      sums = pass(order, parts, rows, true);
      if (i + 1 < parts_.size()) own.emplace_back(part.output, sums[part.output]);
      doing_ = "the optimizer's step";
      if (look_) look_->before_step(part.parameters);
      norm = clip_gradients();
      check_gradients(order, parts, rows);
      if (histograms_due()) note_gradients();
      if (optimizer.evaluates()) {
        optimizer.step(lr * part.lr_factor, read_scalar(sums[part.output]), [&] {
          drop_gradients();
          const at::AutoGradMode with_grad(true);
          const double loss = read_scalar(pass(order, parts, rows, !optimizer.searches())[part.output]);
          clip_gradients();
          return loss;
        });
      } else {
        optimizer.step(lr * part.lr_factor, diverged_.defined() ? std::optional<at::Tensor>(diverged_) : std::nullopt);
      }
      drop_gradients();
      if (look_) look_->after_step();
    }
    for (auto& [output, value] : own) sums[output] = std::move(value);
    average();

    ++at_.step;
    ++at_.in_epoch;
    window_rows_ += rows;
    ++window_steps_;
    for (size_t i = 0; i < sums.size(); ++i) note("train/" + train_step_.program().outputs[i].name, sums[i]);
    if (spec_.one_batch && device_.is_cpu()) note_one_batch(read_scalar(sums[0]));
    events_.point("lr", at_.step, lr);
    if (norm.defined()) note("grad_norm", norm);
    if (look_) tell_look(begun);
  }

  /// Soon after the beginning, so that there is something to see, and then as often as the order allows.
  bool is_look_due() const {
    if (!spec_.looks) return false;
    if (!looked_) return at_.in_epoch >= kFirstLook || spec_.looks->every_ms == 0 || steps_per_epoch_ <= kFirstLook;
    const double since = std::chrono::duration<double, std::milli>(Clock::now() - *looked_).count();
    const int64_t every = spec_.looks->every_ms == 0 ? 0 : std::max(spec_.looks->every_ms, elapsed_ms() / kLooksARun);
    return since >= static_cast<double>(every) && look_cost_ms_ <= spec_.looks->share * since;
  }

  void tell_look(Clock::time_point begun) {
    const double whole = std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
    // A device that is waited for after each operator loses what it would have done meanwhile.
    look_cost_ms_ = device_.is_cpu() ? look_->own_ms() : whole;
    events_.add("looked", [&](JsonWriter& json) {
      json.key("step").value(at_.step).key("stepMs").value(std::max(0.0, whole - look_->own_ms())).key("inputs").open('{');
      for (const auto& [name, sizes] : seen_sizes_) json.key(name).value(sizes);
      json.close('}');
      look_->write(json, node_of_);
    });
    looked_ = Clock::now();
    look_.reset();
  }

  /// Forward and backward over the rows of one step: the outputs, and gradients at the parameters.
  std::vector<at::Tensor> pass(const at::Tensor& order, const std::vector<std::pair<int64_t, int64_t>>& parts, int64_t rows, bool must_be_finite) {
    std::vector<at::Tensor> sums;
    random_before_.clear();
    for (const auto& [first, count] : parts) {
      doing_ = "cutting a batch out of the data";
      const std::vector<at::Tensor> inputs = train_rows_.take(order, first, count);
      keep_random(first);
      if (look_)
        for (size_t i = 0; i < inputs.size(); ++i)
          if (!Program::is_feature(learning_.inputs[i])) seen_sizes_[learning_.inputs[i].name] = inputs[i].sizes().vec();
      std::vector<at::Tensor> outputs = forward(inputs, look_ ? look_->observer() : nullptr);
      doing_ = "the training step";
      if (must_be_finite) check_loss(outputs[loss_at()], inputs, first);
      // Each micro-batch weighs as many rows as it has, so that the group's mean is the mean of all its rows.
      const double share = static_cast<double>(count) / static_cast<double>(rows);
      try {
        if (look_) look_->watch(outputs[loss_at()]);
        backward(outputs[loss_at()], share);
      } catch (...) {
        // What the pass held is let go: the next one needs as much.
        outputs.clear();
        find_failing_backward(inputs, first, share);
        rethrow_as_engine_error("the backward pass");
      }
      for (size_t i = 0; i < outputs.size(); ++i) {
        at::Tensor value = parts.size() == 1 ? outputs[i].detach() : outputs[i].detach() * share;
        if (sums.size() <= i) sums.push_back(std::move(value));
        else sums[i] = sums[i] + value;
      }
    }
    return sums;
  }

  std::vector<at::Tensor> forward(const std::vector<at::Tensor>& inputs, const Observer& observer = nullptr) {
    const AutocastGuard autocast(spec_.bf16, device_.type());
    std::vector<at::Tensor> outputs = train_step_.run(inputs, weights_, true, observer);
    const at::Tensor& loss = outputs[loss_at()];
    if (loss.numel() != 1) throw EngineError({"SHAPE_MISMATCH", "The loss must be one number but is " + print_shape(loss.sizes()) + ".", node_of_output(loss_name()), "", -1, {loss.sizes().vec()}});
    if (!loss.requires_grad()) throw EngineError("PROGRAM_INVALID", parts_.size() == 1 ? "The loss does not depend on any weight, so there is nothing to train." : "\"" + loss_name() + "\" does not depend on any weight that its optimizer has, so there is nothing to train.", node_of_output(loss_name()));
    return outputs;
  }

  static void backward(const at::Tensor& loss, double share) { loss.backward(share == 1 ? at::Tensor() : at::scalar_tensor(share, loss.options()).expand_as(loss)); }

  /// Keeps the random state in front of the micro-batch that begins at this row, where the program draws numbers.
  void keep_random(int64_t first_row) {
    if (spec_.program.has_random && device_.is_cpu()) random_before_[first_row] = at::globalContext().defaultGenerator(at::kCPU).get_state();
  }

  /// Lets the program draw again what it drew for that micro-batch.
  void restore_random(int64_t first_row) {
    const auto state = random_before_.find(first_row);
    if (state == random_before_.end()) return;
    at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
    generator.set_state(state->second);
  }

  void drop_gradients() {
    for (at::Tensor& parameter : parameters_) parameter.mutable_grad().reset();
  }

  /// A micro-batch's forward and backward once more, with a look at every operator.
  void trace_pass(FaultTrace& trace, const std::vector<at::Tensor>& inputs, int64_t first_row, double share) {
    restore_random(first_row);
    const std::vector<at::Tensor> outputs = forward(inputs, trace.observer());
    trace.watch(outputs[loss_at()]);
    backward(outputs[loss_at()], share);
  }

  /// Takes a pass that failed in its backward part again, and fails the run on the operator where it fails now.
  void find_failing_backward(const std::vector<at::Tensor>& inputs, int64_t first_row, double share) {
    if (spec_.accumulate == 1) drop_gradients();
    FaultTrace trace;
    try {
      trace_pass(trace, inputs, first_row, share);
    } catch (...) {
      if (trace.last_begun() != nullptr) throw EngineError(failure_at(*trace.last_begun(), "the backward of "));
    }
  }

  std::string node_of_output(const std::string& name) const {
    for (const Output& output : spec_.program.outputs)
      if (output.name == name)
        for (const Op& op : spec_.program.body.ops)
          if (std::find(op.out.begin(), op.out.end(), output.value) != op.out.end()) return op.node;
    return "";
  }

  /// On the CPU the loss is looked at before it does harm. On a GPU looking would wait for the device at every step:
  /// there a flag on the device keeps the optimizer from stepping any further, and is found when values are next read.
  void check_loss(const at::Tensor& loss, const std::vector<at::Tensor>& inputs, int64_t first_row) {
    if (diverged_.defined()) {
      diverged_ = at::maximum(diverged_, at::isfinite(loss.detach()).logical_not().to(at::kFloat).reshape({}));
      return;
    }
    const double value = read_scalar(loss.detach());
    if (std::isfinite(value)) return;
    drain();
    events_.point("train/loss", at_.step + 1, value);
    blame(inputs, first_row, at_.step + 1, value);
  }

  /// Runs a step's forward pass again, looking at every value, and fails the run on the node that made the first bad one.
  [[noreturn]] void blame(const std::vector<at::Tensor>& inputs, int64_t first_row, int64_t step, double loss) {
    const c10::InferenceMode inference;
    const auto is_bad = [](const at::Tensor& tensor) { return !all_finite({tensor}); };
    const auto is_mask = [](const Op& op) { return op.name.starts_with("aten::masked_fill") || op.name.starts_with("aten::where") || op.name.starts_with("aten::full"); };
    Failure failure{"RUN_NONFINITE", std::string("The loss became ") + (std::isnan(loss) ? "NaN" : "infinite") + " at step " + std::to_string(step) + ". ", "", "", step, {}};
    const auto fail = [&] { throw EngineError(std::move(failure)); };
    for (size_t i = 0; i < inputs.size(); ++i)
      if (is_bad(inputs[i])) {
        failure.node = learning_.inputs[i].node;
        failure.message += "The data of \"" + learning_.inputs[i].name + "\" hold values that are not finite; clean them.";
        fail();
      }
    for (size_t i = 0; i < weights_.size(); ++i)
      if (is_bad(weights_[i])) {
        failure.node = spec_.program.weights[i].node;
        failure.message += "The weight \"" + spec_.program.weights[i].name + "\" was no longer finite after the step before. Lower the learning rate or clip gradients.";
        fail();
      }
    restore_random(first_row);
    const AutocastGuard autocast(spec_.bf16, device_.type());
    train_step_.run(inputs, weights_, true, [&](const Op& op, const std::vector<at::Tensor>& arguments, const std::vector<at::Tensor>& results) {
      if (!failure.node.empty() || is_mask(op) || std::none_of(results.begin(), results.end(), is_bad) || std::any_of(arguments.begin(), arguments.end(), is_bad)) return;
      failure.node = op.node;
      failure.op = op.name;
      for (const at::Tensor& tensor : arguments)
        if (tensor.defined()) failure.shapes.push_back(tensor.sizes().vec());
    });
    failure.message += failure.node.empty() ? "No single operator could be found to blame." : failure.op + " at \"" + failure.node + "\" was the first to make a value that is not finite.";
    failure.message += " Lower the learning rate or clip gradients.";
    fail();
    std::abort();
  }

  /// The step that ends an epoch shows how its gradients are spread, the evaluation behind it weights and activations.
  bool histograms_due() const {
    const bool ends = at_.in_epoch + 1 >= steps_per_epoch_;
    return spec_.histograms && ends && (!histograms_taken_ || at_.epoch + 1 == spec_.epochs || ms_since(*histograms_taken_) >= kHistogramsEveryMs);
  }

  /// Of the parameters that the optimizer at hand steps.
  void note_gradients() {
    gradients_due_ = true;
    for (size_t i = 0; i < parameters_.size() && gradients_.size() < kMostHistograms; ++i)
      if (parameters_[i].grad().defined()) gradients_.push_back(histogram_of(parameters_[i].grad(), parameter_names_[i], parameter_nodes_[i]));
  }

  /// Says how weights, gradients and activations are spread as the epoch ends.
  void report_histograms(std::vector<Histogram> activations) {
    std::vector<Histogram> weights;
    for (size_t i = 0; i < std::min(parameters_.size(), kMostHistograms); ++i) weights.push_back(histogram_of(parameters_[i], parameter_names_[i], parameter_nodes_[i]));
    std::erase_if(gradients_, [](const Histogram& one) { return one.counts.empty(); });
    events_.add("histograms", [&](JsonWriter& json) {
      json.key("step").value(at_.step).key("epoch").value(at_.epoch + 1);
      write_histograms(json.key("weights"), weights);
      write_histograms(json.key("gradients"), gradients_);
      write_histograms(json.key("activations"), activations);
    });
    gradients_.clear();
    gradients_due_ = false;
    histograms_taken_ = Clock::now();
  }

  /// A loss may be finite where its gradients are not, as at sqrt(0). They are looked at before the optimizer takes them; on a
  /// GPU by the flag that keeps it from stepping.
  void check_gradients(const at::Tensor& order, const std::vector<std::pair<int64_t, int64_t>>& parts, int64_t rows) {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& parameter : parameters_)
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    if (diverged_.defined()) {
      if (!one_.defined()) one_ = at::ones({}, diverged_.options());
      at::_amp_foreach_non_finite_check_and_unscale_(gradients, diverged_, one_);
      // How many steps ago it began, which tells the first of them when it is read.
      diverged_steps_ = diverged_steps_.defined() ? diverged_steps_ + diverged_ : diverged_.clone();
    } else if (!all_finite(gradients)) {
      drain();
      blame_gradients(order, parts, rows, at_.step + 1);
    }
  }

  /// Takes a step's backward passes again, and fails the run on the operator that made the first gradient that is not finite.
  [[noreturn]] void blame_gradients(const at::Tensor& order, const std::vector<std::pair<int64_t, int64_t>>& parts, int64_t rows, int64_t step) {
    Failure failure{"RUN_NONFINITE", "The loss is finite at step " + std::to_string(step) + ", but its gradient is not. ", "", "", step, {}};
    for (size_t i = 0; i < parameters_.size() && failure.node.empty(); ++i)
      if (!all_finite({parameters_[i].grad()})) failure.node = parameter_nodes_[i];
    for (const auto& [first, count] : parts) {
      drop_gradients();
      FaultTrace trace;
      const at::AutoGradMode with_grad(true);
      trace_pass(trace, train_rows_.take(order, first, count), first, static_cast<double>(count) / static_cast<double>(rows));
      if (trace.first_bad() == nullptr) continue;
      failure.node = trace.first_bad()->node;
      failure.op = trace.first_bad()->name;
      failure.shapes = trace.shapes();
      break;
    }
    failure.message += failure.op.empty() ? "No single operator could be found to blame." : "The backward of " + failure.op + " at \"" + failure.node + "\" was the first to make a value that is not finite.";
    failure.message += " A root, a logarithm or a division at 0 can be why: add a small number there. Or lower the learning rate.";
    throw EngineError(std::move(failure));
  }

  /// @return the norm of all gradients before clipping, where it was taken.
  at::Tensor clip_gradients() {
    const at::NoGradGuard no_grad;
    const bool clip_norm = spec_.grad_clip && spec_.grad_clip->by_norm;
    const bool wants_norm = clip_norm || at_.step % kNormEverySteps == 0;
    if (!wants_norm && !spec_.grad_clip) return {};
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& parameter : parameters_)
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

  /// Notes a value of the step just done. GPU values are kept as they are and read together later.
  void note(const std::string& key, const at::Tensor& value) {
    if (device_.is_cpu()) events_.point(key, at_.step, read_scalar(value));
    else pending_.push_back({key, at_.step, value.to(at::kFloat).reshape({})});
  }

  void note_one_batch(double loss) {
    if (!at_.one_batch) at_.one_batch = OneBatchState{loss, loss};
    at_.one_batch->lowest = std::min(at_.one_batch->lowest, loss);
  }

  /// Reads the values still on the device, in one transfer.
  void drain() {
    if (pending_.empty()) return;
    std::vector<at::Tensor> values;
    values.reserve(pending_.size());
    for (const Pending& one : pending_) values.push_back(one.value);
    const at::Tensor read = at::stack(values).to(at::kCPU);
    const float* numbers = read.const_data_ptr<float>();
    const std::vector<Pending> pending = std::move(pending_);
    pending_.clear();
    for (size_t i = 0; i < pending.size(); ++i) {
      events_.point(pending[i].key, pending[i].step, numbers[i]);
      if (spec_.one_batch && pending[i].key == "train/loss") note_one_batch(numbers[i]);
      if (pending[i].key == "train/loss" && !std::isfinite(numbers[i])) blame_past(pending[i].step, numbers[i]);
    }
    if (diverged_.defined() && diverged_.item<float>() != 0) blame_gradients_past();
  }

  /// The same for gradients: their losses were finite.
  [[noreturn]] void blame_gradients_past() {
    const int64_t step = at_.step + 1 - diverged_steps_.item().toLong();
    const auto parts = micro_batches(step - 1 - (at_.step - at_.in_epoch));
    int64_t rows = 0;
    for (const auto& part : parts) rows += part.second;
    blame_gradients(order_of(at_.epoch), parts, rows, step);
  }

  /// The weights are still those of the bad step, because the optimizer has not stepped since; its batch is cut anew.
  void blame_past(int64_t step, double loss) {
    // Values are read before an epoch is closed, so the step is one of the epoch under way.
    const auto parts = micro_batches(step - 1 - (at_.step - at_.in_epoch));
    blame(train_rows_.take(order_of(at_.epoch), parts.back().first, parts.back().second), parts.back().first, step, loss);
  }

  /// Reads what the device still holds, measures the speed and hands the events on.
  void flush() {
    drain();
    if (window_steps_ > 0) {
      const double seconds = std::chrono::duration<double>(Clock::now() - window_start_).count();
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

  void flush_if_due() {
    if (events_.is_due()) flush();
  }

  /// Runs what is not training, and keeps its time out of the measured speed.
  template <typename F>
  auto outside_window(const F& f) {
    const auto start = Clock::now();
    const auto result = f();
    window_start_ += Clock::now() - start;
    return result;
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

  /// Evaluates, closes the epoch and keeps it. @return false where the run was cancelled before the evaluation was done.
  bool finish_epoch() {
    drain();
    check_weights();
    if (!outside_window([&] { return evaluate(); })) return false;
    ++at_.epoch;
    at_.in_epoch = 0;
    if (at_.plateau && step_plateau(*spec_.plateau, *at_.plateau, validation_loss_))
      events_.log("info", "The validation loss has stopped falling: the learning rate goes down to " + rounded(at_.plateau->lr) + ".");
    if (spec_.early_stopping) judge_epoch(*spec_.early_stopping, *at_.early_stopping);
    if (at_.one_batch && at_.epoch == spec_.epochs) judge_one_batch(*at_.one_batch);
    if (!spec_.checkpoint_folder.empty()) checkpoint();
    flush_if_due();
    return true;
  }

  bool has_stopped_early() const { return spec_.early_stopping && at_.early_stopping->is_over(*spec_.early_stopping); }

  /// Says that the run ends here, where it does. Comes before the epoch's checkpoint: a run that goes on from that has said it already.
  void judge_epoch(const EarlyStopping& options, EarlyStoppingState& state) {
    step_early_stopping(options, state, at_.epoch, watched_);
    if (!state.is_over(options) || at_.epoch == spec_.epochs) return;
    const std::string epochs = std::to_string(options.patience) + (options.patience == 1 ? " epoch" : " epochs");
    const std::string best = state.best ? "was best in epoch " + std::to_string(state.best_epoch) + ", " + rounded(*state.best) + ", and has not become better" : std::string("was no finite number");
    const std::string message = "Stopped early after epoch " + std::to_string(at_.epoch) + " of " + std::to_string(spec_.epochs) + ": validation " + options.output + " " + best + " for " + epochs + ".";
    events_.add("stopped", [&](JsonWriter& json) { json.key("step").value(at_.step).key("epoch").value(at_.epoch).key("bestEpoch").value(state.best_epoch).key("message").value(message); });
    events_.log("info", message);
  }

  bool evaluate() {
    const auto start = Clock::now();
    doing_ = "the evaluation";
    const c10::InferenceMode inference;
    const AutocastGuard autocast(spec_.bf16, device_.type());
    const std::vector<Output>& outputs = evaluate_.program().outputs;
    std::vector<double> means(outputs.size(), 0);
    std::vector<at::Tensor> sums(outputs.size());
    std::optional<ActivationHistograms> activations;
    if (gradients_due_) activations.emplace(evaluate_.program(), kMostHistograms);
    for (int64_t first = 0; first < validation_rows_.rows(); first += spec_.batch_size) {
      if (control_.is_cancelled()) return false;
      const int64_t count = std::min(spec_.batch_size, validation_rows_.rows() - first);
      const std::vector<at::Tensor> values = evaluate_.run(validation_rows_.take({}, first, count), shown_weights(), false, activations && first == 0 ? activations->observer() : nullptr);
      for (size_t i = 0; i < outputs.size(); ++i) {
        if (is_sum(outputs[i].name)) {
          const at::Tensor value = values[i].to(at::kDouble);
          sums[i] = sums[i].defined() ? sums[i] + value : value;
        } else {
          means[i] += read_scalar(values[i]) * static_cast<double>(count);
        }
      }
    }
    const auto samples = predict_samples();
    std::optional<std::vector<int64_t>> text;
    if (writes_text() && !(text = write_text())) return false;
    validation_loss_ = means[0] / static_cast<double>(validation_rows_.rows());
    for (size_t i = 0; i < outputs.size(); ++i)
      if (spec_.early_stopping && outputs[i].name == spec_.early_stopping->output) watched_ = means[i] / static_cast<double>(validation_rows_.rows());
    evaluation_ms_ = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    std::string sentence;
    events_.add("evaluated", [&](JsonWriter& json) {
      json.key("step").value(at_.step).key("epoch").value(at_.epoch + 1).key("values").open('{');
      for (size_t i = 0; i < outputs.size(); ++i) {
        if (sums[i].defined()) continue;
        const double mean = means[i] / static_cast<double>(validation_rows_.rows());
        json.key(outputs[i].name).value(mean);
        sentence += (sentence.empty() ? "" : ", ") + outputs[i].name + " " + rounded(mean);
      }
      json.close('}').key("tensors").open('{');
      for (size_t i = 0; i < outputs.size(); ++i) {
        if (!sums[i].defined()) continue;
        const at::Tensor sum = sums[i].to(at::kCPU).contiguous();
        const double* data = sum.const_data_ptr<double>();
        json.key(outputs[i].name).open('{').key("shape").value(sum.sizes().vec()).key("data").value(std::vector<double>(data, data + sum.numel())).close('}');
      }
      json.close('}').key("samples").open('{');
      for (const auto& [name, rows] : samples) {
        json.key(name).open('[');
        for (const auto& row : rows) json.value(row);
        json.close(']');
      }
      json.close('}');
    });
    if (activations) report_histograms(activations->take());
    if (text) events_.add("generated", [&](JsonWriter& json) { json.key("step").value(at_.step).key("epoch").value(at_.epoch + 1).key("tokens").value(*text); });
    events_.log("info", "Epoch " + std::to_string(at_.epoch + 1) + " of " + std::to_string(spec_.epochs) + ": validation " + sentence + ".");
    return true;
  }

  bool writes_text() const {
    const int64_t epoch = at_.epoch + 1;
    return spec_.generate && (epoch == 1 || epoch == spec_.epochs || epoch % spec_.generate->every_epochs == 0);
  }

  /// Text from the weights as they are, the same whenever this epoch comes; what training draws after it stays what it would be.
  std::optional<std::vector<int64_t>> write_text() {
    at::Generator training = at::globalContext().defaultGenerator(at::kCPU);
    const at::Tensor state = training.get_state();
    const auto text = tensorloom::write_text(predict_, shown_weights(), *spec_.generate, device_, make_generator(spec_.seed + static_cast<uint64_t>(at_.epoch + 1) * 0x9e3779b97f4a7c15), [&] { return control_.is_cancelled(); });
    training.set_state(state);
    return text;
  }

  bool is_sum(const std::string& output) const {
    return std::any_of(spec_.metrics.begin(), spec_.metrics.end(), [&](const Metric& metric) { return metric.output == output && metric.sums; });
  }

  using Table = std::vector<std::vector<double>>;

  /// What the network says of the sample rows, and of those that are points of a map, row by row, by output.
  std::vector<std::pair<std::string, Table>> predict_samples() {
    std::vector<std::pair<std::string, Table>> samples;
    const auto count = static_cast<int64_t>(spec_.sample_rows.size());
    if (count > 0) {
      const std::vector<at::Tensor> values = predict_.run(validation_rows_.take(at::tensor(spec_.sample_rows), 0, count), shown_weights(), false);
      for (size_t i = 0; i < values.size(); ++i) {
        Table rows;
        // An output that is not one row a sample has nothing to say about samples.
        if (append_rows(rows, values[i], count)) samples.emplace_back(predict_.program().outputs[i].name, std::move(rows));
      }
    }
    if (place_) {
      const at::Tensor order = at::tensor(spec_.points->rows);
      Table rows;
      for (int64_t first = 0; first < order.size(0); first += spec_.batch_size) {
        const int64_t part = std::min(spec_.batch_size, order.size(0) - first);
        append_rows(rows, place_->run(validation_rows_.take(order, first, part), shown_weights(), false)[0], part);
      }
      samples.emplace_back(spec_.points->output, std::move(rows));
    }
    if (lattice_) {
      const int64_t side = spec_.lattice->side, count = side * side;
      std::vector<at::Tensor> inputs = validation_rows_.take(at::zeros({count}, at::kLong), 0, count);
      const at::Tensor across = at::linspace(spec_.lattice->low[0], spec_.lattice->high[0], side, at::kFloat);
      const at::Tensor down = at::linspace(spec_.lattice->low[1], spec_.lattice->high[1], side, at::kFloat);
      const at::Tensor places = at::stack({across.repeat({side}), down.repeat_interleave(side)}, 1).to(device_);
      for (size_t i = 0; i < inputs.size(); ++i)
        if (spec_.program.inputs[i].name == spec_.lattice->input) inputs[i] = places;
      Table rows;
      append_rows(rows, lattice_->run(inputs, shown_weights(), false)[0], count);
      samples.emplace_back("lattice", std::move(rows));
    }
    return samples;
  }

  static bool append_rows(Table& rows, const at::Tensor& value, int64_t count) {
    if (value.dim() == 0 || value.size(0) != count) return false;
    const at::Tensor table = value.to(at::kCPU, at::kDouble).reshape({count, -1}).contiguous();
    for (int64_t row = 0; row < count; ++row) {
      const double* data = table.const_data_ptr<double>() + row * table.size(1);
      rows.emplace_back(data, data + table.size(1));
    }
    return true;
  }

  bool checkpoint_due() const {
    // The epoch's own checkpoint is about to come.
    if (spec_.checkpoint_folder.empty() || spec_.checkpoint_every_ms == 0 || at_.in_epoch == steps_per_epoch_) return false;
    return ms_since(checkpointed_) >= spec_.checkpoint_every_ms;
  }

  /// Weights that a step has made infinite are found by the next one's loss. What is evaluated or saved before that is looked at here.
  void check_weights() {
    for (size_t i = 0; i < parameters_.size(); ++i)
      if (!all_finite({parameters_[i]}))
        throw EngineError({"RUN_NONFINITE", "A weight at \"" + parameter_nodes_[i] + "\" is no longer finite after step " + std::to_string(at_.step) + ". Lower the learning rate or clip gradients.", parameter_nodes_[i], "", at_.step, {parameters_[i].sizes().vec()}});
  }

  void checkpoint() {
    drain();
    check_weights();
    doing_ = "writing a checkpoint";
    if (diverged_.defined() && diverged_.item<float>() != 0) throw EngineError("INTERNAL", "A run that is no longer finite must not be saved.");
    at_.elapsed_ms = elapsed_ms();
    const std::string path = spec_.checkpoint_folder + "/step-" + std::to_string(at_.step) + ".safetensors";
    NamedTensors state;
    for (const Part& part : parts_)
      for (auto& entry : part.optimizer->state()) state.push_back(std::move(entry));
    if (spec_.ema_decay)
      for (size_t i = 0; i < weights_.size(); ++i)
        if (spec_.program.weights[i].trainable) state.emplace_back(raw_name(spec_.program.weights[i]), weights_[i].detach());
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
  Interpreter train_step_, evaluate_, predict_;
  /// Gives the output of `spec_.points`, and of `spec_.lattice`.
  std::optional<Interpreter> place_, lattice_;
  /// Batches as they are cut in the epoch under way, and how many steps an epoch had as the run was ordered.
  int64_t batch_size_ = 0, batches_per_epoch_ = 0, steps_per_epoch_ = 0, total_steps_ = 0, ordered_steps_per_epoch_ = 0;
  /// Knobs that have not taken hold yet.
  std::vector<Knob> knobs_;

  std::vector<at::Tensor> weights_;
  std::vector<at::Tensor> parameters_;
  std::vector<std::string> parameter_nodes_, parameter_names_;
  /// How the gradients of the epoch's last step are spread, where they were looked at, and when that was last.
  std::vector<Histogram> gradients_;
  bool gradients_due_ = false;
  std::optional<Clock::time_point> histograms_taken_;
  /// Averages over the steps of `parameters_`, and all weights with those in their places; empty where none are kept.
  std::vector<at::Tensor> averages_, averaged_weights_;
  int64_t parameter_count_ = 0;
  /// An optimizer, the weights that it has, and which output of a step it makes small.
  struct Part {
    size_t output;
    double lr_factor; ///< Of the run's learning rate.
    std::vector<at::Tensor> parameters;
    std::vector<int64_t> from_epochs; ///< From which each of them learns.
    std::unique_ptr<Optimizer> optimizer;
  };
  /// In the order in which they take their turns; the main one is the last.
  std::vector<Part> parts_;
  size_t part_ = 0;
  Position at_;
  bool started_ = false;
  /// What is going on outside of operators, for the sentence that says where it failed.
  const char* doing_ = "getting ready: the weights, and what the optimizer keeps of each,";
  /// The CPU generator as it was before each micro-batch of a step, by its first row, where the program draws numbers.
  std::map<int64_t, at::Tensor> random_before_;
  /// 1 on the GPU from the first step whose loss was not finite; undefined elsewhere.
  at::Tensor diverged_;
  /// For how many steps it has been so, and the number 1 beside it.
  at::Tensor diverged_steps_, one_;
  std::vector<Pending> pending_;
  /// While a step is looked at; when and at what cost that was last done, and how large its inputs were.
  std::optional<Look> look_;
  std::optional<Clock::time_point> looked_;
  double look_cost_ms_ = 0;
  std::map<std::string, std::vector<int64_t>> seen_sizes_;
  std::map<const void*, std::string> node_of_;

  Clock::time_point begun_ = Clock::now(), window_start_ = Clock::now(), checkpointed_ = Clock::now();
  int64_t elapsed_before_ms_ = 0, window_rows_ = 0, window_steps_ = 0;
  double steps_per_second_ = 0;
  /// What the last evaluation found; `loss` is its first output.
  double validation_loss_ = 0;
  double evaluation_ms_ = 0;
  /// The value that early stopping looks at, of the same evaluation.
  double watched_ = 0;
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
  const MemoryLimit limit(spec.cuda ? 0 : spec.memory_limit_bytes);
  reset_peak();
  return Trainer(std::move(spec), on_events, control).run();
}

} // namespace tensorloom
