#include "frozen.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>

#include "clock.h"
#include "interpreter.h"
#include "memory.h"
#include "precision.h"

namespace tensorloom {
namespace {

/// How often a run says how far it is.
constexpr int64_t kSayEveryMs = 2000;

} // namespace

void compute_features(const TrainSpec& spec, const std::vector<at::Tensor>& weights, at::Device device, Batches& train, Batches& validation, const Control& control, EventLog& events) {
  Interpreter frozen(spec.program.up_to(spec.features), device);
  const std::vector<Output>& outputs = frozen.program().outputs;
  const auto start = Clock::now();
  auto said = start;
  size_t bytes = 0;
  int64_t done = 0;
  const std::pair<const Split*, Batches*> splits[] = {{&spec.train, &train}, {&spec.validation, &validation}};
  const int64_t total = spec.train.rows + spec.validation.rows;
  for (const auto& [split, rows] : splits) {
    const Batches stored(*split, frozen.program(), device, spec.channels_last);
    std::vector<at::Tensor> features(outputs.size());
    for (int64_t first = 0; first < split->rows; first += spec.batch_size) {
      // Whoever asks for the end sees to it that nothing of this is used.
      if (control.is_cancelled()) return;
      const int64_t count = std::min(spec.batch_size, split->rows - first);
      const at::NoGradGuard no_grad;
      const AutocastGuard autocast(spec.bf16, device.type());
      const std::vector<at::Tensor> values = frozen.run(stored.take({}, first, count), weights, false);
      for (size_t i = 0; i < values.size(); ++i) {
        if (values[i].dim() == 0 || values[i].size(0) != count) throw EngineError("PROGRAM_INVALID", "A value that is to be computed once for each row does not have a row for each.");
        if (!features[i].defined()) {
          std::vector<int64_t> shape = values[i].sizes().vec();
          shape[0] = split->rows;
          features[i] = at::empty(shape, at::TensorOptions(at::kFloat));
          bytes += features[i].nbytes();
        }
        features[i].narrow(0, first, count).copy_(values[i]);
      }
      done += count;
      if (ms_since(said) > kSayEveryMs) {
        said = Clock::now();
        events.log("info", "The frozen part has seen " + std::to_string(done) + " of " + std::to_string(total) + " rows.");
        events.flush();
      }
    }
    for (size_t i = 0; i < outputs.size(); ++i) rows->fill(outputs[i].name, std::move(features[i]));
  }
  events.log("info", "The frozen part saw each of " + std::to_string(total) + " rows once, in " + rounded(static_cast<double>(ms_since(start)) / 1000) + " s; what it said (" + print_bytes(static_cast<int64_t>(bytes)) + ") is kept for all epochs.");
  events.flush();
}

} // namespace tensorloom
