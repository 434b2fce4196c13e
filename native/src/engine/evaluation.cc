#include "evaluation.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "clock.h"
#include "generate.h"
#include "precision.h"
#include "tensors.h"
#include "weights.h"

namespace tensorloom {
namespace {

std::vector<std::string> prediction_names(const Program& program) {
  std::vector<std::string> names;
  for (const Output& output : program.outputs)
    if (output.name.starts_with("y")) names.push_back(output.name);
  return names;
}

/// @return false where the value is not one row for each of `count`.
bool append_rows(std::vector<std::vector<double>>& rows, const at::Tensor& value, int64_t count) {
  if (value.dim() == 0 || value.size(0) != count) return false;
  const at::Tensor table = value.to(at::kCPU, at::kDouble).reshape({count, -1}).contiguous();
  for (int64_t row = 0; row < count; ++row) {
    const double* data = table.const_data_ptr<double>() + row * table.size(1);
    rows.emplace_back(data, data + table.size(1));
  }
  return true;
}

} // namespace

std::vector<std::string> output_names(const TrainSpec& spec, bool training) {
  std::vector<std::string> names{"loss"};
  for (const Metric& metric : spec.metrics)
    if (!training || !metric.only_validation) names.push_back(metric.output);
  if (training)
    for (const Breakpoint& breakpoint : spec.breakpoints) names.push_back(breakpoint.output);
  return names;
}

Evaluation::Evaluation(const TrainSpec& spec, const Program& program, const Batches& rows, at::Device device)
    : spec_(spec), rows_(rows), device_(device), evaluate_(program.only(output_names(spec, false)), device), predict_(program.only(prediction_names(spec.program)), device) {
  if (spec_.points) place_.emplace(program.only({spec_.points->output}), device_);
  if (spec_.lattice) lattice_.emplace(spec_.program.only({"y"}), device_);
}

std::optional<Evaluated> Evaluation::run(const std::vector<at::Tensor>& weights, int64_t step, int64_t epoch, bool with_activations, const Control& control, EventLog& events) {
  const auto start = Clock::now();
  const c10::InferenceMode inference;
  const AutocastGuard autocast(spec_.bf16, device_.type());
  const std::vector<Output>& outputs = evaluate_.program().outputs;
  std::vector<double> means(outputs.size(), 0);
  std::vector<at::Tensor> sums(outputs.size());
  std::optional<ActivationHistograms> activations;
  if (with_activations) activations.emplace(evaluate_.program(), HistogramLog::kMost);
  for (int64_t first = 0; first < rows_.rows(); first += spec_.batch_size) {
    if (control.is_cancelled()) return std::nullopt;
    const int64_t count = std::min(spec_.batch_size, rows_.rows() - first);
    const std::vector<at::Tensor> values = evaluate_.run(rows_.take({}, first, count), weights, false, activations && first == 0 ? activations->observer() : nullptr);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (is_sum(outputs[i].name)) {
        const at::Tensor value = values[i].to(at::kDouble);
        sums[i] = sums[i].defined() ? sums[i] + value : value;
      } else {
        means[i] += read_scalar(values[i]) * static_cast<double>(count);
      }
    }
  }
  for (double& mean : means) mean /= static_cast<double>(rows_.rows());
  const auto samples = predict_samples(weights);
  std::optional<std::vector<int64_t>> text;
  if (writes_text(epoch) && !(text = write_text(weights, epoch, control))) return std::nullopt;

