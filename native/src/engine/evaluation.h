#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batches.h"
#include "control.h"
#include "events.h"
#include "histograms.h"
#include "interpreter.h"
#include "spec.h"

namespace tensorloom {

/// What training goes by of an evaluation; the rest is in its events.
struct Evaluated {
  double loss;
  double watched; ///< What early stopping looks at.
  double ms;
  std::vector<Histogram> activations; ///< Where they were asked for.
};

/// What a network says of the rows that it does not learn from, and how good that is.
class Evaluation {
 public:
  /// `program` is what is run at every step, `rows` are the validation split's.
  Evaluation(const TrainSpec& spec, const Program& program, const Batches& rows, at::Device device);

  /// Tells all in events, as of this step and epoch (the first is 1). Random numbers that training draws stay what they would be.
  /// @return nothing where the run was cancelled meanwhile.
  std::optional<Evaluated> run(const std::vector<at::Tensor>& weights, int64_t step, int64_t epoch, bool with_activations, const Control& control, EventLog& events);

 private:
  using Table = std::vector<std::vector<double>>;

  bool is_sum(const std::string& output) const;
  std::vector<std::pair<std::string, Table>> predict_samples(const std::vector<at::Tensor>& weights);
  bool writes_text(int64_t epoch) const;
  std::optional<std::vector<int64_t>> write_text(const std::vector<at::Tensor>& weights, int64_t epoch, const Control& control);

  const TrainSpec& spec_;
  const Batches& rows_;
  at::Device device_;
  Interpreter evaluate_, predict_;
  /// Gives the output of `spec.points`, and of `spec.lattice`.
  std::optional<Interpreter> place_, lattice_;
};

/// What a step of training gives (`training`), or an evaluation: the loss, metrics, and the figures of breakpoints.
std::vector<std::string> output_names(const TrainSpec& spec, bool training);

} // namespace tensorloom
