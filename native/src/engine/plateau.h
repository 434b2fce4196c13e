#pragma once

#include <cstdint>
#include <limits>

namespace tensorloom {

/// How the learning rate falls when the validation loss does not.
struct PlateauOptions {
  double factor;
  int64_t patience;
  double threshold;
  bool relative; ///< The threshold is a share of the best loss.
  int64_t cooldown;
  double min_lr, eps;
};

/// What torch.optim.lr_scheduler.ReduceLROnPlateau remembers between two epochs.
struct PlateauState {
  double lr;
  double best = std::numeric_limits<double>::infinity();
  int64_t bad_epochs = 0;
  int64_t cooling = 0;
};

/// One epoch of ReduceLROnPlateau, mode "min". @return whether the learning rate fell.
bool step_plateau(const PlateauOptions& options, PlateauState& state, double loss);

} // namespace tensorloom
