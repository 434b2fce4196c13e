// What the interpreter costs: the same training steps by programs and by libtorch's calls written out by hand.

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/flatten.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>

#include "../engine/error.h"
#include "../engine/finite.h"
#include "../engine/interpreter.h"
#include "../engine/spec.h"
#include "../engine/weights.h"
#include "commands.h"

namespace tensorloom::test {
namespace {

constexpr AdamOptions kAdamW{0.9, 0.999, 1e-8, 0.01, false, true};
constexpr double kLearningRate = 1e-3;
constexpr int64_t kBatch = 64;
constexpr int64_t kBatches = 16;
constexpr int kRounds = 20;
constexpr int kLives = 16;

using Tensors = std::vector<at::Tensor>;
/// The loss of a batch, with weights in the order in which the network's program lists them.
using HandWritten = std::function<at::Tensor(const at::Tensor& x, const at::Tensor& target, const Tensors& weights)>;

at::Tensor small_mlp(const at::Tensor& x, const at::Tensor& target, const Tensors& w) {
  at::Tensor y = at::relu(at::linear(at::flatten(x, 1), w[0], w[1]));
  y = at::relu(at::linear(y, w[2], w[3]));
  return at::cross_entropy_loss(at::linear(y, w[4], w[5]), target);
}

at::Tensor lenet5(const at::Tensor& x, const at::Tensor& target, const Tensors& w) {
  at::Tensor y = at::max_pool2d(at::relu(at::conv2d(x, w[0], w[1], 1, 2)), 2, 2);
  y = at::max_pool2d(at::relu(at::conv2d(y, w[2], w[3])), 2, 2);
  y = at::relu(at::linear(at::flatten(y, 1), w[4], w[5]));
  y = at::relu(at::linear(y, w[6], w[7]));
  return at::cross_entropy_loss(at::linear(y, w[8], w[9]), target);
}

const std::map<std::string, HandWritten> kNetworks{{"small-mlp", small_mlp}, {"lenet-5", lenet5}};

/// Weights of their own for each side, which begin the same.
Tensors first_weights(const Program& program) {
  Tensors weights = draw_weights(program.weights, make_generator(7));
  for (at::Tensor& weight : weights) weight = weight.detach().clone().requires_grad_(true);
  return weights;
}

/// The sides of the comparison.
enum { kByProgram, kLooking, kByHand, kSides };
/// One of them: takes one step and gives its loss.
using Step = std::function<double(const at::Tensor& x, const at::Tensor& target)>;

/// `looks`: at all gradients for numbers that are not finite, as a run does before its optimizer steps and a plain loop does not.
Step by_program(const Program& program, bool looks) {
  struct State {
    Interpreter interpreter;
    Tensors weights;
    Optimizer optimizer;
  };
  const Tensors weights = first_weights(program);
  std::vector<std::string> names;
  for (const Weight& weight : program.weights) names.push_back(weight.name);
  auto state = std::make_shared<State>(State{Interpreter(program.only({"loss"}), at::kCPU), weights, Optimizer(kAdamW, weights, names)});
  return [state, looks](const at::Tensor& x, const at::Tensor& target) {
    const at::Tensor loss = state->interpreter.run({x, target}, state->weights, true)[0];
    loss.backward();
    for (const at::Tensor& weight : state->weights)
      if (looks && !all_finite(weight.grad())) throw EngineError("INTERNAL", "A gradient is not finite.");
    state->optimizer.step(kLearningRate, std::nullopt);
    for (at::Tensor& weight : state->weights) weight.mutable_grad().reset();
    return *loss.const_data_ptr<float>();
  };
}

Step by_hand(const Program& program, const HandWritten& network) {
  struct State {
    Tensors weights, means, squares, counts;
    at::Tensor count;
  };
  auto state = std::make_shared<State>();
  state->weights = first_weights(program);
  state->count = at::zeros({static_cast<int64_t>(state->weights.size())});
  for (size_t i = 0; i < state->weights.size(); ++i) {
    state->means.push_back(at::zeros_like(state->weights[i]));
    state->squares.push_back(at::zeros_like(state->weights[i]));
    state->counts.push_back(state->count.select(0, static_cast<int64_t>(i)));
  }
  return [state, network](const at::Tensor& x, const at::Tensor& target) {
    const at::Tensor loss = network(x, target, state->weights);
    loss.backward();
    {
      const at::NoGradGuard no_grad;
      Tensors gradients;
      gradients.reserve(state->weights.size());
      for (const at::Tensor& weight : state->weights) gradients.push_back(weight.grad());
      state->count.add_(1);
      at::_fused_adamw_(state->weights, gradients, state->means, state->squares, {}, state->counts, kLearningRate, kAdamW.beta1, kAdamW.beta2, kAdamW.weight_decay, kAdamW.eps, false, false);
    }
    for (at::Tensor& weight : state->weights) weight.mutable_grad().reset();
    return *loss.const_data_ptr<float>();
  };
}

/// Microseconds of work: on one thread its own processor time, which others on the machine do not lengthen; else of the clock.
double now_us(int threads) {
  timespec time{};
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

} // namespace

int overhead(const std::vector<std::string>& specs, int threads) {
  at::set_num_threads(threads);
  int failed = 0;
  for (const std::string& path : specs) {
    const std::string name = std::filesystem::path(path).stem().string();
    const auto network = kNetworks.find(name);
    if (network == kNetworks.end()) throw EngineError("INTERNAL", "No network called \"" + name + "\" is written out by hand.");
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    const Program program = TrainSpec::parse(text.str()).program;

    const at::Generator generator = make_generator(11);
    const at::Tensor x = at::randn({kBatches * kBatch, 1, 28, 28}, generator);
    const at::Tensor target = at::randint(10, {kBatches * kBatch}, generator, at::TensorOptions(at::kLong));
    std::vector<double> losses[kSides], times[kSides], ratios[kSides];
    int64_t steps = 1;
    bool equal = true;
    // Where a side's weights happen to lie in memory favours one or the other by a few percent, so both begin anew many times.
    for (int life = 0; life < kLives; ++life) {
      Step sides[kSides];
      for (int i = 0; i < kSides; ++i) {
        const int side = (life + i) % kSides;
        sides[side] = side == kByHand ? by_hand(program, network->second) : by_program(program, side == kLooking);
      }
      for (auto& of : losses) of.clear();
      const auto run = [&](int side, int64_t count) {
        const double start = now_us(threads);
        for (int64_t i = 0; i < count; ++i) {
          const int64_t row = static_cast<int64_t>(losses[side].size()) % kBatches * kBatch;
          losses[side].push_back(sides[side](x.narrow(0, row, kBatch), target.narrow(0, row, kBatch)));
        }
        return (now_us(threads) - start) / static_cast<double>(count);
      };
      for (int side = 0; side < kSides; ++side) run(side, kBatches);
      // Rounds of about 5 ms: neighbours see the same machine.
      if (life == 0) {
        steps = std::max<int64_t>(1, static_cast<int64_t>(5'000 / run(kByHand, kBatches)));
        for (const int side : {kByProgram, kLooking}) run(side, kBatches);
      }
      for (int round = 0; round < kRounds; ++round) {
        double taken[kSides];
        for (int i = 0; i < kSides; ++i) {
          const int side = (round + i) % kSides;
          taken[side] = run(side, steps);
        }
        for (int side = 0; side < kSides; ++side) {
          times[side].push_back(taken[side]);
          ratios[side].push_back(taken[side] / taken[kByHand]);
        }
      }
      equal = equal && losses[kByProgram] == losses[kByHand] && losses[kLooking] == losses[kByHand];
    }
    std::printf("{\"network\":\"%s\",\"threads\":%d,\"programUs\":%.1f,\"lookingUs\":%.1f,\"handUs\":%.1f,\"overhead\":%.4f,\"withLook\":%.4f,\"equalLosses\":%s,\"rounds\":%zu}\n", name.c_str(), threads, median(times[kByProgram]), median(times[kLooking]), median(times[kByHand]), median(ratios[kByProgram]) - 1, median(ratios[kLooking]) - 1, equal ? "true" : "false", times[kByHand].size());
    std::fflush(stdout);
    failed += equal ? 0 : 1;
  }
  return failed;
}

} // namespace tensorloom::test
