#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "interpreter.h"
#include "json.h"

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

void write_histograms(JsonWriter& json, const std::vector<Histogram>& histograms);

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

} // namespace tensorloom
