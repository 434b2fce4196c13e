#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control.h"
#include "error.h"

/// The engine's whole face. Knows neither Node nor, in this header, libtorch. Everything throws EngineError only.
namespace tensorloom {

/// `EngineInfo` of native/index.ts, as JSON.
std::string info_json();

/// Reads a program without running it.
void check_program(std::string_view program_json);

struct TrainResult {
  bool finished;                   ///< false: cancelled.
  int64_t steps;                   ///< Optimizer steps done in all.
  std::optional<std::string> file; ///< The last checkpoint.
};

/// Receives a JSON array of events. Called on the thread that trains.
using OnEvents = std::function<void(std::string json)>;

/// Carries out a TrainSpec on the calling thread; `control` stops it and changes its settings between steps. Trainings of one
/// process run one after another: libtorch's random generator and thread count belong to the process.
TrainResult train(std::string_view spec_json, const OnEvents& on_events, Control& control);

/// A dense C-ordered tensor outside the engine; dtype as in programs.
struct Array {
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<uint8_t> data;
};

/// Weights drawn from a seed, or from a safetensors file, which must have them all unless there is a seed for the others.
struct WeightSource {
  std::optional<std::string> file;
  std::optional<uint64_t> seed;
};

/// One forward pass in eval mode. `random_seed`: what operators that draw numbers draw from. `gradient_of`: an output of one
/// number; how it changes with every other output comes as `gradient/<name>`, where it does; where weights are among them, with these and the inputs among them. Empty: no autograd.
std::map<std::string, Array> run(std::string_view program_json, const WeightSource& weights, const std::map<std::string, Array>& inputs, bool cuda, std::optional<uint64_t> random_seed, const std::string& gradient_of);

} // namespace tensorloom
