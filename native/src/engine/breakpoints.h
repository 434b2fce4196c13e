#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "events.h"
#include "json.h"
#include "program.h"

namespace tensorloom {

/// A place at which a run pauses once a figure of what flows there comes to lie beyond a limit. The counterpart of
/// core/training/breakpoints.ts.
struct Breakpoint {
  enum class Figure { NotFinite, MaxAbs, Max, Min, Mean, Std };

  std::string output; ///< Of the program: mean, std, min, max and the count of numbers that are not finite, float32 [5].
  std::string node;
  Figure figure;
  bool above; ///< On which side of the limit the run pauses; NaN lies on either.
  double limit;
};

/// @throws EngineError PROGRAM_INVALID
std::vector<Breakpoint> read_breakpoints(const JsonPlace& place, const Program& program);

/// Watches the breakpoints of a run. One that holds pauses the run once, and again only where it has ceased to hold meanwhile.
class Breakpoints {
 public:
  /// `outputs` are what a step gives.
  Breakpoints(std::vector<Breakpoint> breakpoints, const std::vector<Output>& outputs);

  bool is_empty() const { return places_.empty(); }
  bool owns(size_t output) const;

  /// Notes what a pass of this step, 1-based, gave. Reads nothing.
  void note(int64_t step, const std::vector<at::Tensor>& outputs);
  /// Reads what was noted, and says in an event of each breakpoint that begins to hold.
  void judge(EventLog& events);

  /// Whether one began to hold since this was last asked.
  bool take_hit() { return std::exchange(hit_, false); }

  /// The nodes whose breakpoints hold, to be kept with a checkpoint.
  const std::set<std::string>& holding() const { return holding_; }
  void restore(std::set<std::string> holding) { holding_ = std::move(holding); }

 private:
  struct Place {
    Breakpoint breakpoint;
    size_t output;
  };
  struct Noted {
    int64_t step;
    size_t place;
    at::Tensor figures;
  };

  std::vector<Place> places_;
  std::vector<Noted> noted_;
  std::set<std::string> holding_;
  bool hit_ = false;
};

} // namespace tensorloom
