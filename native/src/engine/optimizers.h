#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "optimizer.h"
#include "spec.h"
#include "weights.h"

namespace tensorloom {

/// The optimizers of a run, each with the weights that it steps and the loss by which it does. They take turns; the main one is the last.
class Optimizers {
 public:
  struct Part {
    size_t output;    ///< Of a step: the loss that it makes small.
    double lr_factor; ///< Of the run's learning rate.
    std::vector<at::Tensor> parameters;
    std::vector<int64_t> from_epochs; ///< From which each of them learns.
    std::unique_ptr<Optimizer> optimizer;
  };

  /// Gives each optimizer of `spec` its weights; the main one has what is left. `outputs` are what a step gives.
  /// @throws EngineError PROGRAM_INVALID where one has none, or none that learns from the start.
  void assign(const TrainSpec& spec, const Parameters& parameters, const std::vector<Output>& outputs);

  size_t size() const { return parts_.size(); }
  /// From here on only this one's weights get gradients, those that learn in this epoch.
  Part& begin(size_t index, int64_t epoch);
  /// As begin, for the one whose turn it is, where another epoch may let more weights learn.
  void begin_epoch(int64_t epoch) { begin(turn_, epoch); }
  const Part& current() const { return parts_[turn_]; }

  /// Whether all honour `skip`.
  bool can_skip() const;
  NamedTensors state() const;
  void load(const std::map<std::string, at::Tensor>& saved);

 private:
  std::vector<Part> parts_;
  size_t turn_ = 0;
  bool has_paces_ = false;
};

} // namespace tensorloom
