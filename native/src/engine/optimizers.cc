#include "optimizers.h"

#include <algorithm>
#include <utility>

#include "error.h"

namespace tensorloom {

void Optimizers::assign(const TrainSpec& spec, const Parameters& parameters, const std::vector<Output>& outputs) {
  has_paces_ = !spec.paces.empty();
  const std::vector<std::string>& names = parameters.names;
  std::vector<bool> taken(names.size(), false);
  const auto add = [&](const OptimizerOptions& options, size_t output, double lr_factor, const auto& has) {
    Part part{output, lr_factor, {}, {}, nullptr};
    std::vector<std::string> own;
    std::vector<double> scales;
    for (size_t i = 0; i < names.size(); ++i) {
      if (taken[i] || !has(names[i])) continue;
      taken[i] = true;
      part.parameters.push_back(parameters.tensors[i]);
      own.push_back(names[i]);
      const auto pace = spec.paces.find(names[i]);
      scales.push_back(pace == spec.paces.end() ? 1 : pace->second.scale);
      part.from_epochs.push_back(pace == spec.paces.end() || spec.one_batch ? 0 : pace->second.from_epoch);
    }
    if (own.empty()) throw EngineError("PROGRAM_INVALID", "An optimizer has no weights to train.");
    part.optimizer = std::make_unique<Optimizer>(options, part.parameters, std::move(own));
    if (std::all_of(part.from_epochs.begin(), part.from_epochs.end(), [](int64_t from) { return from > 0; })) throw EngineError("PROGRAM_INVALID", "No weight of an optimizer learns from the first epoch on. Let one layer at least, such as the last, learn from the start.");
    if (has_paces_) part.optimizer->set_scales(scales);
    parts_.push_back(std::move(part));
  };
  for (const FurtherOptimizer& further : spec.further) {
    const auto output = std::find_if(outputs.begin(), outputs.end(), [&](const Output& one) { return one.name == further.loss; });
    add(further.options, static_cast<size_t>(output - outputs.begin()), further.lr_factor, [&](const std::string& name) { return further.weights.contains(name); });
  }
  add(spec.optimizer, 0, 1, [](const std::string&) { return true; });
  begin(parts_.size() - 1, 0);
}

Optimizers::Part& Optimizers::begin(size_t index, int64_t epoch) {
  turn_ = index;
  if (parts_.size() > 1 || has_paces_)
    for (size_t i = 0; i < parts_.size(); ++i)
      for (size_t j = 0; j < parts_[i].parameters.size(); ++j) parts_[i].parameters[j].set_requires_grad(i == index && epoch >= parts_[i].from_epochs[j]);
  return parts_[index];
}

bool Optimizers::can_skip() const {
  return std::all_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.optimizer->can_skip(); });
}

NamedTensors Optimizers::state() const {
  NamedTensors state;
  for (const Part& part : parts_)
    for (auto& entry : part.optimizer->state()) state.push_back(std::move(entry));
  return state;
}

void Optimizers::load(const std::map<std::string, at::Tensor>& saved) {
  for (const Part& part : parts_) part.optimizer->load(saved);
}

} // namespace tensorloom
