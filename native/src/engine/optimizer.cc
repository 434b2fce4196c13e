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
#include <ATen/ops/maximum.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "error.h"

namespace tensorloom {

OptimizerOptions read_optimizer(const JsonPlace& place) {
  constexpr double kHuge = 1e30;
  const auto number = [&](const char* key) { return place.at(key).number(0, kHuge); };
  const auto read_betas = [&] {
    const std::vector<double> betas = place.at("betas").numbers();
    if (betas.size() != 2 || std::any_of(betas.begin(), betas.end(), [](double beta) { return beta < 0 || beta >= 1; })) place.at("betas").fail("expected two numbers, 0 ≤ beta < 1");
    return betas;
  };
  const size_t kind = place.at("kind").choice({"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "Lion", "LBFGS"});
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
      const std::vector<double> betas = read_betas();
      return AdamOptions{betas[0], betas[1], number("eps"), number("weightDecay"), place.at("amsgrad").boolean(), kind == 2};
    }
    case 3:
      place.fields({"kind", "alpha", "eps", "weightDecay", "momentum", "centered"});
      return RmspropOptions{number("alpha"), number("eps"), number("weightDecay"), number("momentum"), place.at("centered").boolean()};
    case 5:
      place.fields({"kind", "rho", "eps", "weightDecay"});
      return AdadeltaOptions{place.at("rho").number(0, 1), number("eps"), number("weightDecay")};
    case 6: {
      place.fields({"kind", "betas", "eps", "weightDecay"});
      const std::vector<double> betas = read_betas();
      return AdamaxOptions{betas[0], betas[1], number("eps"), number("weightDecay")};
    }
    case 7: {
      place.fields({"kind", "betas", "eps", "weightDecay", "momentumDecay", "decoupled"});
      const std::vector<double> betas = read_betas();
      return NadamOptions{betas[0], betas[1], number("eps"), number("weightDecay"), number("momentumDecay"), place.at("decoupled").boolean()};
    }
    case 8: {
      place.fields({"kind", "betas", "eps", "weightDecay", "decoupled"});
      const std::vector<double> betas = read_betas();
      return RadamOptions{betas[0], betas[1], number("eps"), number("weightDecay"), place.at("decoupled").boolean()};
    }
    case 9: {
      place.fields({"kind", "betas", "weightDecay"});
      const std::vector<double> betas = read_betas();
      return LionOptions{betas[0], betas[1], number("weightDecay")};
    }
    case 10:
      place.fields({"kind", "maxIter", "historySize", "toleranceGrad", "toleranceChange", "lineSearch", "weightDecay"});
      return LbfgsOptions{place.at("maxIter").integer(1, 10'000), place.at("historySize").integer(1, 10'000), number("toleranceGrad"), number("toleranceChange"), number("weightDecay"), place.at("lineSearch").choice({"none", "strong_wolfe"}) == 1};
    default:
      place.fields({"kind", "lrDecay", "weightDecay", "eps"});
      return AdagradOptions{number("lrDecay"), number("weightDecay"), number("eps")};
  }
}

Optimizer::Optimizer(OptimizerOptions options, std::vector<at::Tensor> parameters, std::vector<std::string> names)
    : options_(std::move(options)), parameters_(std::move(parameters)), names_(std::move(names)), counts_(parameters_.size(), 0), momenta_(parameters_.size(), 1), started_(parameters_.size(), false) {
  const at::NoGradGuard no_grad;
  if (const auto* lbfgs = std::get_if<LbfgsOptions>(&options_)) {
    lbfgs_ = std::make_unique<Lbfgs>(*lbfgs, parameters_);
    return;
  }
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
  } else if (std::holds_alternative<AdagradOptions>(options_)) {
    add_slot("sum");
  } else if (std::holds_alternative<AdadeltaOptions>(options_)) {
    add_slot("square_avg");
    add_slot("acc_delta");
  } else {
    add_slot("exp_avg");
    if (std::holds_alternative<AdamaxOptions>(options_)) add_slot("exp_inf");
    else if (!std::holds_alternative<LionOptions>(options_)) add_slot("exp_avg_sq");
  }
  if (parameters_.empty()) return;
  step_counts_ = at::zeros({static_cast<int64_t>(parameters_.size())}, parameters_[0].options().dtype(at::kFloat));
  for (int64_t i = 0; i < step_counts_.size(0); ++i) steps_.push_back(step_counts_.select(0, i));
}

