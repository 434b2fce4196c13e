#include "lbfgs.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "error.h"

namespace tensorloom {
namespace {

double dot(const at::Tensor& a, const at::Tensor& b) { return a.dot(b).item<double>(); }
double largest(const at::Tensor& tensor) { return tensor.abs().max().item<double>(); }

/// Where the cubic through two points with these values and slopes is least, between the bounds; half way between them
/// where a value is not finite.
double cubic_minimum(double x1, double f1, double g1, double x2, double f2, double g2, double low, double high) {
  const double d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2), square = d1 * d1 - g1 * g2;
  if (!(square >= 0)) return (low + high) / 2;
  const double d2 = std::sqrt(square);
  const double least = x1 <= x2 ? x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2)) : x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2));
  return std::isfinite(least) ? std::min(std::max(least, low), high) : (low + high) / 2;
}

} // namespace

Lbfgs::Lbfgs(LbfgsOptions options, std::vector<at::Tensor> parameters) : options_(options), parameters_(std::move(parameters)) {}

Lbfgs::Point Lbfgs::with_decay(double loss) const {
  std::vector<at::Tensor> rows;
  for (const at::Tensor& parameter : parameters_) {
    const at::Tensor& gradient = parameter.grad();
    rows.push_back(gradient.defined() ? gradient.reshape({-1}) : at::zeros({parameter.numel()}, parameter.options()));
    if (options_.weight_decay != 0) {
      const at::Tensor weight = parameter.reshape({-1});
      rows.back() = rows.back().add(weight, options_.weight_decay);
      loss += options_.weight_decay / 2 * dot(weight, weight);
    }
  }
  return {loss, at::cat(rows)};
}

void Lbfgs::move(double length, const at::Tensor& direction) {
  int64_t first = 0;
  for (at::Tensor& parameter : parameters_) {
    parameter.add_(direction.narrow(0, first, parameter.numel()).view(parameter.sizes()), length);
    first += parameter.numel();
  }
}

/// Takes the step before into the memory, where the curvature along it was positive.
void Lbfgs::remember(const at::Tensor& gradient) {
  const at::Tensor change = gradient.sub(last_gradient_), step = direction_.mul(length_);
  const double curvature = dot(change, step);
  if (curvature <= 1e-10) return;
  if (static_cast<int64_t>(memory_.size()) == options_.history_size) memory_.pop_front();
  memory_.push_back({change, step, curvature});
}

/// Minus the gradient times what the memory knows of the inverse Hessian.
at::Tensor Lbfgs::descent(const at::Tensor& gradient) const {
  at::Tensor q = gradient.neg();
  std::vector<double> parts(memory_.size());
  for (size_t i = memory_.size(); i-- > 0;) {
    parts[i] = dot(memory_[i].step, q) / memory_[i].curvature;
    q.add_(memory_[i].gradient_change, -parts[i]);
  }
  if (!memory_.empty()) q.mul_(memory_.back().curvature / dot(memory_.back().gradient_change, memory_.back().gradient_change));
  for (size_t i = 0; i < memory_.size(); ++i) q.add_(memory_[i].step, parts[i] - dot(memory_[i].gradient_change, q) / memory_[i].curvature);
  return q;
}

/// The arithmetic of _strong_wolfe in torch/optim/lbfgs.py, in its order. Leaves the parameters where they were.
Lbfgs::Probe Lbfgs::search(const Point& start, double length, const at::Tensor& direction, double slope, int64_t most, const Evaluate& evaluate, int64_t& count) {
  constexpr double kDecrease = 1e-4, kFlatter = 0.9;
  std::vector<at::Tensor> before;
  for (const at::Tensor& parameter : parameters_) before.push_back(parameter.clone());
  const auto look = [&](double at) {
    move(at, direction);
    Point point = with_decay(evaluate());
    for (size_t i = 0; i < parameters_.size(); ++i) parameters_[i].copy_(before[i]);
    // Too far: higher than anything, so that the search turns back.
    if (!std::isfinite(point.loss)) point.loss = std::numeric_limits<double>::infinity();
    const double along = dot(point.gradient, direction);
    ++count;
    return Probe{at, std::move(point), along};
  };
  const auto falls_enough = [&](const Probe& probe) { return probe.point.loss <= start.loss + kDecrease * probe.at * slope; };
  const auto is_flat = [&](const Probe& probe) { return std::abs(probe.slope) <= -kFlatter * slope; };

  const double reach = largest(direction);
  Probe last{0, start, slope}, probe = look(length);
  int64_t turns = 0;
  std::array<Probe, 2> bracket{last, probe};
  for (; turns < most; ++turns) {
    if (!falls_enough(probe) || (turns > 1 && probe.point.loss >= last.point.loss)) break;
    if (is_flat(probe)) return probe;
    if (probe.slope >= 0) break;
    const double next = cubic_minimum(last.at, last.point.loss, last.slope, probe.at, probe.point.loss, probe.slope, probe.at + 0.01 * (probe.at - last.at), probe.at * 10);
    last = std::exchange(probe, look(next));
  }
  bracket = {turns == most ? Probe{0, start, slope} : last, probe};

  bool stuck = false;
  size_t low = bracket[0].point.loss <= bracket[1].point.loss ? 0 : 1;
  for (; turns < most; ++turns) {
    Probe &best = bracket[low], &other = bracket[1 - low];
    const double from = std::min(best.at, other.at), to = std::max(best.at, other.at);
    if ((to - from) * reach < options_.tolerance_change) break;
    double next = cubic_minimum(bracket[0].at, bracket[0].point.loss, bracket[0].slope, bracket[1].at, bracket[1].point.loss, bracket[1].slope, from, to);
    // Too near an end twice, or at it: a tenth of the way in.
    const double margin = 0.1 * (to - from);
    if (std::min(to - next, next - from) < margin) {
      if (stuck || next >= to || next <= from) {
        next = std::abs(next - to) < std::abs(next - from) ? to - margin : from + margin;
        stuck = false;
      } else {
        stuck = true;
      }
    } else {
      stuck = false;
    }
    probe = look(next);
    if (!falls_enough(probe) || probe.point.loss >= best.point.loss) {
      other = std::move(probe);
      low = bracket[0].point.loss <= bracket[1].point.loss ? 0 : 1;
      continue;
    }
    const bool done = is_flat(probe);
    if (!done && probe.slope * (other.at - best.at) >= 0) other = best;
    best = std::move(probe);
    if (done) break;
  }
  return bracket[low];
}

