#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros_like.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "../engine/interpreter.h"
#include "../engine/memory.h"
#include "../engine/sha256.h"
#include "../engine/trainer.h"
#include "commands.h"
#include "programs.h"
#include "synthetic.h"

namespace tensorloom::test {
namespace {

class Report {
 public:
  void check(const std::string& name, const std::function<void()>& body) {
    std::string why;
    try {
      body();
    } catch (const EngineError& error) {
      why = error.failure.to_json();
    } catch (const std::exception& error) {
      why = error.what();
    }
    std::printf("%s %s%s%s\n", why.empty() ? "ok    " : "FAILED", name.c_str(), why.empty() ? "" : ": ", why.c_str());
    std::fflush(stdout);
    ++checks_;
    if (!why.empty()) ++failed_;
  }
  int finish() const {
    std::printf("%d checks, %d failed\n", checks_, failed_);
    return failed_ == 0 ? 0 : 1;
  }

 private:
  int checks_ = 0, failed_ = 0;
};

void require(bool holds, const std::string& what) {
  if (!holds) throw EngineError("INTERNAL", what);
}

Failure failure_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const EngineError& error) {
    return error.failure;
  }
  throw EngineError("INTERNAL", "it did not fail");
}

/// One step of torch.optim's arithmetic in its plainest form, on `p` and its state.
using PlainStep = std::function<void(at::Tensor& p, const at::Tensor& gradient, std::vector<at::Tensor>& state, int64_t step)>;

/// Steps the engine's optimizer and the plain arithmetic side by side on the same gradients.
void check_optimizer(const OptimizerOptions& options, const PlainStep& plain, double lr, at::Device device) {
  const at::Tensor start = at::randn({7, 5}).to(device);
  at::Tensor ours = start.clone().requires_grad_(true);
  at::Tensor theirs = start.clone();
  std::vector<at::Tensor> state(3, at::zeros_like(theirs));
  for (at::Tensor& slot : state) slot = slot.clone();
  Optimizer optimizer(options, {ours}, {"p"});
  for (int64_t step = 1; step <= 20; ++step) {
    const at::Tensor gradient = at::randn({7, 5}).to(device);
    ours.mutable_grad() = gradient.clone();
    optimizer.step(lr, std::nullopt);
    plain(theirs, gradient, state, step);
    require(at::allclose(ours.detach(), theirs, 1e-5, 1e-6), "differs at step " + std::to_string(step));
  }
}

void check_optimizers(Report& report, at::Device device) {
  const double lr = 0.01;
  report.check("SGD with Nesterov momentum", [&] {
    check_optimizer(SgdOptions{0.9, 0, 0.1, true}, [&](at::Tensor& p, const at::Tensor& gradient, std::vector<at::Tensor>& state, int64_t step) {
      const at::Tensor g = gradient + p * 0.1;
      state[0] = step == 1 ? g : state[0] * 0.9 + g;
      p = p - (g + state[0] * 0.9) * lr;
    }, lr, device);
  });
  const auto adam = [&](bool decoupled) -> PlainStep {
    return [decoupled, lr](at::Tensor& p, const at::Tensor& gradient, std::vector<at::Tensor>& state, int64_t step) {
      const auto t = static_cast<double>(step);
      const at::Tensor g = decoupled ? gradient : gradient + p * 0.1;
      if (decoupled) p = p * (1 - lr * 0.1);
      state[0] = state[0] * 0.9 + g * 0.1;
      state[1] = state[1] * 0.99 + g * g * 0.01;
      p = p - state[0] / (1 - std::pow(0.9, t)) * lr / ((state[1] / (1 - std::pow(0.99, t))).sqrt() + 1e-8);
    };
  };
  report.check("Adam", [&] { check_optimizer(AdamOptions{0.9, 0.99, 1e-8, 0.1, false, false}, adam(false), lr, device); });
  report.check("AdamW", [&] { check_optimizer(AdamOptions{0.9, 0.99, 1e-8, 0.1, false, true}, adam(true), lr, device); });
  report.check("RMSprop", [&] {
    check_optimizer(RmspropOptions{0.9, 1e-6, 0.1, 0.5, true}, [&](at::Tensor& p, const at::Tensor& gradient, std::vector<at::Tensor>& state, int64_t) {
      const at::Tensor g = gradient + p * 0.1;
      state[0] = state[0] * 0.9 + g * g * 0.1;
      state[1] = state[1] * 0.9 + g * 0.1;
      state[2] = state[2] * 0.5 + g / ((state[0] - state[1] * state[1]).sqrt() + 1e-6);
      p = p - state[2] * lr;
    }, lr, device);
  });
  report.check("Adagrad", [&] {
    check_optimizer(AdagradOptions{0.01, 0.1, 1e-10}, [&](at::Tensor& p, const at::Tensor& gradient, std::vector<at::Tensor>& state, int64_t step) {
      const at::Tensor g = gradient + p * 0.1;
      state[0] = state[0] + g * g;
      p = p - g / (state[0].sqrt() + 1e-10) * (lr / (1 + static_cast<double>(step - 1) * 0.01));
    }, lr, device);
  });
}

