#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "program.h"
#include "tensors.h"

namespace tensorloom {

/// Exponential averages of a run's weights over its steps, as torch.optim.swa_utils.AveragedModel has them with get_ema_multi_avg_fn. Where they
/// are kept, a checkpoint has them under the weights' own names, and the weights that are trained under `raw/<name>`.
class Averages {
 public:
  /// Keeps none where there is no decay.
  explicit Averages(std::optional<double> decay) : decay_(decay) {}

  bool are_kept() const { return decay_.has_value(); }
  /// `weights` are those of the run, of which `trainable` are averaged (running statistics and the like are the network's own), and `values` what
  /// the averages begin with, for all weights and on the run's device.
  void begin(const std::vector<Weight>& layout, const std::vector<at::Tensor>& weights, const std::vector<at::Tensor>& values);
  /// Takes in the weights as a step left them; the first step's begin the average.
  void add(const std::vector<at::Tensor>& trainable, bool is_first);
  /// The weights that are evaluated, shown and exported: `weights`, with the averages in their places.
  const std::vector<at::Tensor>& shown(const std::vector<at::Tensor>& weights) const { return decay_ ? all_ : weights; }

  /// What a checkpoint keeps beside the averages.
  NamedTensors raw(const std::vector<Weight>& layout, const std::vector<at::Tensor>& weights) const;
  /// The weights that were trained, out of a checkpoint whose averages are `values`.
  /// @throws EngineError CHECKPOINT_CORRUPT
  static std::vector<at::Tensor> read_raw(const std::vector<Weight>& layout, const Safetensors& saved, std::vector<at::Tensor> values);

 private:
  std::optional<double> decay_;
  /// Of the trainable weights, and all weights with those among them.
  std::vector<at::Tensor> averages_, all_;
};

} // namespace tensorloom
