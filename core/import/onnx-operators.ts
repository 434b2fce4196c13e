import type { Json } from "../graph/document.ts";
import { reshapeTensor } from "./constants.ts";
import { alongAxis, arithmetic, clip, comparison, cumSum, extreme, hardSigmoid, linear, matmul, reduction, shrink, unary, where } from "./onnx-arithmetic.ts";
import { formulas } from "./onnx-formulas.ts";
import { batchNorm, groupNorm, instanceNorm, layerNorm } from "./onnx-norms.ts";
import { known, type Reading, type Rule } from "./onnx-reading.ts";
import { recurrent } from "./onnx-recurrent.ts";
import { cast, concat, expand, flatten, gather, oneHot, reshape, slice, split, squeeze, tile, topK, transpose, unsqueeze } from "./onnx-shapes.ts";
import { convolution, globalPooling, pad, pooling, resize, transposedConvolution } from "./onnx-spatial.ts";
import { readIf, readLoop, readScan } from "./onnx-zones.ts";

/** A layer that takes one tensor. */
const plain =
  (type: string, params: (r: Reading) => { [name: string]: Json } = () => ({})): Rule =>
  (r: Reading) =>
    known.wire(r.draw(type, params(r), { x: r.wire(0) }));

/** Every operator that is read, by its name in ONNX's own domain, in alphabetical order. */
export const operators: { [op: string]: Rule | undefined } = {
  ...formulas,
  Abs: unary("abs"),
  Add: arithmetic,
  And: (r) => known.wire(r.draw("logical_and", {}, { a: r.wire(0), b: r.wire(1) })),
  ArgMax: extreme("argmax"),
  ArgMin: extreme("argmin"),
  AveragePool: pooling("avg"),
  BatchNormalization: batchNorm,
  Cast: cast,
  Ceil: unary("ceil"),
  Celu: plain("celu", (r: Reading) => ({ alpha: r.float("alpha", 1) })),
  Clip: clip,
  Concat: concat,
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  Cos: unary("cos"),
  CumSum: cumSum,
  Div: arithmetic,
  Dropout: (r: Reading) => known.wire(r.draw("dropout", { p: r.has(1) ? (r.scalar(1) ?? 0.5) : r.float("ratio", 0.5) }, { x: r.wire(0) })),
  Einsum: (r) => known.wire(r.draw("einsum", { equation: r.text("equation", "").replaceAll(" ", "") }, { x: r.node.inputs.map((_, i) => r.wire(i)) })),
  Elu: plain("elu", (r: Reading) => ({ alpha: r.float("alpha", 1) })),
  Equal: comparison("equal", "equal"),
  Erf: unary("erf"),
  Exp: unary("exp"),
  Expand: expand,
  Flatten: flatten,
  Floor: unary("floor"),
  GRU: recurrent("gru", [1, 0, 2]),
  Gather: gather,
  GatherElements: (r) => known.wire(r.draw("gather", { dim: r.int("axis", 0) }, { x: r.wire(0), index: r.wire(1) })),
  Gelu: plain("gelu", (r: Reading) => ({ approximate: r.text("approximate", "none") })),
  Gemm: linear,
  GlobalAveragePool: globalPooling("avg"),
  GlobalMaxPool: globalPooling("max"),
  Greater: comparison("greater", "less"),
  GreaterOrEqual: comparison("greater_equal", "less_equal"),
  GroupNormalization: groupNorm,
  HardSigmoid: hardSigmoid,
  HardSwish: plain("hardswish"),
  Identity: (r: Reading) => known.wire(r.wire(0)),
  InstanceNormalization: instanceNorm,
  LRN: (r) =>
    known.wire(r.draw("local_response_norm", { size: r.int("size", 1), alpha: r.float("alpha", 1e-4), beta: r.float("beta", 0.75), k: r.float("bias", 1) }, { x: r.wire(0) })),
  LSTM: recurrent("lstm", [0, 3, 1, 2]),
  LayerNormalization: layerNorm,
  LeakyRelu: plain("leaky_relu", (r: Reading) => ({ negative_slope: r.float("alpha", 0.01) })),
  Less: comparison("less", "greater"),
  LessOrEqual: comparison("less_equal", "greater_equal"),
  Log: unary("log"),
  LogSoftmax: alongAxis("log_softmax"),
  MatMul: matmul,
  Max: arithmetic,
  MaxPool: pooling("max"),
  Min: arithmetic,
  Mish: plain("mish"),
  Mul: arithmetic,
  Neg: unary("neg", "-x"),
  Not: (r) => known.wire(r.draw("logical_not", {}, { x: r.wire(0) })),
  OneHot: oneHot,
  Or: (r) => known.wire(r.draw("logical_or", {}, { a: r.wire(0), b: r.wire(1) })),
  PRelu: (r: Reading) => {
    const slope = r.need(1, "slope");
    const count = slope.data.length;
    return known.wire(r.draw("prelu", { num_parameters: count }, { x: r.wire(0) }, { name: r.label(1), weights: { weight: reshapeTensor(slope, [count]) } }));
  },
  Pad: pad,
  Pow: arithmetic,
  RNN: recurrent("rnn", [0]),
  Reciprocal: unary("reciprocal", "1 / x"),
  ReduceL1: reduction("norm", { ord: "1" }),
  ReduceL2: reduction("norm", { ord: "2" }),
  ReduceLogSumExp: reduction("logsumexp"),
  ReduceMax: reduction("max"),
  ReduceMean: reduction("mean"),
  ReduceMin: reduction("min"),
  ReduceProd: reduction("prod"),
  ReduceSum: reduction("sum"),
  Relu: plain("relu"),
  Reshape: reshape,
  Resize: resize,
  Round: unary("round"),
  Selu: plain("selu"),
  Shrink: shrink,
  Sigmoid: plain("sigmoid"),
  Sign: unary("sign"),
  Sin: unary("sin"),
  Slice: slice,
  Softmax: alongAxis("softmax"),
  Softplus: plain("softplus"),
  Softsign: plain("softsign"),
  Split: split,
  Sqrt: unary("sqrt"),
  Squeeze: squeeze,
  Sub: arithmetic,
  Sum: (r: Reading) => known.wire(r.node.inputs.slice(1).reduce((sum, _, i) => r.draw("add", {}, { a: sum, b: r.wire(i + 1) }), r.wire(0))),
  Tanh: plain("tanh"),
  Tile: tile,
  TopK: topK,
  If: readIf,
  Loop: readLoop,
  Scan: readScan,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Upsample: resize,
  Where: where,
};
