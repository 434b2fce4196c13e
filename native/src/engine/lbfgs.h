#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tensors.h"

namespace tensorloom {

struct LbfgsOptions {
  int64_t max_iter, history_size;
  double tolerance_grad, tolerance_change, weight_decay;
  /// Finds each step's length by a search that meets the strong Wolfe conditions; otherwise it is the learning rate.
  bool searches;
};

/// Takes the loss of the step's rows again, with the parameters as they are now, and leaves its gradients at them.
using Evaluate = std::function<double()>;

/// torch.optim.LBFGS, which takes the loss several times in each step. Weight decay, which PyTorch's does not have, is
/// added to the loss as weight_decay / 2 · ‖w‖², so that a search sees it too.
class Lbfgs {
 public:
  Lbfgs(LbfgsOptions options, std::vector<at::Tensor> parameters);

  /// One step; `loss` and the gradients at the parameters are those before it.
  void step(double lr, double loss, const Evaluate& evaluate);

  NamedTensors state() const;
  /// @throws EngineError CHECKPOINT_CORRUPT where a tensor is missing or has another shape.
  void load(const std::map<std::string, at::Tensor>& saved);

 private:
  /// The loss at a point, and its gradients in one row.
  struct Point {
    double loss;
    at::Tensor gradient;
  };
  /// One pair of the memory: how the gradient changed over a step, and the step.
  struct Pair {
    at::Tensor gradient_change, step;
    double curvature;
  };
  /// A point of a line search: how far along, what was found there, and the slope.
  struct Probe {
    double at;
    Point point;
    double slope;
  };

  Point with_decay(double loss) const;
  void move(double length, const at::Tensor& direction);
  void remember(const at::Tensor& gradient);
  at::Tensor descent(const at::Tensor& gradient) const;
  Probe search(const Point& start, double length, const at::Tensor& direction, double slope, int64_t most, const Evaluate& evaluate, int64_t& count);

  LbfgsOptions options_;
  std::vector<at::Tensor> parameters_;
  bool started_ = false;
  at::Tensor direction_, last_gradient_;
  /// Of the last step; a float, as weights are, because a checkpoint holds it.
  float length_ = 0;
  std::deque<Pair> memory_;
};

} // namespace tensorloom
