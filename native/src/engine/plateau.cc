#include "plateau.h"

#include <algorithm>

namespace tensorloom {

bool step_plateau(const PlateauOptions& options, PlateauState& state, double loss) {
  const double wanted = options.relative ? state.best * (1 - options.threshold) : state.best - options.threshold;
  if (loss < wanted) {
    state.best = loss;
    state.bad_epochs = 0;
  } else {
    ++state.bad_epochs;
  }
  if (state.cooling > 0) {
    --state.cooling;
    state.bad_epochs = 0;
  }
  if (state.bad_epochs <= options.patience) return false;
  state.cooling = options.cooldown;
  state.bad_epochs = 0;
  const double lower = std::max(state.lr * options.factor, options.min_lr);
  if (state.lr - lower <= options.eps) return false;
  state.lr = lower;
  return true;
}

} // namespace tensorloom
