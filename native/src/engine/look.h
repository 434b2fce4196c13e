#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backward_trace.h"
#include "clock.h"
#include "events.h"
#include "interpreter.h"
#include "json.h"

namespace tensorloom {

/// When a run looks at its nodes, and at which of them it counts units that never speak.
struct LookOptions {
  int64_t every_ms; ///< At most so often, and ever more rarely as the run grows old; 0: at every step that `share` allows.
  double share;     ///< Of the time since the last look, which that look may have cost at most.
  std::map<std::string, int64_t> rectified; ///< Nodes that set numbers to 0, and the axis of their units.

  static LookOptions read(const JsonPlace& place);
};

/// One training step with a look at every node: how long its operators took, how large the gradients at its weights were and how
/// far these moved, and which of its units were 0 for the whole batch. It changes no number of the step.
class Look final : public BackwardTrace {
 public:
  Look(const LookOptions& options, const Program& program, at::Device device);

  /// Of one forward pass, of which a step may have several.
  Observer observer();
  /// When the gradients of a step are there, and before the optimizer uses them.
  void before_step(const std::vector<at::Tensor>& parameters);
  void after_step();
  /// Writes the fields of an event into an open object; `node_of` names the node of a parameter.
  void write(JsonWriter& json, const std::map<const void*, std::string>& node_of);
  /// What looking itself took.
  double own_ms() const { return own_ms_; }

  void begin(const Op* op) override;
  void end(const Op* op, const std::vector<at::Tensor>& given, const std::vector<at::Tensor>& made) override;

 private:
  struct Spent {
    double forward_ms = 0, backward_ms = 0;
  };
  Clock::time_point now() const;
  void see_units(const std::string& node, int64_t axis, const at::Tensor& value);

  const LookOptions& options_;
  at::Device device_;
  /// The last operator of each node in `rectified`, which makes what the node gives.
  std::unordered_map<const Op*, int64_t> rectifying_;
  std::map<std::string, Spent> spent_;
  /// Which units of a node were not always 0.
  std::map<std::string, std::vector<bool>> alive_;
  std::vector<at::Tensor> parameters_, gradient_norms_, before_, weight_norms_, update_norms_;
  size_t stepping_ = 0;
  Clock::time_point mark_;
  double own_ms_ = 0;
};

/// Decides which steps of a run are looked at, and tells what was seen.
class Looks {
 public:
  /// Looks at none where there are no options.
  Looks(const std::optional<LookOptions>& options, const Program& program, at::Device device) : options_(options), program_(program), device_(device) {}

  /// Begins to look where it is time: soon after the beginning, so that there is something to see, and then as often as the options allow.
  /// `in_epoch`: steps done of the `steps_per_epoch`; `elapsed_ms`: the age of the run.
  void begin(int64_t in_epoch, int64_t steps_per_epoch, int64_t elapsed_ms);
  /// While a step is looked at.
  Look* current() { return look_ ? &*look_ : nullptr; }
  /// Tells of the step that is done. `whole_ms`: what it took; `sizes`: of the program's inputs; `node_of` names the node of a parameter.
  void end(int64_t step, double whole_ms, const std::map<std::string, std::vector<int64_t>>& sizes, const std::map<const void*, std::string>& node_of, EventLog& events);

 private:
  bool is_due(int64_t in_epoch, int64_t steps_per_epoch, int64_t elapsed_ms) const;

  const std::optional<LookOptions>& options_;
  const Program& program_;
  at::Device device_;
  std::optional<Look> look_;
  /// When that was last done, and at what cost.
  std::optional<Clock::time_point> looked_;
  double cost_ms_ = 0;
};

} // namespace tensorloom