void Lbfgs::step(double lr, double loss, const Evaluate& evaluate) {
  const at::NoGradGuard no_grad;
  Point here = with_decay(loss);
  if (largest(here.gradient) <= options_.tolerance_grad) return;
  const int64_t most = options_.max_iter * 5 / 4;
  int64_t evaluations = 1;
  for (int64_t turn = 1; turn <= options_.max_iter; ++turn) {
    if (started_) remember(here.gradient);
    direction_ = descent(here.gradient);
    length_ = static_cast<float>(started_ ? lr : std::min(1.0, 1 / here.gradient.abs().sum().item<double>()) * lr);
    started_ = true;
    last_gradient_ = here.gradient;
    const double before = here.loss, slope = dot(here.gradient, direction_);
    if (slope > -options_.tolerance_change) return;
    if (options_.searches) {
      Probe found = search(here, length_, direction_, slope, most - evaluations, evaluate, evaluations);
      length_ = static_cast<float>(found.at);
      here = std::move(found.point);
      move(length_, direction_);
    } else {
      move(length_, direction_);
      // The loss after the last is the next step's first, of other rows.
      if (turn == options_.max_iter) return;
      here = with_decay(evaluate());
      ++evaluations;
    }
    const bool is_over = evaluations >= most || largest(here.gradient) <= options_.tolerance_grad || largest(direction_) * std::abs(length_) <= options_.tolerance_change || std::abs(here.loss - before) < options_.tolerance_change;
    if (is_over) return;
  }
}

namespace {
constexpr char kPrefix[] = "optimizer/lbfgs/";
} // namespace

NamedTensors Lbfgs::state() const {
  if (!started_) return {};
  std::vector<at::Tensor> changes, steps;
  for (const Pair& pair : memory_) {
    changes.push_back(pair.gradient_change);
    steps.push_back(pair.step);
  }
  const std::string prefix = kPrefix;
  NamedTensors tensors{{prefix + "d", direction_}, {prefix + "t", at::scalar_tensor(length_, at::kFloat)}, {prefix + "prev_flat_grad", last_gradient_}};
  if (memory_.empty()) return tensors;
  tensors.emplace_back(prefix + "old_dirs", at::stack(changes));
  tensors.emplace_back(prefix + "old_stps", at::stack(steps));
  return tensors;
}

void Lbfgs::load(const std::map<std::string, at::Tensor>& saved) {
  const at::NoGradGuard no_grad;
  int64_t size = 0;
  for (const at::Tensor& parameter : parameters_) size += parameter.numel();
  const auto find = [&](const std::string& name, const std::vector<int64_t>& shape) {
    const auto entry = saved.find(kPrefix + name);
    if (entry == saved.end() || entry->second.sizes() != shape)
      throw EngineError("CHECKPOINT_CORRUPT", "The checkpoint's optimizer state \"" + name + "\" of LBFGS is missing or has another shape; it was written by another optimizer.");
    return entry->second;
  };
  // Ended before its first step.
  if (std::none_of(saved.begin(), saved.end(), [](const auto& entry) { return entry.first.starts_with("optimizer/"); })) return;
  const at::Device device = parameters_[0].device();
  direction_ = find("d", {size}).to(device);
  length_ = find("t", {}).item<float>();
  last_gradient_ = find("prev_flat_grad", {size}).to(device);
  started_ = true;
  if (!saved.contains(std::string(kPrefix) + "old_dirs")) return;
  const int64_t count = saved.at(std::string(kPrefix) + "old_dirs").size(0);
  const at::Tensor changes = find("old_dirs", {count, size}).to(device), steps = find("old_stps", {count, size}).to(device);
  for (int64_t i = 0; i < count; ++i) {
    // Rows of their own, as they were; the curvature follows from them.
    const at::Tensor change = changes[i].clone(), step = steps[i].clone();
    memory_.push_back({change, step, dot(change, step)});
  }
}

} // namespace tensorloom
