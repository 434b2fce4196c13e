import type { Json } from "../graph/document.ts";
import { printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";

/** An argument of a call, as far as it is known while code is read: a plain value. */
export type Plain = null | boolean | number | string | Plain[];

/** How one class of `torch.nn` is said as a layer. */
export type ModuleRule = {
  type: string;
  /** PyTorch's parameters in order. */
  args: readonly string[];
  /** Ports of the layer in the order of the call's arguments; `x` where absent. */
  ports?: readonly string[];
  /** Parameters that the layer takes from its input, and the size there that must be equal. */
  inferred?: { [arg: string]: (shape: Shape) => Shape[number] | undefined };
  /** PyTorch's names that differ from the layer's. */
  renamed?: { [arg: string]: string };
  /** Arguments that change nothing here, such as `inplace`. */
  ignored?: readonly string[];
  /** PyTorch's defaults where the layer's differ. */
  defaults?: { [arg: string]: Plain };
  /** Further changes of the parameters, or why they cannot be said. */
  adapt?: (params: { [name: string]: Plain }) => string | undefined;
  /** What kind of input it takes, for guessing an unknown one: its shape without the batch. */
  takes?: (args: { [name: string]: Plain }) => { shapes: (number | string)[][]; dtype?: "int64" };
};

const channels = { in_channels: (shape: Shape) => shape[1] };
const last = (arg: string) => ({ [arg]: (shape: Shape) => shape.at(-1) });
const SPATIAL = [[], ["T"], ["H", "W"], ["D", "H", "W"]] as const;

function convolution(axes: 1 | 2 | 3): ModuleRule {
  return {
    type: `conv${axes}d`,
    args: ["in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias", "padding_mode"],
    inferred: channels,
    takes: ({ in_channels }) => ({ shapes: [[Number(in_channels), ...SPATIAL[axes]]] }),
  };
}

function transposed(axes: 1 | 2 | 3): ModuleRule {
  return {
    type: `conv_transpose${axes}d`,
    args: ["in_channels", "out_channels", "kernel_size", "stride", "padding", "output_padding", "groups", "bias", "dilation"],
    inferred: channels,
    defaults: { stride: 1 },
    takes: ({ in_channels }) => ({ shapes: [[Number(in_channels), ...SPATIAL[axes]]] }),
  };
}

/** `stride=None` is the kernel's. */
function strideOfKernel(params: { [name: string]: Plain }): undefined {
  if (params.stride === null) delete params.stride;
}

function pooling(kind: "max" | "avg", axes: 1 | 2 | 3): ModuleRule {
  return {
    type: `${kind}_pool${axes}d`,
    args:
      kind === "max"
        ? ["kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"]
        : ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"],
    adapt: (params) => {
      strideOfKernel(params);
      if (params.return_indices) return "it also gives the places of the maxima, which no layer here gives.";
      if (params.divisor_override !== undefined && params.divisor_override !== null) return "a divisor of its own is not to be had here.";
      delete params.return_indices;
      delete params.divisor_override;
      return undefined;
    },
  };
}

function adaptive(kind: "avg" | "max", axes: 1 | 2 | 3): ModuleRule {
  return {
    type: `adaptive_${kind}_pool${axes}d`,
    args: ["output_size", "return_indices"],
    ignored: ["return_indices"],
    adapt: ({ output_size }) =>
      Array.isArray(output_size) && output_size.includes(null) ? "an output size of None keeps that of the input; here every size is a number." : undefined,
  };
}

function batchNorm(axes: 1 | 2 | 3): ModuleRule {
  return {
    type: `batch_norm${axes}d`,
    args: ["num_features", "eps", "momentum", "affine", "track_running_stats"],
    inferred: { num_features: (shape) => shape[1] },
    adapt: ({ momentum }) => (momentum === null ? "a momentum of None (a cumulative average) is not to be had here." : undefined),
    takes: ({ num_features }) => ({ shapes: [[Number(num_features), ...SPATIAL[axes]], ...(axes === 1 ? [[Number(num_features)]] : [])] }),
  };
}

function instanceNorm(axes: 1 | 2 | 3): ModuleRule {
  return {
    type: `instance_norm${axes}d`,
    args: ["num_features", "eps", "momentum", "affine", "track_running_stats"],
    inferred: { num_features: (shape) => shape[1] },
    takes: ({ num_features }) => ({ shapes: [[Number(num_features), ...SPATIAL[axes]]] }),
  };
}

/** `normalized_shape` is the last sizes; here it is how many of them. */
function normalizedShape(params: { [name: string]: Plain }): undefined {
  const { normalized_shape } = params;
  params.axes = Array.isArray(normalized_shape) ? normalized_shape.length : 1;
  delete params.normalized_shape;
  if (params.eps === null) delete params.eps;
}

function recurrent(type: "lstm" | "gru" | "rnn"): ModuleRule {
  return {
    type,
    args: ["input_size", "hidden_size", "num_layers", "nonlinearity", "bias", "batch_first", "dropout", "bidirectional", "proj_size"].filter(
      (arg) => type === "rnn" || arg !== "nonlinearity",
    ),
    inferred: last("input_size"),
    defaults: { batch_first: false },
    adapt: (params) => {
      if (params.proj_size) return "projections (proj_size) are not to be had here.";
      delete params.proj_size;
      return undefined;
    },
    takes: ({ input_size, batch_first }) => ({ shapes: [[batch_first ? "T" : "N", Number(input_size)]] }),
  };
}

function cell(type: string): ModuleRule {
  return {
    type,
    args: ["input_size", "hidden_size", "bias", ...(type === "rnn_cell" ? ["nonlinearity"] : [])],
    inferred: last("input_size"),
    ports: ["x", "h"],
    takes: ({ input_size }) => ({ shapes: [[Number(input_size)]] }),
  };
}

const activation = (type: string, ...args: string[]): ModuleRule => ({ type, args: [...args, "inplace"], ignored: ["inplace"] });
const dropout = (type: string): ModuleRule => ({ type, args: ["p", "inplace"], ignored: ["inplace"] });
/** `dim=None` means an axis that depends on the rank; PyTorch warns of it. */
const along = (type: string): ModuleRule => ({
  type,
  args: ["dim"],
  adapt: ({ dim }) => (dim === null || dim === undefined ? `its dim is left open; say which axis: dim=-1.` : undefined),
});

const TRANSFORMER = ["d_model", "nhead", "dim_feedforward", "dropout", "activation", "layer_norm_eps", "batch_first", "norm_first", "bias"];
function transformer(type: string, ports: readonly string[]): ModuleRule {
  return {
    type,
    args: TRANSFORMER,
    ports,
    inferred: last("d_model"),
    adapt: (params) => {
      if (params.batch_first !== true) return "it takes time first (batch_first=False); here the batch comes first: set batch_first=True and swap the axes.";
      if (params.bias === false) return "without biases it is not to be had here.";
      delete params.batch_first;
      delete params.bias;
      return undefined;
    },
    takes: ({ d_model }) => ({ shapes: [["T", Number(d_model)]] }),
  };
}

const lastOf = (arg: string) => (args: { [name: string]: Plain }) => ({ shapes: [[Number(args[arg])], ["T", Number(args[arg])]] as (number | string)[][] });

/** The classes of `torch.nn` that are read. */
export const MODULES: { [name: string]: ModuleRule } = {
  Conv1d: convolution(1),
  Conv2d: convolution(2),
  Conv3d: convolution(3),
  ConvTranspose1d: transposed(1),
  ConvTranspose2d: transposed(2),
  ConvTranspose3d: transposed(3),
  Unfold: { type: "unfold", args: ["kernel_size", "dilation", "padding", "stride"] },
  Fold: { type: "fold", args: ["output_size", "kernel_size", "dilation", "padding", "stride"] },
  Linear: { type: "linear", args: ["in_features", "out_features", "bias"], inferred: last("in_features"), takes: lastOf("in_features") },
  Bilinear: { type: "bilinear", args: ["in1_features", "in2_features", "out_features", "bias"], ports: ["x1", "x2"], ignored: ["in1_features", "in2_features"] },
  Identity: { type: "identity", args: [] },
  ReLU: activation("relu"),
  ReLU6: activation("relu6"),
  LeakyReLU: activation("leaky_relu", "negative_slope"),
  PReLU: { type: "prelu", args: ["num_parameters", "init"] },
  RReLU: activation("rrelu", "lower", "upper"),
  ELU: activation("elu", "alpha"),
  SELU: activation("selu"),
  CELU: activation("celu", "alpha"),
  GELU: { type: "gelu", args: ["approximate"] },
  SiLU: activation("silu"),
  Mish: activation("mish"),
  Hardswish: activation("hardswish"),
  Hardsigmoid: activation("hardsigmoid"),
  Hardtanh: { type: "hardtanh", args: ["min_val", "max_val", "inplace"], ignored: ["inplace"] },
  Sigmoid: { type: "sigmoid", args: [] },
  LogSigmoid: { type: "log_sigmoid", args: [] },
  Tanh: { type: "tanh", args: [] },
  Softsign: { type: "softsign", args: [] },
  Softplus: { type: "softplus", args: ["beta", "threshold"] },
  Softshrink: { type: "softshrink", args: ["lambd"] },
  Hardshrink: { type: "hardshrink", args: ["lambd"] },
  Threshold: activation("threshold", "threshold", "value"),
  GLU: { type: "glu", args: ["dim"] },
  Softmax: along("softmax"),
  LogSoftmax: along("log_softmax"),
  Softmin: along("softmin"),
  BatchNorm1d: batchNorm(1),
  BatchNorm2d: batchNorm(2),
  BatchNorm3d: batchNorm(3),
  InstanceNorm1d: instanceNorm(1),
  InstanceNorm2d: instanceNorm(2),
  InstanceNorm3d: instanceNorm(3),
  LayerNorm: {
    type: "layer_norm",
    args: ["normalized_shape", "eps", "elementwise_affine", "bias"],
    adapt: normalizedShape,
    takes: ({ normalized_shape }) => ({ shapes: Array.isArray(normalized_shape) ? [normalized_shape.map(Number)] : [["T", Number(normalized_shape)], [Number(normalized_shape)]] }),
  },
  RMSNorm: { type: "rms_norm", args: ["normalized_shape", "eps", "elementwise_affine"], adapt: normalizedShape },
  GroupNorm: { type: "group_norm", args: ["num_groups", "num_channels", "eps", "affine"], inferred: { num_channels: (shape) => shape[1] } },
  LocalResponseNorm: { type: "local_response_norm", args: ["size", "alpha", "beta", "k"] },
  MaxPool1d: pooling("max", 1),
  MaxPool2d: pooling("max", 2),
  MaxPool3d: pooling("max", 3),
  AvgPool1d: pooling("avg", 1),
  AvgPool2d: pooling("avg", 2),
  AvgPool3d: pooling("avg", 3),
  AdaptiveAvgPool1d: adaptive("avg", 1),
  AdaptiveAvgPool2d: adaptive("avg", 2),
  AdaptiveAvgPool3d: adaptive("avg", 3),
  AdaptiveMaxPool1d: adaptive("max", 1),
  AdaptiveMaxPool2d: adaptive("max", 2),
  Embedding: {
    type: "embedding",
    args: ["num_embeddings", "embedding_dim", "padding_idx"],
    adapt: (params) => {
      if (params.padding_idx === null) delete params.padding_idx;
      else if (typeof params.padding_idx === "number" && params.padding_idx < 0) params.padding_idx += Number(params.num_embeddings);
      return undefined;
    },
    takes: () => ({ shapes: [["T"]], dtype: "int64" }),
  },
  EmbeddingBag: {
    type: "embedding_bag",
    args: ["num_embeddings", "embedding_dim", "max_norm", "norm_type", "scale_grad_by_freq", "mode", "sparse", "_weight", "include_last_offset", "padding_idx"],
    ignored: ["max_norm", "norm_type", "scale_grad_by_freq", "sparse", "_weight", "include_last_offset"],
    adapt: (params) => {
      if (params.padding_idx === null) delete params.padding_idx;
      return undefined;
    },
    takes: () => ({ shapes: [["T"]], dtype: "int64" }),
  },
  LSTM: recurrent("lstm"),
  GRU: recurrent("gru"),
  RNN: recurrent("rnn"),
  LSTMCell: cell("lstm_cell"),
  GRUCell: cell("gru_cell"),
  RNNCell: cell("rnn_cell"),
  MultiheadAttention: {
    type: "multihead_attention",
    args: ["embed_dim", "num_heads", "dropout", "bias", "add_bias_kv", "add_zero_attn", "kdim", "vdim", "batch_first"],
    ports: ["query", "key", "value"],
    inferred: last("embed_dim"),
    ignored: ["kdim", "vdim"],
    adapt: (params) => {
      if (params.batch_first !== true) return "it takes time first (batch_first=False); here the batch comes first: set batch_first=True and swap the axes.";
      if (params.add_bias_kv || params.add_zero_attn) return "add_bias_kv and add_zero_attn are not to be had here.";
      for (const name of ["batch_first", "add_bias_kv", "add_zero_attn"]) delete params[name];
      return undefined;
    },
    takes: ({ embed_dim }) => ({ shapes: [["T", Number(embed_dim)]] }),
  },
  TransformerEncoderLayer: transformer("transformer_encoder_layer", ["x"]),
  TransformerDecoderLayer: transformer("transformer_decoder_layer", ["x", "memory"]),
  Flatten: { type: "flatten", args: ["start_dim", "end_dim"] },
  Unflatten: { type: "unflatten", args: ["dim", "unflattened_size"] },
  Upsample: {
    type: "upsample",
    args: ["size", "scale_factor", "mode", "align_corners"],
    adapt: (params) => {
      if (Array.isArray(params.scale_factor)) {
        const [first] = params.scale_factor;
        if (params.scale_factor.some((factor) => factor !== first)) return "it has another factor for each side; here there is one for all.";
        params.scale_factor = first ?? 1;
      }
      if (typeof params.size === "number") params.size = [params.size];
      for (const name of ["size", "scale_factor", "align_corners"]) if (params[name] === null) delete params[name];
      return undefined;
    },
  },
  PixelShuffle: { type: "pixel_shuffle", args: ["upscale_factor"] },
  PixelUnshuffle: { type: "pixel_unshuffle", args: ["downscale_factor"] },
  ChannelShuffle: { type: "channel_shuffle", args: ["groups"] },
  Dropout: dropout("dropout"),
  Dropout1d: dropout("dropout1d"),
  Dropout2d: dropout("dropout2d"),
  Dropout3d: dropout("dropout3d"),
  AlphaDropout: dropout("alpha_dropout"),
  FeatureAlphaDropout: dropout("feature_alpha_dropout"),
  CosineSimilarity: { type: "cosine_similarity", args: ["dim", "eps"], ports: ["x1", "x2"] },
  PairwiseDistance: { type: "pairwise_distance", args: ["p", "eps", "keepdim"], ports: ["x1", "x2"] },
};
MODULES.UpsamplingNearest2d = { ...(MODULES.Upsample as ModuleRule), args: ["size", "scale_factor"] };

/** Places and types that `nn` modules take besides and that say nothing about the model. */
const FACTORY = ["device", "dtype"];

/**
 * A layer's parameters from the arguments of a call, and the sizes that its input must have; or why that cannot be.
 */
export function readModuleArgs(
  rule: ModuleRule,
  positional: readonly Plain[],
  named: ReadonlyMap<string, Plain>,
):
  | { params: { [name: string]: Json }; given: { [arg: string]: Plain }; checks: { arg: string; value: number; read: (shape: Shape) => Shape[number] | undefined }[] }
  | { why: string } {
  if (positional.length > rule.args.length)
    return { why: say("it takes at most {count} arguments, and here are {count2}.", { count: rule.args.length, count2: positional.length }) };
  const given: { [arg: string]: Plain } = { ...rule.defaults };
  for (const [i, value] of positional.entries()) given[rule.args[i] ?? ""] = value;
  for (const [name, value] of named) {
    if (FACTORY.includes(name)) continue;
    if (!rule.args.includes(name)) return { why: say("it has no argument {name} that is read here.", { name }) };
    given[name] = value;
  }
  const all = { ...given };
  const checks: { arg: string; value: number; read: (shape: Shape) => Shape[number] | undefined }[] = [];
  for (const [arg, read] of Object.entries(rule.inferred ?? {})) {
    const value = given[arg];
    if (typeof value !== "number") return { why: say("its {arg} is not given.", { arg }) };
    checks.push({ arg, value, read });
    delete given[arg];
  }
  const why = rule.adapt?.(given);
  if (why) return { why };
  for (const name of rule.ignored ?? []) delete given[name];
  return { params: Object.fromEntries(Object.entries(given).map(([name, value]) => [rule.renamed?.[name] ?? name, value])), given: all, checks };
}

/** Why a module does not take a tensor of this shape, or nothing. */
export function mismatch(name: string, checks: { arg: string; value: number; read: (shape: Shape) => Shape[number] | undefined }[], shape: Shape): string | null {
  for (const { arg, value, read } of checks) {
    const found = read(shape);
    if (typeof found === "number" && found !== value) return say("{name} has {arg}={value}, but receives {shape}.", { name, arg, value, shape: printShape(shape) });
  }
  return null;
}
