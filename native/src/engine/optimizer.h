#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "json.h"
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
using OptimizerOptions = std::variant<SgdOptions, AdamOptions, RmspropOptions, AdagradOptions>;

OptimizerOptions read_optimizer(const JsonPlace& place);

/// Steps parameters as torch.optim does, by libtorch's fused kernels where there is one. Parameters without a gradient
/// are left alone, their own step counts too.
class Optimizer {
 public:
  Optimizer(OptimizerOptions options, std::vector<at::Tensor> parameters, std::vector<std::string> names);

  /// One step with the gradients as they are. Where `skip` (a float on the parameters' device) holds 1, nothing changes.
  void step(double lr, const std::optional<at::Tensor>& skip);
  /// Whether `skip` is honoured; RMSprop has no fused kernel that does.
  bool can_skip() const { return !std::holds_alternative<RmspropOptions>(options_); }

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
  /// Parameters that have a gradient and whose `started_` is `started`.
  void gather(Lists& lists, bool started) const;
  void step_sgd(const SgdOptions& sgd, double lr, const std::optional<at::Tensor>& skip);
  void step_adam(const AdamOptions& adam, double lr, const std::optional<at::Tensor>& skip);
  void step_rmsprop(const RmspropOptions& rmsprop, double lr);
  void step_adagrad(const AdagradOptions& adagrad, double lr, const std::optional<at::Tensor>& skip);

  OptimizerOptions options_;
  std::vector<at::Tensor> parameters_;
  std::vector<std::string> names_;
  std::map<std::string, std::vector<at::Tensor>> slots_;
  /// Steps taken by each parameter: one tensor, and a view of it for each.
  at::Tensor step_counts_;
  std::vector<at::Tensor> steps_;
  /// Whether a parameter has been stepped; SGD's momentum starts from its first gradient.
  std::vector<bool> started_;
  Lists fresh_, going_;
};

} // namespace tensorloom
