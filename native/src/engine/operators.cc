#include "operators.h"

#include <algorithm>
#include <array>

namespace tensorloom {
namespace {

constexpr auto kAllowed = std::to_array<std::string_view>({
    "aten::adaptive_avg_pool2d",
    "aten::add.Tensor",
    "aten::add_.Scalar",
    "aten::argmax",
    "aten::avg_pool1d",
    "aten::avg_pool2d",
    "aten::batch_norm",
    "aten::binary_cross_entropy_with_logits",
    "aten::bincount",
    "aten::cat",
    "aten::conv1d",
    "aten::conv1d.padding",
    "aten::conv2d",
    "aten::conv2d.padding",
    "aten::conv_transpose2d.input",
    "aten::cross_entropy_loss",
    "aten::div.Tensor",
    "aten::dropout",
    "aten::embedding",
    "aten::eq.Scalar",
    "aten::eq.Tensor",
    "aten::flatten.using_ints",
    "aten::gelu",
    "aten::group_norm",
    "aten::gru.input",
    "aten::gt.Scalar",
    "aten::gt.Tensor",
    "aten::l1_loss",
    "aten::layer_norm",
    "aten::leaky_relu",
    "aten::linear",
    "aten::lstm.input",
    "aten::masked_fill.Scalar",
    "aten::matmul",
    "aten::max",
    "aten::max_pool1d",
    "aten::max_pool2d",
    "aten::mean",
    "aten::mean.dim",
    "aten::mse_loss",
    "aten::mul.Scalar",
    "aten::mul.Tensor",
    "aten::narrow",
    "aten::new_zeros",
    "aten::one_hot",
    "aten::ones_like",
    "aten::permute",
    "aten::relu",
    "aten::reshape",
    "aten::scaled_dot_product_attention",
    "aten::sigmoid",
    "aten::silu",
    "aten::softmax.int",
    "aten::squeeze.dim",
    "aten::sub.Tensor",
    "aten::tanh",
    "aten::to.dtype",
    "aten::transpose.int",
    "aten::tril",
    "aten::unflatten.int",
    "aten::unsqueeze",
    "aten::upsample_bilinear2d.vec",
    "aten::upsample_nearest2d.vec",
});

constexpr auto kRandom = std::to_array<std::string_view>({
    "aten::dropout",
    "aten::gru.input",
    "aten::lstm.input",
    "aten::scaled_dot_product_attention",
});

static_assert(std::is_sorted(kAllowed.begin(), kAllowed.end()));
static_assert(std::is_sorted(kRandom.begin(), kRandom.end()));

} // namespace

std::span<const std::string_view> allowed_operators() { return kAllowed; }

bool is_allowed(std::string_view name) { return std::binary_search(kAllowed.begin(), kAllowed.end(), name); }

bool is_random(std::string_view name) { return std::binary_search(kRandom.begin(), kRandom.end(), name); }

bool writes_silently(std::string_view name, size_t argument) { return name == "aten::batch_norm" && (argument == 3 || argument == 4); }

} // namespace tensorloom
