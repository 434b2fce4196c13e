import { describe, expect, it } from "vitest";
import { layers } from "../../../core/layers/index.ts";
import { readParams } from "../../../core/layers/params.ts";
import { losses } from "../../../core/training/losses/index.ts";
import { derivedMetrics, findMetric, metrics } from "../../../core/training/metrics/index.ts";
import { optimizers } from "../../../core/training/optimizers/index.ts";
import { schedules } from "../../../core/training/schedules/index.ts";

/**
 * What a person who knows PyTorch looks for: every layer, with the parameters that it has there and that no wire says. A name of ours where
 * PyTorch's module has none. Sizes that come with the input (`in_features`) are inferred and are no parameters.
 */
const LAYERS = `
Input(shape, dtype) Target Output Constant Parameter(shape, init) RandomNormal(shape) RandomUniform(shape) Zeros Ones Arange
Linear(out_features, bias) Bilinear(out_features, bias) Identity
Conv1d(out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode) Conv2d(out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode)
Conv3d(out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode) ConvTranspose1d(out_channels, kernel_size, stride, padding, output_padding, dilation, groups, bias)
ConvTranspose2d(out_channels, kernel_size, stride, padding, output_padding, dilation, groups, bias) DepthwiseConv2d(kernel_size) SeparableConv2d(out_channels, kernel_size) PointwiseConv(out_channels)
MaxPool1d(kernel_size, stride, padding, dilation, ceil_mode) MaxPool2d(kernel_size, stride, padding, dilation, ceil_mode) MaxPool3d(kernel_size, stride, padding, dilation, ceil_mode)
AvgPool1d(kernel_size, stride, padding, ceil_mode, count_include_pad) AvgPool2d(kernel_size, stride, padding, ceil_mode, count_include_pad) AvgPool3d(kernel_size, stride, padding, ceil_mode, count_include_pad)
AdaptiveAvgPool1d(output_size) AdaptiveAvgPool2d(output_size) AdaptiveMaxPool2d(output_size) GlobalAvgPool
BatchNorm1d(eps, momentum, affine, track_running_stats) BatchNorm2d(eps, momentum, affine, track_running_stats) BatchNorm3d(eps, momentum, affine, track_running_stats)
LayerNorm(eps) GroupNorm(num_groups) InstanceNorm1d InstanceNorm2d LocalResponseNorm(size, alpha, beta, k) RMSNorm(eps) L2Normalize(dim)
ReLU ReLU6 LeakyReLU(negative_slope) PReLU(num_parameters) ELU(alpha) SELU CELU(alpha) GELU(approximate) SiLU Mish Hardswish Hardsigmoid Hardtanh(min_val, max_val) Sigmoid Tanh
Softplus(beta, threshold) Softsign LogSigmoid Softmax(dim) LogSoftmax(dim) GLU(dim) SwiGLU
Dropout(p) Dropout2d(p) AlphaDropout(p) DropPath(p) GaussianNoise(std)
Embedding(num_embeddings, embedding_dim, padding_idx) EmbeddingBag(mode) PositionalEncoding(mode, max_len)
RNN(hidden_size, num_layers, dropout, bidirectional, batch_first) LSTM(hidden_size, num_layers, dropout, bidirectional, batch_first) GRU(hidden_size, num_layers, dropout, bidirectional, batch_first)
RNNCell(hidden_size) LSTMCell(hidden_size) GRUCell(hidden_size) LastStep MaskedMean AttentionPool
MultiheadAttention(num_heads, dropout, is_causal) ScaledDotProductAttention(dropout_p, is_causal) TransformerEncoderLayer(nhead, dim_feedforward, dropout, activation, norm_first)
TransformerEncoder(num_layers) TransformerDecoderLayer(nhead) TransformerDecoder(num_layers) CausalMask PaddingMask PatchEmbed(embed_dim, patch_size) ClassToken
Flatten(start_dim, end_dim) Unflatten(dim, unflattened_size) Reshape(shape) Permute(dims) Transpose(dim0, dim1) Squeeze(dim) Unsqueeze(dim) Expand(size) Tile(dims) Concat(dim) Stack(dim)
Split(split_sizes, dim) Chunk(chunks, dim) Slice(slice) Select(dim, index) Gather(dim) IndexSelect(dim) Pad(pad, mode, value) Roll(shifts, dims) Flip(dims)
Upsample(scale_factor, size, mode, align_corners) PixelShuffle(upscale_factor) PixelUnshuffle(downscale_factor)
Add Sub Mul Div MatMul BMM Einsum(equation) Pow Sqrt Exp Log Abs Neg Clamp(min, max) Maximum Minimum Greater Less Equal And Or Not Where Cast(dtype)
Mean(dim, keepdim) Sum(dim, keepdim) Max(dim, keepdim) Min(dim, keepdim) Std(dim, keepdim) Norm(ord, dim, keepdim) ArgMax(dim, keepdim) TopK(k, dim) CumSum(dim) Sort(dim)
CosineSimilarity(dim) PairwiseDistance(p) Expression(expression) Reparameterize StopGradient
Repeat(times) ForEachStep(dim) While(max_iterations) If Switch(cases) EarlyExit(threshold) StackN(n, share_weights)
Block Residual Reroute Probe(statistic) Breakpoint(figure, side, limit)`;

