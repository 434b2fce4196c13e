#include "control.h"

#include <utility>

namespace tensorloom {

void Control::turn(std::string_view knobs_json) {
  const Json json = Json::parse(knobs_json, "PROGRAM_INVALID");
  std::vector<Knob> knobs = read_knobs(JsonPlace(json, "knobs", "PROGRAM_INVALID"));
  const std::lock_guard<std::mutex> lock(mutex_);
  for (Knob& knob : knobs) knobs_.push_back(std::move(knob));
  has_knobs_ = !knobs_.empty();
}

std::vector<Knob> Control::take_knobs() {
  const std::lock_guard<std::mutex> lock(mutex_);
  has_knobs_ = false;
  return std::exchange(knobs_, {});
}

} // namespace tensorloom
