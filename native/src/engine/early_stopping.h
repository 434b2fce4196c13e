#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tensorloom {

/// When a run ends before its last epoch: once this many epochs in a row have not bettered the best by more than `min_delta`.
struct EarlyStopping {
  std::string output; ///< "loss", or a metric that is a mean.
  bool higher_is_better;
  int64_t patience;
  double min_delta;
};

/// What early stopping remembers between two epochs.
struct EarlyStoppingState {
  std::optional<double> best; ///< None before the first evaluation that is a number.
  int64_t best_epoch = 0;
  int64_t bad_epochs = 0;

  bool is_over(const EarlyStopping& options) const { return bad_epochs >= options.patience; }
};

/// Takes in the evaluation that closed an epoch, counted from 1. A value that is not finite betters nothing.
void step_early_stopping(const EarlyStopping& options, EarlyStoppingState& state, int64_t epoch, double value);

} // namespace tensorloom
