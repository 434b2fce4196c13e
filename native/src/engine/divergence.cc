#include "divergence.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "finite.h"
#include "tensors.h"

namespace tensorloom {

Divergence::Divergence(const TrainSpec& spec, const Batches& rows, const std::vector<at::Tensor>& weights, const Parameters& parameters, const Course& course, Passes& passes, EventLog& events, std::function<void()> drain)
    : spec_(spec), rows_(rows), weights_(weights), parameters_(parameters), course_(course), passes_(passes), events_(events), drain_(std::move(drain)) {}

void Divergence::flag_on(at::Device device) {
  flag_ = at::zeros({}, at::TensorOptions(at::kFloat).device(device));
  one_ = at::ones({}, flag_.options());
}

void Divergence::check_loss(const at::Tensor& loss, const std::vector<at::Tensor>& inputs, int64_t first_row) {
  if (flag_.defined()) {
    flag_ = at::maximum(flag_, at::isfinite(loss.detach()).logical_not().to(at::kFloat).reshape({}));
    return;
  }
  const double value = read_scalar(loss.detach());
  if (std::isfinite(value)) return;
  drain_();
  const int64_t step = course_.at.step + 1;
  events_.point("train/loss", step, value);
  blame_forward(inputs, first_row, step, value);
}

void Divergence::check_gradients(const StepRows& rows) {
  if (!flag_.defined()) {
    if (std::all_of(parameters_.tensors.begin(), parameters_.tensors.end(), [](const at::Tensor& parameter) { return all_finite(parameter.grad()); })) return;
    drain_();
    blame_backward(rows, course_.at.step + 1);
  }
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : parameters_.tensors)
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, flag_, one_);
  // How many steps ago it began, which tells the first of them when it is read.
  flagged_steps_ = flagged_steps_.defined() ? flagged_steps_ + flag_ : flag_.clone();
}

void Divergence::check_weights() const {
  for (size_t i = 0; i < parameters_.tensors.size(); ++i) {
    if (all_finite(parameters_.tensors[i])) continue;
    const std::string& node = parameters_.nodes[i];
    throw EngineError({"RUN_NONFINITE", "A weight at \"" + node + "\" is no longer finite after step " + std::to_string(course_.at.step) + ". Lower the learning rate or clip gradients.", node, "", course_.at.step, {parameters_.tensors[i].sizes().vec()}});
  }
}

/// The weights are still those of the bad step, because the optimizer has not stepped since; its batch is cut anew.
void Divergence::check_past_loss(int64_t step, double loss) {
  if (std::isfinite(loss)) return;
  const StepRows rows = course_.rows_of_step(step);
  const auto [first, count] = rows.parts.back();
  blame_forward(rows_.take(rows.order, first, count), first, step, loss);
}

void Divergence::check_flag() {
  if (!is_flagged()) return;
  const int64_t step = course_.at.step + 1 - flagged_steps_.item().toLong();
  blame_backward(course_.rows_of_step(step), step);
}

/// Runs a step's forward pass again, looking at every value.
void Divergence::blame_forward(const std::vector<at::Tensor>& inputs, int64_t first_row, int64_t step, double loss) {
  const c10::InferenceMode inference;
  const auto is_bad = [](const at::Tensor& tensor) { return !all_finite(tensor); };
  const auto is_mask = [](const Op& op) { return op.name.starts_with("aten::masked_fill") || op.name.starts_with("aten::where") || op.name.starts_with("aten::full"); };
  Failure failure{"RUN_NONFINITE", std::string("The loss became ") + (std::isnan(loss) ? "NaN" : "infinite") + " at step " + std::to_string(step) + ". ", "", "", step, {}};
  const std::vector<Input>& named = passes_.program().inputs;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (is_bad(inputs[i])) {
      failure.node = named[i].node;
      failure.message += "The data of \"" + named[i].name + "\" hold values that are not finite; clean them.";
      throw EngineError(std::move(failure));
    }
  for (size_t i = 0; i < weights_.size(); ++i)
    if (is_bad(weights_[i])) {
      failure.node = spec_.program.weights[i].node;
      failure.message += "The weight \"" + spec_.program.weights[i].name + "\" was no longer finite after the step before. Lower the learning rate or clip gradients.";
      throw EngineError(std::move(failure));
    }
  passes_.replay(inputs, first_row, [&](const Op& op, const std::vector<at::Tensor>& arguments, const std::vector<at::Tensor>& results) {
    if (!failure.node.empty() || is_mask(op) || std::none_of(results.begin(), results.end(), is_bad) || std::any_of(arguments.begin(), arguments.end(), is_bad)) return;
    failure.node = op.node;
    failure.op = op.name;
    for (const at::Tensor& tensor : arguments)
      if (tensor.defined()) failure.shapes.push_back(tensor.sizes().vec());
  });
  failure.message += failure.node.empty() ? "No single operator could be found to blame." : failure.op + " at \"" + failure.node + "\" was the first to make a value that is not finite.";
  failure.message += " Lower the learning rate or clip gradients.";
  throw EngineError(std::move(failure));
}

/// Takes a step's backward passes again, looking for the operator that made the first gradient that is not finite.
void Divergence::blame_backward(const StepRows& rows, int64_t step) {
  Failure failure{"RUN_NONFINITE", "The loss is finite at step " + std::to_string(step) + ", but its gradient is not. ", "", "", step, {}};
  for (size_t i = 0; i < parameters_.tensors.size() && failure.node.empty(); ++i)
    if (!all_finite(parameters_.tensors[i].grad())) failure.node = parameters_.nodes[i];
  for (const auto& [first, count] : rows.parts) {
    passes_.drop_gradients();
    FaultTrace trace;
    const at::AutoGradMode with_grad(true);
    passes_.trace(trace, rows_.take(rows.order, first, count), first, static_cast<double>(count) / static_cast<double>(rows.count));
    if (trace.first_bad() == nullptr) continue;
    failure.node = trace.first_bad()->node;
    failure.op = trace.first_bad()->name;
    failure.shapes = trace.shapes();
    break;
  }
  failure.message += failure.op.empty() ? "No single operator could be found to blame." : "The backward of " + failure.op + " at \"" + failure.node + "\" was the first to make a value that is not finite.";
  failure.message += " A root, a logarithm or a division at 0 can be why: add a small number there. Or lower the learning rate.";
  throw EngineError(std::move(failure));
}

} // namespace tensorloom
