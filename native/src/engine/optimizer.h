#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "json.h"
#include "lbfgs.h"
#include "tensors.h"

namespace tensorloom {

struct SgdOptions {
  double momentum, dampening, weight_decay;
  bool nesterov;
};
/// Adam, and AdamW where `decoupled`.
struct AdamOptions {
  double beta1, beta2, eps, weight_decay;
  bool amsgrad, decoupled;
};
struct RmspropOptions {
  double alpha, eps, weight_decay, momentum;
  bool centered;
};
struct AdagradOptions {
  double lr_decay, weight_decay, eps;
};
struct AdadeltaOptions {
  double rho, eps, weight_decay;
};
struct AdamaxOptions {
  double beta1, beta2, eps, weight_decay;
};
struct NadamOptions {
  double beta1, beta2, eps, weight_decay, momentum_decay;
  bool decoupled;
};
struct RadamOptions {
  double beta1, beta2, eps, weight_decay;
  bool decoupled;
};
struct LionOptions {
  double beta1, beta2, weight_decay;
};
using OptimizerOptions = std::variant<SgdOptions, AdamOptions, RmspropOptions, AdagradOptions, AdadeltaOptions, AdamaxOptions, NadamOptions, RadamOptions, LionOptions, LbfgsOptions>;

OptimizerOptions read_optimizer(const JsonPlace& place);

/// Steps parameters as torch.optim does, by libtorch's fused kernels where there is one. Parameters without a gradient
/// are left alone, their own step counts too.
class Optimizer {
 public:
  Optimizer(OptimizerOptions options, std::vector<at::Tensor> parameters, std::vector<std::string> names);

  /// Has each parameter, in their order, step with so many times the learning rate. @throws EngineError where the optimizer cannot.
  void set_scales(const std::vector<double>& scales);
  /// One step with the gradients as they are. Where `skip` (a float on the parameters' device) holds 1, nothing changes.
  void step(double lr, const std::optional<at::Tensor>& skip);
  /// One step of an optimizer that takes the loss several times. `loss` is the first, and the gradients are its.
  void step(double lr, double loss, const Evaluate& evaluate) { lbfgs_->step(lr, loss, evaluate); }
  bool evaluates() const { return lbfgs_ != nullptr; }
  /// Whether losses that are not finite are its to deal with, but for a step's first.
  bool searches() const { return lbfgs_ != nullptr && std::get<LbfgsOptions>(options_).searches; }
  /// Whether `skip` is honoured, as the fused kernels do.
  bool can_skip() const { return std::holds_alternative<SgdOptions>(options_) || std::holds_alternative<AdamOptions>(options_) || std::holds_alternative<AdagradOptions>(options_); }

  /// Every number a resumed run needs, as `optimizer/<weight>/<PyTorch's name>`.
  NamedTensors state() const;
  /// @throws EngineError CHECKPOINT_CORRUPT where a tensor is missing or has another shape.
  void load(const std::map<std::string, at::Tensor>& saved);

 private:
  /// Tensors of one kind for each parameter, as the kernels take them.
  struct Lists {
    std::vector<at::Tensor> parameters, gradients, steps;
    std::map<std::string, std::vector<at::Tensor>> slots;
  };
  void add_slot(const std::string& name);
  /// Parameters of this scale that have a gradient and whose `started_` is `started`.
  void gather(Lists& lists, bool started, double scale) const;
  /// One step of the parameters of this scale.
  void step_scaled(double lr, double scale, const std::optional<at::Tensor>& skip);
  void step_sgd(const SgdOptions& sgd, double lr, const std::optional<at::Tensor>& skip);
  void step_adam(const AdamOptions& adam, double lr, const std::optional<at::Tensor>& skip);
  void step_rmsprop(const RmspropOptions& rmsprop, double lr);
  void step_adagrad(const AdagradOptions& adagrad, double lr, const std::optional<at::Tensor>& skip);

  /// One parameter at a time, for what has no fused kernel; `count` is its number of steps, this one included.
  void step_each(double lr, double scale);
  void step_one(const AdadeltaOptions& adadelta, size_t i, int64_t count, double lr);
  void step_one(const AdamaxOptions& adamax, size_t i, int64_t count, double lr);
  void step_one(const NadamOptions& nadam, size_t i, int64_t count, double lr);
  void step_one(const RadamOptions& radam, size_t i, int64_t count, double lr);
  void step_one(const LionOptions& lion, size_t i, int64_t count, double lr);

  OptimizerOptions options_;
  std::vector<at::Tensor> parameters_;
  std::vector<std::string> names_;
  std::map<std::string, std::vector<at::Tensor>> slots_;
  /// Steps taken by each parameter: one tensor, and a view of it for each.
  at::Tensor step_counts_;
  std::vector<at::Tensor> steps_;
  /// The same on the host, where no `skip` can make them differ.
  std::vector<int64_t> counts_;
  /// NAdam's product of all momenta so far, which follows from the count.
  std::vector<double> momenta_;
  /// Whether a parameter has been stepped; SGD's momentum starts from its first gradient.
  std::vector<bool> started_;
  /// How many times the learning rate each parameter steps with, and which such numbers there are.
  std::vector<double> scales_;
  std::vector<double> distinct_scales_{1};
  Lists fresh_, going_;
  /// Takes the place of all that, where it is chosen.
  std::unique_ptr<Lbfgs> lbfgs_;
};

} // namespace tensorloom
