#include "histograms.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace tensorloom {
namespace {

constexpr int64_t kBins = 32;
/// So many numbers of a tensor say enough of how they are spread.
constexpr int64_t kMostNumbers = 16'384;
constexpr int64_t kEveryMs = 500;

void write_histograms(JsonWriter& json, const std::vector<Histogram>& histograms) {
  json.open('[');
  for (const Histogram& one : histograms) {
    json.open('{').key("name").value(one.name).key("node").value(one.node).key("low").value(one.low).key("high").value(one.high);
    json.key("counts").value(one.counts).close('}');
  }
  json.close(']');
}

} // namespace

Histogram histogram_of(const at::Tensor& tensor, std::string name, std::string node) {
  Histogram histogram{std::move(name), std::move(node), 0, 0, {}};
  const int64_t count = tensor.numel();
  if (count == 0) return histogram;
  const at::Tensor plain = tensor.detach();
  // Their order does not matter, so that nothing is copied where memory is dense.
  const at::Tensor flat = plain.is_non_overlapping_and_dense() ? plain.as_strided({count}, {1}) : plain.reshape({count});
  const int64_t step = (count + kMostNumbers - 1) / kMostNumbers;
  const at::Tensor some = flat.slice(0, 0, count, step).to(at::kCPU, at::kFloat).contiguous();
  const float* numbers = some.const_data_ptr<float>();
  const int64_t size = some.numel();
  float low = INFINITY, high = -INFINITY;
  for (int64_t i = 0; i < size; ++i) {
    if (!std::isfinite(numbers[i])) continue;
    low = std::min(low, numbers[i]);
    high = std::max(high, numbers[i]);
  }
  if (low > high) return histogram;
  histogram.low = low;
  histogram.high = high;
  histogram.counts.assign(static_cast<size_t>(kBins), 0);
  const double scale = high > low ? static_cast<double>(kBins) / (static_cast<double>(high) - low) : 0;
  for (int64_t i = 0; i < size; ++i)
    if (std::isfinite(numbers[i])) ++histogram.counts[static_cast<size_t>(std::min<int64_t>(kBins - 1, static_cast<int64_t>((static_cast<double>(numbers[i]) - low) * scale)))];
  return histogram;
}

ActivationHistograms::ActivationHistograms(const Program& program, size_t most) {
  std::set<std::string> seen;
  for (auto op = program.body.ops.rbegin(); op != program.body.ops.rend(); ++op)
    if (seen.insert(op->node).second) last_.push_back(&*op);
  std::reverse(last_.begin(), last_.end());
  if (last_.size() > most) last_.resize(most);
}

Observer ActivationHistograms::observer() {
  return [this](const Op& op, const std::vector<at::Tensor>&, const std::vector<at::Tensor>& results) {
    if (results.empty() || !results[0].defined() || !results[0].is_floating_point() || results[0].dim() < 2) return;
    if (std::find(last_.begin(), last_.end(), &op) == last_.end()) return;
    Histogram histogram = histogram_of(results[0], "", op.node);
    if (!histogram.counts.empty()) histograms_.push_back(std::move(histogram));
  };
}

bool HistogramLog::is_due(bool is_last_epoch) const { return is_wanted_ && (!told_ || is_last_epoch || ms_since(*told_) >= kEveryMs); }

void HistogramLog::note_gradients(const Parameters& parameters) {
  under_way_ = true;
  for (size_t i = 0; i < parameters.tensors.size() && gradients_.size() < kMost; ++i)
    if (parameters.tensors[i].grad().defined()) gradients_.push_back(histogram_of(parameters.tensors[i].grad(), parameters.names[i], parameters.nodes[i]));
}

void HistogramLog::report(const Parameters& parameters, std::vector<Histogram> activations, int64_t step, int64_t epoch, EventLog& events) {
  std::vector<Histogram> weights;
  for (size_t i = 0; i < std::min(parameters.tensors.size(), kMost); ++i) weights.push_back(histogram_of(parameters.tensors[i], parameters.names[i], parameters.nodes[i]));
  std::erase_if(gradients_, [](const Histogram& one) { return one.counts.empty(); });
  events.add("histograms", [&](JsonWriter& json) {
    json.key("step").value(step).key("epoch").value(epoch);
    write_histograms(json.key("weights"), weights);
    write_histograms(json.key("gradients"), gradients_);
    write_histograms(json.key("activations"), activations);
  });
  gradients_.clear();
  under_way_ = false;
  told_ = Clock::now();
}

} // namespace tensorloom