  Evaluated found{means[0], 0, 0, {}};
  for (size_t i = 0; i < outputs.size(); ++i)
    if (spec_.early_stopping && outputs[i].name == spec_.early_stopping->output) found.watched = means[i];
  found.ms = exact_ms_since(start);
  if (activations) found.activations = activations->take();
  std::string sentence;
  events.add("evaluated", [&](JsonWriter& json) {
    json.key("step").value(step).key("epoch").value(epoch).key("values").open('{');
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (sums[i].defined()) continue;
      json.key(outputs[i].name).value(means[i]);
      sentence += (sentence.empty() ? "" : ", ") + outputs[i].name + " " + rounded(means[i]);
    }
    json.close('}').key("tensors").open('{');
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!sums[i].defined()) continue;
      const at::Tensor sum = sums[i].to(at::kCPU).contiguous();
      const double* data = sum.const_data_ptr<double>();
      json.key(outputs[i].name).open('{').key("shape").value(sum.sizes().vec()).key("data").value(std::vector<double>(data, data + sum.numel())).close('}');
    }
    json.close('}').key("samples").open('{');
    for (const auto& [name, rows] : samples) {
      json.key(name).open('[');
      for (const auto& row : rows) json.value(row);
      json.close(']');
    }
    json.close('}');
  });
  if (text) events.add("generated", [&](JsonWriter& json) { json.key("step").value(step).key("epoch").value(epoch).key("tokens").value(*text); });
  events.log("info", "Epoch " + std::to_string(epoch) + " of " + std::to_string(spec_.epochs) + ": validation " + sentence + ".");
  return found;
}

bool Evaluation::is_sum(const std::string& output) const {
  return std::any_of(spec_.metrics.begin(), spec_.metrics.end(), [&](const Metric& metric) { return metric.output == output && metric.sums; });
}

/// What the network says of the sample rows, and of those that are points of a map, row by row, by output.
std::vector<std::pair<std::string, Evaluation::Table>> Evaluation::predict_samples(const std::vector<at::Tensor>& weights) {
  std::vector<std::pair<std::string, Table>> samples;
  const auto count = static_cast<int64_t>(spec_.sample_rows.size());
  if (count > 0) {
    const std::vector<at::Tensor> values = predict_.run(rows_.take(at::tensor(spec_.sample_rows), 0, count), weights, false);
    for (size_t i = 0; i < values.size(); ++i) {
      Table rows;
      // An output that is not one row a sample has nothing to say about samples.
      if (append_rows(rows, values[i], count)) samples.emplace_back(predict_.program().outputs[i].name, std::move(rows));
    }
  }
  if (place_) {
    const at::Tensor order = at::tensor(spec_.points->rows);
    Table rows;
    for (int64_t first = 0; first < order.size(0); first += spec_.batch_size) {
      const int64_t part = std::min(spec_.batch_size, order.size(0) - first);
      append_rows(rows, place_->run(rows_.take(order, first, part), weights, false)[0], part);
    }
    samples.emplace_back(spec_.points->output, std::move(rows));
  }
  if (lattice_) {
    const int64_t side = spec_.lattice->side, places = side * side;
    std::vector<at::Tensor> inputs = rows_.take(at::zeros({places}, at::kLong), 0, places);
    const at::Tensor across = at::linspace(spec_.lattice->low[0], spec_.lattice->high[0], side, at::kFloat);
    const at::Tensor down = at::linspace(spec_.lattice->low[1], spec_.lattice->high[1], side, at::kFloat);
    const at::Tensor points = at::stack({across.repeat({side}), down.repeat_interleave(side)}, 1).to(device_);
    for (size_t i = 0; i < inputs.size(); ++i)
      if (spec_.program.inputs[i].name == spec_.lattice->input) inputs[i] = points;
    Table rows;
    append_rows(rows, lattice_->run(inputs, weights, false)[0], places);
    samples.emplace_back("lattice", std::move(rows));
  }
  return samples;
}

bool Evaluation::writes_text(int64_t epoch) const {
  return spec_.generate && (epoch == 1 || epoch == spec_.epochs || epoch % spec_.generate->every_epochs == 0);
}

/// Text from the weights as they are, the same whenever this epoch comes.
std::optional<std::vector<int64_t>> Evaluation::write_text(const std::vector<at::Tensor>& weights, int64_t epoch, const Control& control) {
  at::Generator training = at::globalContext().defaultGenerator(at::kCPU);
  const at::Tensor state = training.get_state();
  const auto text = tensorloom::write_text(predict_, weights, *spec_.generate, device_, make_generator(spec_.seed + static_cast<uint64_t>(epoch) * 0x9e3779b97f4a7c15), [&] { return control.is_cancelled(); });
  training.set_state(state);
  return text;
}

} // namespace tensorloom
