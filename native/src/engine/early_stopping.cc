#include "early_stopping.h"

#include <cmath>

namespace tensorloom {

void step_early_stopping(const EarlyStopping& options, EarlyStoppingState& state, int64_t epoch, double value) {
  const double gain = !state.best ? 0 : options.higher_is_better ? value - *state.best : *state.best - value;
  if (std::isfinite(value) && (!state.best || gain > options.min_delta)) {
    state.best = value;
    state.best_epoch = epoch;
    state.bad_epochs = 0;
  } else {
    ++state.bad_epochs;
  }
}

} // namespace tensorloom