void Optimizer::add_slot(const std::string& name) {
  std::vector<at::Tensor>& tensors = slots_[name];
  for (const at::Tensor& parameter : parameters_) tensors.push_back(at::zeros_like(parameter));
}

void Optimizer::set_scales(const std::vector<double>& scales) {
  const std::set<double> distinct(scales.begin(), scales.end());
  if (lbfgs_ && distinct.size() > 1) throw EngineError("PROGRAM_INVALID", "LBFGS moves all weights together, so they cannot learn at different paces. Choose another optimizer.");
  scales_ = scales;
  distinct_scales_.assign(distinct.begin(), distinct.end());
}

void Optimizer::gather(Lists& lists, bool started, double scale) const {
  lists.parameters.clear();
  lists.gradients.clear();
  lists.steps.clear();
  for (auto& [name, tensors] : lists.slots) tensors.clear();
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (started_[i] != started || (!scales_.empty() && scales_[i] != scale)) continue;
    const at::Tensor& gradient = parameters_[i].grad();
    if (!gradient.defined()) continue;
    lists.parameters.push_back(parameters_[i]);
    lists.gradients.push_back(gradient);
    lists.steps.push_back(steps_[i]);
    for (const auto& [name, tensors] : slots_) lists.slots[name].push_back(tensors[i]);
  }
}

void Optimizer::step(double lr, const std::optional<at::Tensor>& skip) {
  const at::NoGradGuard no_grad;
  for (const double scale : distinct_scales_) step_scaled(lr * scale, scale, skip);
  for (size_t i = 0; i < parameters_.size(); ++i)
    if (parameters_[i].grad().defined()) started_[i] = true;
}

void Optimizer::step_scaled(double lr, double scale, const std::optional<at::Tensor>& skip) {
  gather(fresh_, false, scale);
  gather(going_, true, scale);
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
  else if (const auto* adagrad = std::get_if<AdagradOptions>(&options_)) step_adagrad(*adagrad, lr, skip);
  else step_each(lr, scale);
  // Held any longer, they would stand beside those of the next step.
  fresh_.gradients.clear();
  going_.gradients.clear();
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

void Optimizer::step_each(double lr, double scale) {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].grad().defined() || (!scales_.empty() && scales_[i] != scale)) continue;
    const int64_t count = ++counts_[i];
    std::visit(
        [&](const auto& options) {
          if constexpr (requires { step_one(options, i, count, lr); }) step_one(options, i, count, lr);
        },
        options_);
  }
}

// The arithmetic of torch/optim, in its order: _single_tensor_adadelta, _adamax, _nadam and _radam.

void Optimizer::step_one(const AdadeltaOptions& adadelta, size_t i, int64_t, double lr) {
  const at::Tensor gradient = adadelta.weight_decay == 0 ? parameters_[i].grad() : parameters_[i].grad().add(parameters_[i], adadelta.weight_decay);
  at::Tensor &squares = slots_["square_avg"][i], &moved = slots_["acc_delta"][i];
  squares.mul_(adadelta.rho).addcmul_(gradient, gradient, 1 - adadelta.rho);
  const at::Tensor size = squares.add(adadelta.eps).sqrt_();
  const at::Tensor delta = moved.add(adadelta.eps).sqrt_().div_(size).mul_(gradient);
  moved.mul_(adadelta.rho).addcmul_(delta, delta, 1 - adadelta.rho);
  parameters_[i].add_(delta, -lr);
}