std::string state_of(const std::string& file) {
  Safetensors saved = Safetensors::read(file);
  Sha256 hash;
  for (const auto& [name, tensor] : saved.tensors) {
    hash.add(name.data(), name.size());
    hash.add(tensor.const_data_ptr(), tensor.nbytes());
  }
  return hash.finish();
}

double worst_difference(const std::vector<double>& a, const std::vector<double>& b) {
  require(!a.empty() && a.size() == b.size(), "the runs have different lengths");
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = std::fabs(a[i] - b[i]) / std::fmax(1e-3, std::fabs(a[i]));
    // Not a number compares as no difference at all.
    worst = std::isnan(difference) ? INFINITY : std::fmax(worst, difference);
  }
  return worst;
}

TrainSpec read_spec(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw EngineError("INTERNAL", "Cannot read \"" + path + "\".");
  std::ostringstream text;
  text << file.rdbuf();
  return TrainSpec::parse(text.str());
}

} // namespace

int self_check(Where where) {
  install_memory_guard();
  Report report;
  const at::Device device = pick_device(where.cuda);

  report.check("JSON is read strictly", [] {
    for (const char* good : {"null", " [1, -2.5e3, \"\\u00e9\\n\", true, {}] ", "{\"a\":{\"b\":[]}}"}) Json::parse(good, "X");
    for (const char* bad : {"", "nul", "[1,]", "{\"a\":1,\"a\":2}", "01", "1.", "+1", "\"\\x\"", "\"\n\"", "[1] 2", "1e999", "\"\\ud800\"", "{a:1}", "'a'"})
      require(failure_of([&] { Json::parse(bad, "X"); }).code == "X", std::string("it read ") + bad);
    require(failure_of([] { Json::parse(std::string(100'000, '['), "X"); }).code == "X", "it read a deep one");
  });
  report.check("SHA-256 of known texts", [] {
    const auto hash_of = [](const std::string& text) {
      Sha256 hash;
      for (const char c : text) hash.add(&c, 1);
      return hash.finish();
    };
    require(hash_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "of nothing");
    require(hash_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "of abc");
    require(hash_of(std::string(1000, 'a')) == "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3", "of a thousand a");
  });
  report.check("a program computes what libtorch computes", [&] {
    const Json json = Json::parse(R"({"version":1,"inputs":[{"value":0,"name":"x","dtype":"float32","shape":["B",3],"node":"x"}],
      "weights":[{"value":1,"name":"w","dtype":"float32","shape":[4,3],"init":{"kind":"uniform","low":-1,"high":1},"trainable":true,"node":"fc"}],
      "ops":[{"op":"aten::linear","args":[{"v":0},{"v":1}],"out":[2],"node":"fc"}],"outputs":[{"value":2,"name":"y"}]})", "X");
    const Program program = Program::read(JsonPlace(json, "", "X"));
    const at::Tensor x = at::randn({2, 3}).to(device), w = at::randn({4, 3}).to(device);
    require(Interpreter(program.only({"y"}), device).run({x}, {w}, false)[0].equal(at::linear(x, w)), "it differs");
  });
  check_optimizers(report, device);

  const TemporaryFolder folder;
  for (size_t i = 0; i < std::size(kPrograms); ++i) {
    TrainSpec spec = plain_spec(kPrograms[i]);
    use_synthetic_data(spec, folder.path(), 160);
    spec.cuda = where.cuda;
    spec.epochs = 6;
    spec.lr = 0.005;
    const std::string name = "program " + std::to_string(i + 1);
    report.check(name + " learns", [&] {
      const std::vector<double> losses = losses_of(spec);
      require(losses.size() == 60 && losses.back() < losses.front(), "its loss went from " + std::to_string(losses.front()) + " to " + std::to_string(losses.back()));
    });
    report.check(name + " runs in bfloat16 and channels_last order", [&] {
      TrainSpec other = spec;
      other.bf16 = other.channels_last = true;
      require(std::isfinite(losses_of(other).back()), "its loss is not finite");
    });
    report.check(name + " resumes bit for bit", [&] {
      TrainSpec whole = spec;
      whole.epochs = 2;
      whole.accumulate = 3;
      whole.checkpoint_folder = folder.path();
      whole.checkpoint_every_ms = 1;
      losses_of(whole);
      const std::string last = folder.path() + "/step-8.safetensors";
      const std::string expected = state_of(last);
      TrainSpec rest = whole;
      rest.resume_from = folder.path() + "/step-4.safetensors";
      losses_of(rest);
      require(state_of(last) == expected, "its last checkpoint differs");
    });
    if (where.cuda)
      report.check(name + " has the same losses on the GPU and the CPU", [&] {
        // Dropout draws other numbers on a GPU.
        if (spec.program.has_random && i == 0) return;
        TrainSpec cpu = spec;
        cpu.cuda = false;
        const double worst = worst_difference(losses_of(cpu), losses_of(spec));
        require(worst < 1e-2, "they differ by " + std::to_string(worst));
      });
  }
  report.check("a loss that is not finite is blamed on a node", [&] {
    TrainSpec wild = plain_spec(kPrograms[2]);
    use_synthetic_data(wild, folder.path(), 160);
    wild.cuda = where.cuda;
    wild.lr = 1e30;
    const Failure failure = failure_of([&] { losses_of(wild); });
    require(failure.code == "RUN_NONFINITE" && failure.step > 0 && !failure.node.empty(), failure.to_json());
  });
  return report.finish();
}

int compare_devices(const std::vector<std::string>& specs) {
  Report report;
  for (const std::string& path : specs)
    report.check(std::filesystem::path(path).stem().string() + ": 50 steps on the CPU and on the GPU", [&] {
      const TemporaryFolder folder;
      TrainSpec spec = read_spec(path);
      use_synthetic_data(spec, folder.path(), 50 * spec.batch_size);
      spec.epochs = 1;
      spec.cuda = false;
      const std::vector<double> cpu = losses_of(spec);
      spec.cuda = true;
      const double worst = worst_difference(cpu, losses_of(spec));
      std::printf("       largest relative difference %.2g\n", worst);
      // Other kernels sum in another order; training amplifies that from step to step.
      require(worst < 1e-2, "the losses differ by " + std::to_string(worst));
    });
  return report.finish();
}

int bench(const std::vector<std::string>& specs, Where where, double seconds) {
  for (const std::string& path : specs) {
    const TemporaryFolder folder;
    TrainSpec spec = read_spec(path);
    use_synthetic_data(spec, folder.path(), 40 * spec.batch_size);
    spec.cuda = where.cuda;
    spec.epochs = 1;
    spec.validation.rows = spec.batch_size;
    losses_of(spec);
    int64_t rows = 0;
    const auto start = std::chrono::steady_clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
    while (elapsed() < seconds) {
      losses_of(spec);
      rows += spec.train.rows;
    }
    std::printf("{\"network\":\"%s\",\"device\":\"%s\",\"samplesPerSecond\":%.0f}\n", std::filesystem::path(path).stem().c_str(), where.cuda ? "cuda" : "cpu", static_cast<double>(rows) / elapsed());
    std::fflush(stdout);
  }
  return 0;
}

} // namespace tensorloom::test
