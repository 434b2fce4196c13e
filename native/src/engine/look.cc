#include "look.h"

#include <ATen/DeviceAccelerator.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/any.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tensorloom {
namespace {

/// Of a weight with more numbers than this, the update is measured on evenly spread ones, about as many.
constexpr int64_t kMostNumbers = 1 << 16;

/// The first steps pay for memory and for the kernels' preparations, and say little of those that follow.
constexpr int64_t kFirstLook = 2;
/// A run that has gone on for long is looked at once in so many parts of its time.
constexpr int64_t kLooksARun = 100;

double ms_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) { return std::chrono::duration<double, std::milli>(to - from).count(); }

at::Tensor sample(const at::Tensor& parameter) {
  const at::Tensor whole = parameter.detach();
  if (whole.numel() <= kMostNumbers) return whole;
  const at::Tensor flat = whole.is_non_overlapping_and_dense() ? whole.as_strided({whole.numel()}, {1}, whole.storage_offset()) : whole.flatten();
  // An odd stride does not keep to one column of a table whose rows are a power of two.
  return flat.slice(0, 0, flat.numel(), (flat.numel() / kMostNumbers) | 1);
}

void find_last(const Block& block, const std::map<std::string, int64_t>& rectified, std::map<std::string, const Op*>& last) {
  for (const Op& op : block.ops) {
    if (op.kind == Op::Kind::Call && rectified.contains(op.node)) last[op.node] = &op;
    for (const Block& inner : op.blocks) find_last(inner, rectified, last);
  }
}

/// Whether each unit is anything but 0 somewhere. A unit that speaks is left at its first word.
std::vector<bool> speaking(const float* data, int64_t outer, int64_t units, int64_t inner) {
  std::vector<bool> found(static_cast<size_t>(units), false);
  for (int64_t unit = 0; unit < units; ++unit) {
    bool speaks = false;
    for (int64_t i = 0; i < outer && !speaks; ++i) {
      const float* row = data + (i * units + unit) * inner;
      speaks = std::any_of(row, row + inner, [](float value) { return value != 0; });
    }
    found[static_cast<size_t>(unit)] = speaks;
  }
  return found;
}

int64_t product(c10::IntArrayRef sizes) { return std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>()); }

} // namespace

