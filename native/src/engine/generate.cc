#include "generate.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/multinomial.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <map>

#include "error.h"
#include "interpreter.h"

namespace tensorloom {
namespace {

/// What is fed to an input that is not the text's, such as the targets of training: nothing that is written looks at it.
at::Tensor blank(const Input& input, const std::map<std::string, int64_t>& sizes, at::Device device) {
  std::vector<int64_t> shape;
  for (const auto& size : input.shape) {
    const auto* symbol = std::get_if<std::string>(&size);
    const auto known = symbol ? sizes.find(*symbol) : sizes.end();
    shape.push_back(!symbol ? std::get<int64_t>(size) : known == sizes.end() ? 1 : known->second);
  }
  return at::zeros(shape, at::TensorOptions(input.dtype).device(device));
}

int64_t pick(at::Tensor scores, const Generation& how, at::Generator generator) {
  float* each = scores.mutable_data_ptr<float>();
  for (const int64_t token : how.without)
    if (token < scores.numel()) each[token] = -std::numeric_limits<float>::infinity();
  if (how.temperature == 0) return std::max_element(each, each + scores.numel()) - each;
  return at::multinomial(at::softmax(scores / how.temperature, 0), 1, false, std::move(generator)).item<int64_t>();
}

} // namespace

std::optional<std::vector<int64_t>> write_text(Interpreter& predict, const std::vector<at::Tensor>& weights, const Generation& how, at::Device device, at::Generator generator, const std::function<bool()>& is_cancelled) {
  const Program& program = predict.program();
  const auto output = static_cast<size_t>(std::find_if(program.outputs.begin(), program.outputs.end(), [&](const Output& one) { return one.name == how.output; }) - program.outputs.begin());
  const auto tokens = static_cast<size_t>(std::find_if(program.inputs.begin(), program.inputs.end(), [&](const Input& one) { return one.name == how.input; }) - program.inputs.begin());
  const Input& taken = program.inputs.at(tokens);
  // A network of one length is fed that many tokens; what stands behind the text, a network that may be trained on it does not look at.
  const int64_t* fixed = std::get_if<int64_t>(&taken.shape.at(1));
  std::vector<int64_t> text = how.prompt;
  for (int64_t written = 0; written < how.tokens; ++written) {
    if (is_cancelled()) return std::nullopt;
    const int64_t length = std::min({static_cast<int64_t>(text.size()), how.context, fixed ? *fixed : how.context});
    std::vector<int64_t> shown(text.end() - length, text.end());
    if (fixed) shown.resize(static_cast<size_t>(*fixed), 0);
    std::vector<at::Tensor> inputs(program.inputs.size());
    inputs[tokens] = at::tensor(shown).reshape({1, -1}).to(device);
    std::map<std::string, int64_t> sizes;
    for (size_t axis = 0; axis < 2; ++axis)
      if (const auto* symbol = std::get_if<std::string>(&taken.shape[axis])) sizes[*symbol] = inputs[tokens].size(static_cast<int64_t>(axis));
    for (size_t i = 0; i < program.inputs.size(); ++i)
      if (!inputs[i].defined()) inputs[i] = program.inputs[i].name == "lengths" ? at::tensor(c10::ArrayRef<int64_t>(length)).to(device) : blank(program.inputs[i], sizes, device);
    const at::Tensor scores = predict.run(inputs, weights, false).at(output);
    if (scores.dim() != 3 || scores.size(2) != inputs[tokens].size(1)) throw EngineError({"SHAPE_MISMATCH", "To write text the output must score the next token of each step, [B, vocabulary, " + std::to_string(inputs[tokens].size(1)) + "], but it is " + print_shape(scores.sizes()) + ".", "", "", -1, {scores.sizes().vec()}});
    text.push_back(pick(scores.select(2, length - 1).select(0, 0).to(at::kCPU, at::kFloat).clone().contiguous(), how, generator));
  }
  return text;
}

} // namespace tensorloom
