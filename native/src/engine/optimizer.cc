#include "optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/_fused_adagrad.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "error.h"

namespace tensorloom {

OptimizerOptions read_optimizer(const JsonPlace& place) {
  constexpr double kHuge = 1e30;
  const auto number = [&](const char* key) { return place.at(key).number(0, kHuge); };
  const size_t kind = place.at("kind").choice({"SGD", "Adam", "AdamW", "RMSprop", "Adagrad"});
  switch (kind) {
    case 0: {
      place.fields({"kind", "momentum", "dampening", "weightDecay", "nesterov"});
      const SgdOptions sgd{number("momentum"), number("dampening"), number("weightDecay"), place.at("nesterov").boolean()};
      if (sgd.nesterov && (sgd.momentum <= 0 || sgd.dampening != 0)) place.fail("Nesterov momentum needs a momentum above 0 and no dampening");
      return sgd;
    }
    case 1:
    case 2: {
      place.fields({"kind", "betas", "eps", "weightDecay", "amsgrad"});
      const std::vector<double> betas = place.at("betas").numbers();
      if (betas.size() != 2 || std::any_of(betas.begin(), betas.end(), [](double beta) { return beta < 0 || beta >= 1; })) place.at("betas").fail("expected two numbers, 0 ≤ beta < 1");
      return AdamOptions{betas[0], betas[1], number("eps"), number("weightDecay"), place.at("amsgrad").boolean(), kind == 2};
    }
    case 3:
      place.fields({"kind", "alpha", "eps", "weightDecay", "momentum", "centered"});
      return RmspropOptions{number("alpha"), number("eps"), number("weightDecay"), number("momentum"), place.at("centered").boolean()};
    default:
      place.fields({"kind", "lrDecay", "weightDecay", "eps"});
      return AdagradOptions{number("lrDecay"), number("weightDecay"), number("eps")};
  }
}

Optimizer::Optimizer(OptimizerOptions options, std::vector<at::Tensor> parameters, std::vector<std::string> names)
    : options_(std::move(options)), parameters_(std::move(parameters)), names_(std::move(names)), started_(parameters_.size(), false) {
  const at::NoGradGuard no_grad;
  if (const auto* sgd = std::get_if<SgdOptions>(&options_)) {
    if (sgd->momentum != 0) add_slot("momentum_buffer");
  } else if (const auto* adam = std::get_if<AdamOptions>(&options_)) {
    add_slot("exp_avg");
    add_slot("exp_avg_sq");
    if (adam->amsgrad) add_slot("max_exp_avg_sq");
  } else if (const auto* rmsprop = std::get_if<RmspropOptions>(&options_)) {
    add_slot("square_avg");
    if (rmsprop->momentum != 0) add_slot("momentum_buffer");
    if (rmsprop->centered) add_slot("grad_avg");
  } else {
    add_slot("sum");
  }
  if (parameters_.empty()) return;
  step_counts_ = at::zeros({static_cast<int64_t>(parameters_.size())}, parameters_[0].options().dtype(at::kFloat));
  for (int64_t i = 0; i < step_counts_.size(0); ++i) steps_.push_back(step_counts_.select(0, i));
}

void Optimizer::add_slot(const std::string& name) {
  std::vector<at::Tensor>& tensors = slots_[name];
  for (const at::Tensor& parameter : parameters_) tensors.push_back(at::zeros_like(parameter));
}

void Optimizer::gather(Lists& lists, bool started) const {
  lists.parameters.clear();
  lists.gradients.clear();
  lists.steps.clear();
  for (const auto& [name, tensors] : slots_) lists.slots[name].clear();
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor& gradient = parameters_[i].grad();
    if (!gradient.defined() || started_[i] != started) continue;
    lists.parameters.push_back(parameters_[i]);
    lists.gradients.push_back(gradient);
    lists.steps.push_back(steps_[i]);
    for (const auto& [name, tensors] : slots_) lists.slots[name].push_back(tensors[i]);
  }
}

void Optimizer::step(double lr, const std::optional<at::Tensor>& skip) {
  const at::NoGradGuard no_grad;
  gather(fresh_, false);
  gather(going_, true);
  const size_t stepped = fresh_.parameters.size() + going_.parameters.size();
  // One addition for all where all take part, which is nearly always.
  if (stepped == parameters_.size()) {
    step_counts_.add_(1);
    if (skip) step_counts_.sub_(*skip);
  } else {
    for (const Lists* lists : {&fresh_, &going_})
      for (const at::Tensor& count : lists->steps) {
        count.add_(1);
        if (skip) count.sub_(*skip);
      }
  }
  if (const auto* sgd = std::get_if<SgdOptions>(&options_)) step_sgd(*sgd, lr, skip);
  else if (const auto* adam = std::get_if<AdamOptions>(&options_)) step_adam(*adam, lr, skip);
  else if (const auto* rmsprop = std::get_if<RmspropOptions>(&options_)) step_rmsprop(*rmsprop, lr);
  else step_adagrad(std::get<AdagradOptions>(options_), lr, skip);
  for (size_t i = 0; i < parameters_.size(); ++i)
    if (parameters_[i].grad().defined()) started_[i] = true;
}

