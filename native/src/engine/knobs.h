#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "json.h"

namespace tensorloom {

/// Another learning rate. `hold` leaves the schedule; without it the schedule goes on from there in proportion.
struct TurnLr {
  double lr;
  bool hold;
};
/// Another share to switch off: at one node and what is inside it, or wherever there is dropout.
struct TurnDropout {
  double p;
  std::string node; ///< Empty: everywhere.
};
struct TurnBatchSize {
  int64_t batch_size;
  bool drop_last;
};

/// A setting changed while a run goes. The counterpart of core/training/knobs.ts.
struct Knob {
  std::string id;
  /// After how many steps it takes hold: it is in force from the next one on. None: as soon as may be.
  std::optional<int64_t> step;
  std::variant<TurnLr, TurnDropout, TurnBatchSize> turn;
};

std::vector<Knob> read_knobs(const JsonPlace& place);

/// What knobs have made of a run's settings; part of every checkpoint.
struct Turned {
  std::optional<TurnBatchSize> batch;
  double lr_scale = 1; ///< Of the schedule's rates.
  std::optional<double> lr_held;
  /// Shares by node in the order they were turned; a later one outweighs an earlier one.
  std::vector<TurnDropout> dropouts;

  void write(JsonWriter& json) const;
  static Turned read(const JsonPlace& place);
};

} // namespace tensorloom
