#include "passes.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/scalar_tensor.h>

#include <algorithm>
#include <utility>

#include "precision.h"
#include "whereabouts.h"

namespace tensorloom {
namespace {

/// Tells how the backward pass goes, operator by operator.
class Follow final : public BackwardTrace {
 public:
  void begin(const Op* op) override { be_at(op != nullptr ? -op->place : kBackward); }
  void end(const Op*, const std::vector<at::Tensor>&, const std::vector<at::Tensor>&) override {}
};

void backward(const at::Tensor& loss, double share) {
  be_at(kBackward);
  loss.backward(share == 1 ? at::Tensor() : at::scalar_tensor(share, loss.options()).expand_as(loss));
  be_at(kElsewhere);
}

} // namespace

Passes::Passes(const TrainSpec& spec, Interpreter& program, const Batches& rows, const std::vector<at::Tensor>& weights, Parameters& parameters, at::Device device, const char*& doing)
    : spec_(spec), program_(program), rows_(rows), weights_(weights), parameters_(parameters), device_(device), doing_(doing) {}

std::vector<at::Tensor> Passes::run(const StepRows& rows, Look* look, const Between& between) {
  std::vector<at::Tensor> sums;
  random_before_.clear();
  for (const auto& [first, count] : rows.parts) {
    doing_ = "cutting a batch out of the data";
    const std::vector<at::Tensor> inputs = rows_.take(rows.order, first, count);
    keep_random(first);
    const std::vector<Input>& named = program_.program().inputs;
    if (look)
      for (size_t i = 0; i < inputs.size(); ++i)
        if (!Program::is_feature(named[i])) seen_sizes_[named[i].name] = inputs[i].sizes().vec();
    Observer observer = look ? look->observer() : nullptr;
    Follow follow;
    if (spec_.follows_backward)
      observer = [&follow, looks = std::move(observer)](const Op& op, const std::vector<at::Tensor>& arguments, const std::vector<at::Tensor>& results) {
        follow.note(op);
        if (looks) looks(op, arguments, results);
      };
    std::vector<at::Tensor> outputs = forward(inputs, observer);
    doing_ = "the training step";
    between(inputs, first, outputs);
    const double share = static_cast<double>(count) / static_cast<double>(rows.count);
    try {
      if (look) look->watch(outputs[loss_]);
      if (spec_.follows_backward) follow.watch(outputs[loss_]);
      backward(outputs[loss_], share);
    } catch (...) {
      // What the pass held is let go: the next one needs as much.
      outputs.clear();
      find_failing_backward(inputs, first, share);
      rethrow_as_engine_error("the backward pass");
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      at::Tensor value = rows.parts.size() == 1 ? outputs[i].detach() : outputs[i].detach() * share;
      if (sums.size() <= i) sums.push_back(std::move(value));
      else sums[i] = sums[i] + value;
    }
  }
  return sums;
}

std::vector<at::Tensor> Passes::forward(const std::vector<at::Tensor>& inputs, const Observer& observer) {
  const AutocastGuard autocast(spec_.bf16, device_.type());
  std::vector<at::Tensor> outputs = program_.run(inputs, weights_, true, observer);
  const at::Tensor& loss = outputs[loss_];
  if (loss.numel() != 1) throw EngineError({"SHAPE_MISMATCH", "The loss must be one number but is " + print_shape(loss.sizes()) + ".", node_of_loss(), "", -1, {loss.sizes().vec()}});
  if (!loss.requires_grad()) throw EngineError("PROGRAM_INVALID", spec_.further.empty() ? "The loss does not depend on any weight, so there is nothing to train." : "\"" + program_.program().outputs[loss_].name + "\" does not depend on any weight that its optimizer has, so there is nothing to train.", node_of_loss());
  return outputs;
}

void Passes::trace(FaultTrace& trace, const std::vector<at::Tensor>& inputs, int64_t first_row, double share) {
  restore_random(first_row);
  const std::vector<at::Tensor> outputs = forward(inputs, trace.observer());
  trace.watch(outputs[loss_]);
  backward(outputs[loss_], share);
}

void Passes::replay(const std::vector<at::Tensor>& inputs, int64_t first_row, const Observer& observer) {
  restore_random(first_row);
  const AutocastGuard autocast(spec_.bf16, device_.type());
  program_.run(inputs, weights_, true, observer);
}

/// Takes a pass that failed in its backward part again, and fails the run on the operator where it fails now.
void Passes::find_failing_backward(const std::vector<at::Tensor>& inputs, int64_t first_row, double share) {
  if (spec_.accumulate == 1) drop_gradients();
  FaultTrace fault;
  try {
    trace(fault, inputs, first_row, share);
  } catch (...) {
    if (fault.last_begun() != nullptr) throw EngineError(failure_at(*fault.last_begun(), "the backward of "));
  }
}

void Passes::drop_gradients() {
  for (at::Tensor& parameter : parameters_.tensors) parameter.mutable_grad().reset();
}

std::string Passes::node_of_loss() const {
  const std::string& name = program_.program().outputs[loss_].name;
  for (const Output& output : spec_.program.outputs)
    if (output.name == name)
      for (const Op& op : spec_.program.body.ops)
        if (std::find(op.out.begin(), op.out.end(), output.value) != op.out.end()) return op.node;
  return "";
}

/// Keeps the random state in front of the micro-batch that begins at this row, where the program draws numbers.
void Passes::keep_random(int64_t first_row) {
  if (spec_.program.has_random && device_.is_cpu()) random_before_[first_row] = at::globalContext().defaultGenerator(at::kCPU).get_state();
}

/// Lets the program draw again what it drew for that micro-batch.
void Passes::restore_random(int64_t first_row) const {
  const auto state = random_before_.find(first_row);
  if (state == random_before_.end()) return;
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
  generator.set_state(state->second);
}

} // namespace tensorloom
