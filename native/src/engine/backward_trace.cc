#include "backward_trace.h"

#include <ATen/SequenceNumber.h>
#include <ATen/ops/isfinite.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/node.h>

#include <algorithm>
#include <memory>
#include <unordered_set>

namespace tensorloom {
namespace {

using torch::autograd::Node;
using torch::autograd::variable_list;

class Begin final : public torch::autograd::FunctionPreHook {
 public:
  Begin(BackwardTrace& trace, uint64_t sequence_number) : trace_(trace), sequence_number_(sequence_number) {}
  variable_list operator()(const variable_list& gradients) override {
    trace_.begin(trace_.op_of(sequence_number_));
    return gradients;
  }

 private:
  BackwardTrace& trace_;
  uint64_t sequence_number_;
};

class End final : public torch::autograd::FunctionPostHook {
 public:
  End(BackwardTrace& trace, uint64_t sequence_number) : trace_(trace), sequence_number_(sequence_number) {}
  variable_list operator()(const variable_list& made, const variable_list& given) override {
    trace_.end(trace_.op_of(sequence_number_), given, made);
    return made;
  }

 private:
  BackwardTrace& trace_;
  uint64_t sequence_number_;
};

bool is_bad(const at::Tensor& tensor) { return tensor.defined() && tensor.is_floating_point() && !at::isfinite(tensor).all().item<bool>(); }

} // namespace

void BackwardTrace::note(const Op& op) { ends_.emplace_back(at::sequence_number::peek(), &op); }

void BackwardTrace::watch(const at::Tensor& loss) {
  std::unordered_set<Node*> seen;
  std::vector<Node*> stack{loss.grad_fn().get()};
  while (!stack.empty()) {
    Node* node = stack.back();
    stack.pop_back();
    // What gathers gradients at the weights belongs to no operator, and outlives this pass.
    if (node == nullptr || node->next_edges().empty() || !seen.insert(node).second) continue;
    node->add_pre_hook(std::make_unique<Begin>(*this, node->sequence_nr()));
    node->add_post_hook(std::make_unique<End>(*this, node->sequence_nr()));
    for (const auto& edge : node->next_edges()) stack.push_back(edge.function.get());
  }
}

const Op* BackwardTrace::op_of(uint64_t sequence_number) const {
  const auto found = std::upper_bound(ends_.begin(), ends_.end(), sequence_number, [](uint64_t number, const auto& end) { return number < end.first; });
  return found == ends_.end() ? nullptr : found->second;
}

Observer FaultTrace::observer() {
  clear();
  return [this](const Op& op, const std::vector<at::Tensor>&, const std::vector<at::Tensor>&) { note(op); };
}

void FaultTrace::end(const Op* op, const std::vector<at::Tensor>& given, const std::vector<at::Tensor>& made) {
  if (first_bad_ != nullptr || std::any_of(given.begin(), given.end(), is_bad) || std::none_of(made.begin(), made.end(), is_bad)) return;
  first_bad_ = op;
  for (const at::Tensor& tensor : given)
    if (tensor.defined()) shapes_.push_back(tensor.sizes().vec());
}

} // namespace tensorloom
