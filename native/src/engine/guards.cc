#include "guards.h"

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

namespace tensorloom {
namespace {

using Arguments = std::vector<c10::IValue>;

/// What torch.nn.RNNBase checks before it calls (torch/nn/modules/rnn.py, check_forward_args), and the weights' shapes too.
void check_recurrent(const Arguments& arguments, const std::vector<at::Tensor>& states, int64_t gates) {
  const at::Tensor input = arguments[0].toTensor();
  const std::vector<at::Tensor> weights = arguments[2].toTensorVector();
  const bool has_biases = arguments[3].toBool();
  const int64_t layers = arguments[4].toInt();
  const double dropout = arguments[5].toDouble();
  const int64_t directions = arguments[7].toBool() ? 2 : 1;
  const bool batch_first = arguments[8].toBool();
  TORCH_CHECK(input.dim() == 3 && input.numel() > 0, "the input must have three axes, none of size 0, but is ", input.sizes());
  TORCH_CHECK(layers >= 1 && layers <= 1000, "the number of layers must be 1 to 1000 but is ", layers);
  TORCH_CHECK(dropout >= 0 && dropout <= 1, "dropout must be 0 to 1 but is ", dropout);
  const int64_t per_layer = has_biases ? 4 : 2;
  TORCH_CHECK(static_cast<int64_t>(weights.size()) == layers * directions * per_layer, "expected ", layers * directions * per_layer, " weights but there are ", weights.size());
  TORCH_CHECK(!states.empty() && states[0].dim() == 3 && states[0].size(2) > 0, "the first state must have three axes");
  const int64_t hidden = states[0].size(2);
  const int64_t batch = input.size(batch_first ? 0 : 1);
  const auto expect = [&](const at::Tensor& tensor, const char* what, at::IntArrayRef shape) {
    TORCH_CHECK(tensor.sizes() == shape, what, " must be of shape ", shape, " but is ", tensor.sizes());
    TORCH_CHECK(tensor.is_floating_point() && tensor.scalar_type() == input.scalar_type() && tensor.device() == input.device(), what, " must have the input's dtype and device");
  };
  for (const at::Tensor& state : states) expect(state, "a state", {layers * directions, batch, hidden});
  for (int64_t i = 0; i < layers * directions; ++i) {
    const int64_t features = i < directions ? input.size(2) : hidden * directions;
    const size_t first = static_cast<size_t>(i * per_layer);
    expect(weights[first], "an input weight", {gates * hidden, features});
    expect(weights[first + 1], "a hidden weight", {gates * hidden, hidden});
    if (!has_biases) continue;
    expect(weights[first + 2], "an input bias", {gates * hidden});
    expect(weights[first + 3], "a hidden bias", {gates * hidden});
  }
}

void check_lstm(const Arguments& arguments) {
  const std::vector<at::Tensor> states = arguments[1].toTensorVector();
  TORCH_CHECK(states.size() == 2, "an LSTM takes two states but there are ", states.size());
  check_recurrent(arguments, states, 4);
}

void check_gru(const Arguments& arguments) { check_recurrent(arguments, {arguments[1].toTensor()}, 3); }

} // namespace

Guard guard_of(std::string_view op_name) {
  if (op_name == "aten::lstm.input") return check_lstm;
  if (op_name == "aten::gru.input") return check_gru;
  return nullptr;
}

} // namespace tensorloom