void Optimizer::step_one(const AdamaxOptions& adamax, size_t i, int64_t count, double lr) {
  const at::Tensor gradient = adamax.weight_decay == 0 ? parameters_[i].grad() : parameters_[i].grad().add(parameters_[i], adamax.weight_decay);
  at::Tensor &means = slots_["exp_avg"][i], &largest = slots_["exp_inf"][i];
  means.lerp_(gradient, 1 - adamax.beta1);
  largest.copy_(at::maximum(largest.mul_(adamax.beta2), gradient.abs().add_(adamax.eps)));
  parameters_[i].addcdiv_(means, largest, -lr / (1 - std::pow(adamax.beta1, count)));
}

void Optimizer::step_one(const NadamOptions& nadam, size_t i, int64_t count, double lr) {
  at::Tensor& parameter = parameters_[i];
  at::Tensor gradient = parameter.grad();
  if (nadam.weight_decay != 0) {
    if (nadam.decoupled) parameter.mul_(1 - lr * nadam.weight_decay);
    else gradient = gradient.add(parameter, nadam.weight_decay);
  }
  const auto momentum_at = [&](double step) { return nadam.beta1 * (1 - 0.5 * std::pow(0.96, step * nadam.momentum_decay)); };
  const double now = momentum_at(static_cast<double>(count)), next = momentum_at(static_cast<double>(count) + 1);
  momenta_[i] *= now;
  at::Tensor &means = slots_["exp_avg"][i], &squares = slots_["exp_avg_sq"][i];
  means.lerp_(gradient, 1 - nadam.beta1);
  squares.mul_(nadam.beta2).addcmul_(gradient, gradient, 1 - nadam.beta2);
  const at::Tensor size = squares.div(1 - std::pow(nadam.beta2, count)).sqrt_().add_(nadam.eps);
  parameter.addcdiv_(gradient, size, -lr * (1 - now) / (1 - momenta_[i]));
  parameter.addcdiv_(means, size, -lr * next / (1 - momenta_[i] * next));
}

void Optimizer::step_one(const RadamOptions& radam, size_t i, int64_t count, double lr) {
  at::Tensor& parameter = parameters_[i];
  at::Tensor gradient = parameter.grad();
  if (radam.weight_decay != 0) {
    if (radam.decoupled) parameter.mul_(1 - lr * radam.weight_decay);
    else gradient = gradient.add(parameter, radam.weight_decay);
  }
  at::Tensor &means = slots_["exp_avg"][i], &squares = slots_["exp_avg_sq"][i];
  means.lerp_(gradient, 1 - radam.beta1);
  squares.mul_(radam.beta2).addcmul_(gradient, gradient, 1 - radam.beta2);
  const double decay = std::pow(radam.beta2, count), correction = 1 - decay;
  const double longest = 2 / (1 - radam.beta2) - 1, length = longest - 2 * static_cast<double>(count) * decay / correction;
  at::Tensor update = means.div(1 - std::pow(radam.beta1, count)).mul_(lr);
  if (length > 5) {
    const double rectified = std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
    update.mul_(squares.sqrt().add_(radam.eps).reciprocal_().mul_(std::sqrt(correction))).mul_(rectified);
  }
  parameter.sub_(update);
}

/// @see Chen et al., Symbolic discovery of optimization algorithms, 2023, algorithm 2
void Optimizer::step_one(const LionOptions& lion, size_t i, int64_t, double lr) {
  at::Tensor &parameter = parameters_[i], &means = slots_["exp_avg"][i];
  const at::Tensor& gradient = parameter.grad();
  if (lion.weight_decay != 0) parameter.mul_(1 - lr * lion.weight_decay);
  parameter.add_(means.lerp(gradient, 1 - lion.beta1).sign_(), -lr);
  means.lerp_(gradient, 1 - lion.beta2);
}

NamedTensors Optimizer::state() const {
  if (lbfgs_) return lbfgs_->state();
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
  if (lbfgs_) return lbfgs_->load(saved);
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
    counts_[i] = static_cast<int64_t>(steps_[i].item<float>());
    if (const auto* nadam = std::get_if<NadamOptions>(&options_))
      for (int64_t step = 1; step <= counts_[i]; ++step) momenta_[i] *= nadam->beta1 * (1 - 0.5 * std::pow(0.96, static_cast<double>(step) * nadam->momentum_decay));
    started_[i] = true;
  }
}

} // namespace tensorloom