void Optimizer::step_sgd(const SgdOptions& sgd, double lr, const std::optional<at::Tensor>& skip) {
  for (Lists* lists : {&fresh_, &going_}) {
    if (lists->parameters.empty()) continue;
    at::_fused_sgd_(lists->parameters, lists->gradients, sgd.momentum != 0 ? lists->slots["momentum_buffer"] : std::vector<at::Tensor>{}, sgd.weight_decay, sgd.momentum, lr, sgd.dampening, sgd.nesterov, false, lists == &fresh_, {}, skip);
  }
}

void Optimizer::step_adam(const AdamOptions& adam, double lr, const std::optional<at::Tensor>& skip) {
  for (Lists* lists : {&fresh_, &going_}) {
    if (lists->parameters.empty()) continue;
    const std::vector<at::Tensor> none;
    const auto& maxima = adam.amsgrad ? lists->slots["max_exp_avg_sq"] : none;
    if (adam.decoupled)
      at::_fused_adamw_(lists->parameters, lists->gradients, lists->slots["exp_avg"], lists->slots["exp_avg_sq"], maxima, lists->steps, lr, adam.beta1, adam.beta2, adam.weight_decay, adam.eps, adam.amsgrad, false, {}, skip);
    else
      at::_fused_adam_(lists->parameters, lists->gradients, lists->slots["exp_avg"], lists->slots["exp_avg_sq"], maxima, lists->steps, lr, adam.beta1, adam.beta2, adam.weight_decay, adam.eps, adam.amsgrad, false, {}, skip);
  }
}

/// torch.optim.RMSprop's arithmetic, in its order (torch/optim/rmsprop.py, _multi_tensor_rmsprop).
void Optimizer::step_rmsprop(const RmspropOptions& rmsprop, double lr) {
  for (Lists* lists : {&fresh_, &going_}) {
    if (lists->parameters.empty()) continue;
    if (rmsprop.weight_decay != 0) lists->gradients = at::_foreach_add(lists->gradients, lists->parameters, rmsprop.weight_decay);
    const auto& gradients = lists->gradients;
    auto& squares = lists->slots["square_avg"];
    at::_foreach_mul_(squares, rmsprop.alpha);
    at::_foreach_addcmul_(squares, gradients, gradients, 1 - rmsprop.alpha);
    std::vector<at::Tensor> average;
    if (rmsprop.centered) {
      auto& means = lists->slots["grad_avg"];
      at::_foreach_lerp_(means, gradients, at::Scalar(1 - rmsprop.alpha));
      average = at::_foreach_addcmul(squares, means, means, -1);
      at::_foreach_sqrt_(average);
    } else {
      average = at::_foreach_sqrt(squares);
    }
    at::_foreach_add_(average, at::Scalar(rmsprop.eps));
    if (rmsprop.momentum > 0) {
      auto& buffers = lists->slots["momentum_buffer"];
      at::_foreach_mul_(buffers, rmsprop.momentum);
      at::_foreach_addcdiv_(buffers, gradients, average, 1);
      at::_foreach_add_(lists->parameters, buffers, -lr);
    } else {
      at::_foreach_addcdiv_(lists->parameters, gradients, average, -lr);
    }
  }
}

void Optimizer::step_adagrad(const AdagradOptions& adagrad, double lr, const std::optional<at::Tensor>& skip) {
  for (Lists* lists : {&fresh_, &going_}) {
    if (lists->parameters.empty()) continue;
    at::_fused_adagrad_(lists->parameters, lists->gradients, lists->slots["sum"], lists->steps, lr, adagrad.lr_decay, adagrad.weight_decay, adagrad.eps, false, {}, skip);
  }
}

NamedTensors Optimizer::state() const {
  NamedTensors tensors;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!started_[i]) continue;
    const std::string prefix = "optimizer/" + names_[i] + "/";
    for (const auto& [name, slot] : slots_) tensors.emplace_back(prefix + name, slot[i]);
    // A copy: the counts are views of one tensor.
    tensors.emplace_back(prefix + "step", steps_[i].clone());
  }
  return tensors;
}

void Optimizer::load(const std::map<std::string, at::Tensor>& saved) {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const std::string prefix = "optimizer/" + names_[i] + "/";
    // Never stepped: a parameter inside a branch not yet taken.
    if (!saved.contains(prefix + "step")) continue;
    const auto restore = [&](const std::string& name, const at::Tensor& target) {
      const auto entry = saved.find(prefix + name);
      if (entry == saved.end() || entry->second.sizes() != target.sizes())
        throw EngineError("CHECKPOINT_CORRUPT", "The checkpoint's optimizer state \"" + name + "\" of \"" + names_[i] + "\" is missing or has another shape; it was written by another optimizer.");
      target.copy_(entry->second);
    };
    for (const auto& [name, slot] : slots_) restore(name, slot[i]);
    restore("step", steps_[i]);
    started_[i] = true;
  }
}

} // namespace tensorloom