LookOptions LookOptions::read(const JsonPlace& place) {
  place.fields({"everyMs", "share", "rectified"});
  LookOptions options{place.at("everyMs").integer(0, int64_t{1} << 40), place.at("share").number(0, 1e30), {}};
  const JsonPlace rectified = place.at("rectified");
  for (size_t i = 0; i < rectified.size(100'000); ++i) {
    const JsonPlace item = rectified.at(i).fields({"node", "axis"});
    options.rectified[item.at("node").text()] = item.at("axis").integer(1, 8);
  }
  return options;
}

Look::Look(const LookOptions& options, const Program& program, at::Device device) : options_(options), device_(device) {
  std::map<std::string, const Op*> last;
  find_last(program.body, options.rectified, last);
  for (const auto& [node, op] : last) rectifying_[op] = options.rectified.at(node);
}

/// A device works on its own time, and is waited for.
Clock::time_point Look::now() const {
  if (!device_.is_cpu()) at::accelerator::synchronizeDevice(device_.index());
  return Clock::now();
}

Observer Look::observer() {
  clear();
  mark_ = now();
  return [this](const Op& op, const std::vector<at::Tensor>&, const std::vector<at::Tensor>& results) {
    const auto done = now();
    spent_[op.node].forward_ms += ms_between(mark_, done);
    note(op);
    if (const auto found = rectifying_.find(&op); found != rectifying_.end() && !results.empty()) see_units(op.node, found->second, results[0]);
    mark_ = Clock::now();
    own_ms_ += ms_between(done, mark_);
  };
}

void Look::see_units(const std::string& node, int64_t axis, const at::Tensor& value) {
  if (value.dim() <= axis || value.numel() == 0) return;
  const at::NoGradGuard no_grad;
  const at::Tensor seen = value.detach();
  std::vector<bool> speaks;
  if (seen.is_cpu() && seen.scalar_type() == at::kFloat && seen.is_contiguous()) {
    const auto sizes = seen.sizes();
    const auto at = static_cast<size_t>(axis);
    speaks = speaking(seen.const_data_ptr<float>(), product(sizes.slice(0, at)), sizes[at], product(sizes.slice(at + 1)));
  } else {
    std::vector<int64_t> others;
    for (int64_t other = 0; other < seen.dim(); ++other)
      if (other != axis) others.push_back(other);
    const at::Tensor found = at::any(seen.ne(0), c10::OptionalArrayRef<int64_t>(others)).to(at::kCPU).contiguous();
    speaks.assign(found.const_data_ptr<bool>(), found.const_data_ptr<bool>() + found.numel());
  }
  auto [known, is_first] = alive_.try_emplace(node, speaks);
  if (is_first || known->second.size() != speaks.size()) return;
  for (size_t i = 0; i < speaks.size(); ++i)
    if (speaks[i]) known->second[i] = true;
}

void Look::begin(const Op*) {
  mark_ = now();
}

void Look::end(const Op* op, const std::vector<at::Tensor>&, const std::vector<at::Tensor>&) {
  if (op != nullptr) spent_[op->node].backward_ms += ms_between(mark_, now());
}

void Look::before_step(const std::vector<at::Tensor>& parameters) {
  const auto start = now();
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  stepping_ = parameters_.size();
  for (const at::Tensor& parameter : parameters) {
    if (!parameter.grad().defined()) continue;
    parameters_.push_back(parameter);
    gradients.push_back(parameter.grad());
    before_.push_back(sample(parameter).clone());
  }
  if (!gradients.empty())
    for (at::Tensor& norm : at::_foreach_norm(gradients, 2)) gradient_norms_.push_back(std::move(norm));
  own_ms_ += ms_between(start, now());
}

void Look::after_step() {
  if (stepping_ == parameters_.size()) return;
  const auto start = now();
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> after, before(before_.begin() + static_cast<std::ptrdiff_t>(stepping_), before_.end());
  for (size_t i = stepping_; i < parameters_.size(); ++i) after.push_back(sample(parameters_[i]));
  for (at::Tensor& norm : at::_foreach_norm(before, 2)) weight_norms_.push_back(std::move(norm));
  for (at::Tensor& norm : at::_foreach_norm(at::_foreach_sub(after, before), 2)) update_norms_.push_back(std::move(norm));
  for (size_t i = stepping_; i < before_.size(); ++i) before_[i].reset();
  own_ms_ += ms_between(start, now());
}

void Look::write(JsonWriter& json, const std::map<const void*, std::string>& node_of) {
  struct Squares {
    double gradient = 0, weight = 0, update = 0;
  };
  std::map<std::string, Squares> squares;
  if (!parameters_.empty()) {
    std::vector<at::Tensor> norms;
    for (const auto* list : {&gradient_norms_, &weight_norms_, &update_norms_})
      for (const at::Tensor& norm : *list) norms.push_back(norm.to(at::kFloat).reshape({}));
    const at::Tensor read = at::stack(norms).to(at::kCPU, at::kDouble);
    const double* numbers = read.const_data_ptr<double>();
    const size_t count = parameters_.size();
    const auto square = [](double number) { return number * number; };
    for (size_t i = 0; i < count; ++i) {
      Squares& sum = squares[node_of.at(parameters_[i].unsafeGetTensorImpl())];
      sum.gradient += square(numbers[i]);
      sum.weight += square(numbers[count + i]);
      sum.update += square(numbers[2 * count + i]);
      spent_.try_emplace(node_of.at(parameters_[i].unsafeGetTensorImpl()));
    }
  }
  json.key("nodes").open('{');
  for (const auto& [node, spent] : spent_) {
    if (node.empty()) continue;
    json.key(node).open('{').key("forwardMs").value(spent.forward_ms).key("backwardMs").value(spent.backward_ms);
    if (const auto found = squares.find(node); found != squares.end()) {
      const Squares& sum = found->second;
      json.key("gradient").value(std::sqrt(sum.gradient)).key("weight").value(std::sqrt(sum.weight)).key("update").value(std::sqrt(sum.update));
    }
    if (const auto found = alive_.find(node); found != alive_.end()) {
      const auto& units = found->second;
      json.key("units").value(static_cast<int64_t>(units.size())).key("dead").value(static_cast<int64_t>(std::count(units.begin(), units.end(), false)));
    }
    json.close('}');
  }
  json.close('}');
}

bool Looks::is_due(int64_t in_epoch, int64_t steps_per_epoch, int64_t elapsed_ms) const {
  if (!options_) return false;
  if (!looked_) return in_epoch >= kFirstLook || options_->every_ms == 0 || steps_per_epoch <= kFirstLook;
  const double since = exact_ms_since(*looked_);
  const int64_t every = options_->every_ms == 0 ? 0 : std::max(options_->every_ms, elapsed_ms / kLooksARun);
  return since >= static_cast<double>(every) && cost_ms_ <= options_->share * since;
}

void Looks::begin(int64_t in_epoch, int64_t steps_per_epoch, int64_t elapsed_ms) {
  if (is_due(in_epoch, steps_per_epoch, elapsed_ms)) look_.emplace(*options_, program_, device_);
}

void Looks::end(int64_t step, double whole_ms, const std::map<std::string, std::vector<int64_t>>& sizes, const std::map<const void*, std::string>& node_of, EventLog& events) {
  if (!look_) return;
  // A device that is waited for after each operator loses what it would have done meanwhile.
  cost_ms_ = device_.is_cpu() ? look_->own_ms() : whole_ms;
  events.add("looked", [&](JsonWriter& json) {
    json.key("step").value(step).key("stepMs").value(std::max(0.0, whole_ms - look_->own_ms())).key("inputs").open('{');
    for (const auto& [name, shape] : sizes) json.key(name).value(shape);
    json.close('}');
    look_->write(json, node_of);
  });
  looked_ = Clock::now();
  look_.reset();
}

} // namespace tensorloom
