#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clock.h"
#include "events.h"
#include "interpreter.h"
#include "json.h"
#include "weights.h"

namespace tensorloom {

/// How the numbers of one tensor are spread: counts in equal bins from its lowest to its highest finite number.
struct Histogram {
  std::string name; ///< Of the weight, or empty.
  std::string node;
  double low = 0, high = 0;
  std::vector<int64_t> counts;
};

/// Of large tensors every n-th number is looked at. No counts where none is finite.
Histogram histogram_of(const at::Tensor& tensor, std::string name, std::string node);

/// Takes what each node of a program gives, while it runs: of several operators of a node, what the last one does.
class ActivationHistograms {
 public:
  /// `most`: how many nodes are looked at.
  ActivationHistograms(const Program& program, size_t most);
  Observer observer();
  /// In the program's order.
  std::vector<Histogram> take() { return std::move(histograms_); }

 private:
  std::vector<const Op*> last_;
  std::vector<Histogram> histograms_;
};

/// How weights, gradients and activations are spread where epochs end, told not more often than twice a second.
class HistogramLog {
 public:
  /// So many tensors of a kind are looked at.
  static constexpr size_t kMost = 64;

  explicit HistogramLog(bool is_wanted) : is_wanted_(is_wanted) {}

  /// Whether the step that ends an epoch is to be looked at; the run's last one is.
  bool is_due(bool is_last_epoch) const;
  /// Looks at the gradients of the parameters that the optimizer at hand steps.
  void note_gradients(const Parameters& parameters);
  /// Whether gradients were looked at, and activations are wanted to go with them.
  bool is_under_way() const { return under_way_; }
  /// Tells all three, as of this step and epoch (the first is 1).
  void report(const Parameters& parameters, std::vector<Histogram> activations, int64_t step, int64_t epoch, EventLog& events);

 private:
  bool is_wanted_, under_way_ = false;
  std::vector<Histogram> gradients_;
  std::optional<Clock::time_point> told_;
};

} // namespace tensorloom