const LOSSES = `
CrossEntropyLoss(weight, ignore_index, label_smoothing) NLLLoss BCEWithLogitsLoss(pos_weight) BCELoss MSELoss L1Loss SmoothL1Loss(beta) HuberLoss(delta) KLDivLoss(log_target)
CosineEmbeddingLoss(margin) TripletMarginLoss(margin, p) MarginRankingLoss(margin) PoissonNLLLoss GaussianNLLLoss MultiMarginLoss MultiLabelSoftMarginLoss HingeEmbeddingLoss
DiceLoss FocalLoss GaussianKLLoss`;

const OPTIMIZERS =
  "SGD(momentum, dampening, nesterov) Adam(beta1, beta2, eps, amsgrad) AdamW(beta1, beta2, eps, amsgrad) RMSprop(alpha, eps, momentum, centered) Adagrad LBFGS Lion";
const SCHEDULES =
  "constant StepLR(step_size, gamma) MultiStepLR(milestones, gamma) ExponentialLR(gamma) CosineAnnealingLR(T_max, eta_min) WarmupCosine OneCycleLR ReduceLROnPlateau";
const METRICS =
  "accuracy top5 top3 precision recall f1 precision_micro recall_micro f1_micro precision_weighted recall_weighted f1_weighted confusion roc_auc pr_auc mae mse rmse r2 mape mean_iou mean_dice pixel_accuracy perplexity";

/** `Name(one, two) Other` as names with their parameters. */
const read = (text: string): [string, string[]][] =>
  [...text.matchAll(/(\w+)(?:\(([^)]*)\))?/g)].map(([, name = "", params]) => [name, params?.split(",").map((param) => param.trim()) ?? []]);

describe("the catalog", () => {
  it.each([
    ["layer", LAYERS, layers.map(({ title, params }): [string, string[]] => [title, Object.keys(params)])],
    ["loss", LOSSES, losses.map(({ name, params }): [string, string[]] => [name, Object.keys(params)])],
    ["optimizer", OPTIMIZERS, optimizers.map(({ name, params }): [string, string[]] => [name, Object.keys(params)])],
    ["schedule", SCHEDULES, schedules.map(({ name, params }): [string, string[]] => [name, Object.keys(params)])],
  ])("has every %s, with its parameters", (_, wanted, known) => {
    const found = new Map(known);
    const missing = read(wanted).flatMap(([name, params]) => {
      const own = found.get(name);
      return own === undefined ? [name] : params.filter((param) => !own.includes(param)).map((param) => `${name}.${param}`);
    });
    expect(missing).toEqual([]);
  });

  it("has every metric, with its definition", () => {
    for (const name of METRICS.split(" ")) expect(findMetric(name)?.formula, name).toMatch(/\S/);
  });

  it("says of each loss, optimizer and schedule what it does, computes and is for, with defaults that its parameters take", () => {
    for (const { name, doc, formula, when, source, params } of [...losses, ...optimizers, ...schedules]) {
      expect(doc, name).toMatch(/^[A-Z].{20,}\.$/s);
      expect(formula, name).toMatch(/\S/);
      expect(when, name).toMatch(/^[A-Z].{20,}\.$/s);
      if (name !== "Value") expect(source, name).toMatch(/^https:/);
      for (const [param, { doc, schema, default: usual }] of Object.entries(params)) {
        expect(doc, `${name}.${param}`).toMatch(/\.$/);
        expect(schema.safeParse(usual).success, `${name}.${param}`).toBe(true);
      }
    }
  });

  it("says of each figure that is shown by itself what it is, how it is computed and when to look at it", () => {
    // Sums that nobody sees: other figures are worked out from them.
    const hidden = ["score_histogram", "token_likelihood", "error_moments"];
    for (const { name, doc, formula, use } of [...metrics, ...derivedMetrics].filter(({ name }) => !hidden.includes(name))) {
      expect(doc, name).toMatch(/^[A-Z].{10,}\.$/s);
      expect(formula, name).toMatch(/\S/);
      expect(use, name).toMatch(/^[A-Z].{10,}\.$/s);
    }
  });

  it("has a picture of each loss: a curve that is 0 or falls or climbs, and never breaks at the usual parameters", () => {
    for (const { name, curve, params } of losses) {
      const { values } = readParams(params, {});
      const seen = Array.from({ length: 81 }, (_, i) => curve.at(i / 10 - 4, values)).filter((value) => !Number.isNaN(value));
      expect(curve.of, name).toMatch(/\S/);
      expect(seen.length, name).toBeGreaterThan(8);
      expect(seen.every(Number.isFinite), name).toBe(true);
      expect(Math.max(...seen) - Math.min(...seen), name).toBeGreaterThan(0.1);
    }
  });

  it("has 120 model layers and more", () => {
    expect(layers.length).toBeGreaterThanOrEqual(120);
    expect(new Set(layers.map(({ title }) => title)).size).toBe(layers.length);
  });
});
