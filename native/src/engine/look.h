#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backward_trace.h"
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
  using Clock = std::chrono::steady_clock;
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

} // namespace tensorloom
