#include "breakpoints.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "error.h"

namespace tensorloom {
namespace {

constexpr std::array kFigures{"not_finite", "max_abs", "max", "min", "mean", "std"};

struct Figures {
  double mean, std, min, max, not_finite;
};

Figures read(const at::Tensor& tensor) {
  const at::Tensor here = tensor.to(at::kCPU, at::kDouble).contiguous();
  if (here.numel() != 5) throw EngineError("PROGRAM_INVALID", "A breakpoint's output has five figures, and this one has " + std::to_string(here.numel()) + ".");
  const double* numbers = here.const_data_ptr<double>();
  return {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]};
}

double pick(const Figures& figures, Breakpoint::Figure figure) {
  switch (figure) {
    case Breakpoint::Figure::NotFinite: return figures.not_finite;
    case Breakpoint::Figure::MaxAbs: return std::isnan(figures.min) ? figures.min : std::max(std::abs(figures.min), std::abs(figures.max));
    case Breakpoint::Figure::Max: return figures.max;
    case Breakpoint::Figure::Min: return figures.min;
    case Breakpoint::Figure::Mean: return figures.mean;
    case Breakpoint::Figure::Std: return figures.std;
  }
  return figures.not_finite;
}

} // namespace

std::vector<Breakpoint> read_breakpoints(const JsonPlace& place, const Program& program) {
  std::vector<Breakpoint> breakpoints;
  for (size_t i = 0; i < place.size(256); ++i) {
    const JsonPlace item = place.at(i).fields({"output", "node", "figure", "side", "limit"});
    const std::string& output = item.at("output").text();
    if (!program.has_output(output)) item.at("output").fail("the program has no output \"" + output + "\"");
    const auto figure = static_cast<Breakpoint::Figure>(item.at("figure").choice({"not_finite", "max_abs", "max", "min", "mean", "std"}));
    breakpoints.push_back({output, item.at("node").text(), figure, item.at("side").choice({"above", "below"}) == 0, item.at("limit").number()});
  }
  return breakpoints;
}

Breakpoints::Breakpoints(std::vector<Breakpoint> breakpoints, const std::vector<Output>& outputs) {
  for (Breakpoint& breakpoint : breakpoints) {
    const auto at = std::find_if(outputs.begin(), outputs.end(), [&](const Output& output) { return output.name == breakpoint.output; });
    const auto index = static_cast<size_t>(at - outputs.begin());
    places_.push_back({std::move(breakpoint), index});
  }
}

bool Breakpoints::owns(size_t output) const {
  return std::any_of(places_.begin(), places_.end(), [&](const Place& place) { return place.output == output; });
}

void Breakpoints::note(int64_t step, const std::vector<at::Tensor>& outputs) {
  for (size_t i = 0; i < places_.size(); ++i) noted_.push_back({step, i, outputs[places_[i].output].detach()});
}

void Breakpoints::judge(EventLog& events) {
  // A step of several passes holds where one of them does.
  std::set<std::pair<size_t, int64_t>> held;
  for (const Noted& noted : std::exchange(noted_, {})) {
    const Breakpoint& breakpoint = places_[noted.place].breakpoint;
    const Figures figures = read(noted.figures);
    const double figure = pick(figures, breakpoint.figure);
    const bool is_fine = breakpoint.above ? figure <= breakpoint.limit : figure >= breakpoint.limit;
    if (is_fine) {
      if (!held.contains({noted.place, noted.step})) holding_.erase(breakpoint.node);
      continue;
    }
    held.emplace(noted.place, noted.step);
    if (!holding_.insert(breakpoint.node).second) continue;
    hit_ = true;
    events.add("broke", [&](JsonWriter& json) {
      json.key("step").value(noted.step).key("node").value(breakpoint.node).key("figure").value(kFigures[static_cast<size_t>(breakpoint.figure)]);
      json.key("side").value(breakpoint.above ? "above" : "below").key("limit").value(breakpoint.limit);
      json.key("mean").value(figures.mean).key("std").value(figures.std).key("min").value(figures.min).key("max").value(figures.max).key("notFinite").value(figures.not_finite);
    });
  }
}

} // namespace tensorloom
