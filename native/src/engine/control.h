#pragma once

#include <atomic>
#include <mutex>
#include <string_view>
#include <vector>

#include "knobs.h"

namespace tensorloom {

/// What those outside may ask of a training under way, from any thread. It answers between two steps.
class Control {
 public:
  void cancel() { cancelled_ = true; }
  bool is_cancelled() const { return cancelled_; }

  /// Hands over a JSON array of knobs. @throws EngineError PROGRAM_INVALID where they are none.
  void turn(std::string_view knobs_json);
  bool has_knobs() const { return has_knobs_; }
  std::vector<Knob> take_knobs();

 private:
  std::atomic<bool> cancelled_{false}, has_knobs_{false};
  std::mutex mutex_;
  std::vector<Knob> knobs_;
};

} // namespace tensorloom
