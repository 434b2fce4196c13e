import { countElements as countTensor, type Tensor, tensorOf } from "../export/tensor.ts";
import type { Json } from "../graph/document.ts";
import { findLayer } from "../layers/index.ts";
import { mapTensor, numbersOf, reshapeTensor, transposeTensor } from "./constants.ts";
import type { Wire } from "./drawing.ts";
import { findPattern } from "./onnx-patterns.ts";
import { known, type Reading, type Rule, tidyFloat } from "./onnx-reading.ts";

// Operators on numbers: products, sums, comparisons, reductions.

/** The rule, unless the node ends a group of nodes that one layer says. */
const unlessPattern =
  (rule: Rule): Rule =>
  (r: Reading) => {
    const found = findPattern(r);
    return found ? known.wire(found) : rule(r);
  };

export const linear: Rule = (r: Reading) => {
  const alpha = r.float("alpha", 1);
  const beta = r.float("beta", 1);
  const weight = r.constant(1);
  const bias = r.has(2) ? r.constant(2) : null;
  if (!weight || (r.has(2) && !bias)) r.refuse("its weight or bias is computed while the model runs; use MatMul and Add for that.");
  let x = r.wire(0);
  if (r.int("transA", 0)) x = r.draw("permute", { dims: [1, 0] }, { x });
  const laid = r.int("transB", 0) ? weight : transposeTensor(weight, [1, 0]);
  const features = laid.shape[0] ?? 1;
  if (bias && countTensor(bias.shape) !== features && countTensor(bias.shape) !== 1)
    r.refuse(`its bias [${bias.shape.join(", ")}] is not one number for each of ${features} features.`);
  const shift = bias && tensorOf("float32", [features], features === bias.data.length ? numbersOf(bias) : Array<number>(features).fill(Number(bias.data[0])));
  return known.wire(
    r.draw(
      "linear",
      { out_features: features, bias: shift !== null },
      { x },
      { name: r.label(1), weights: { weight: scaled(laid, alpha), ...(shift ? { bias: scaled(shift, beta) } : {}) } },
    ),
  );
};

function scaled(tensor: Tensor, factor: number): Tensor {
  return factor === 1 ? tensor : mapTensor(tensor, (x) => x * factor);
}

export const matmul: Rule = (r: Reading) => {
  const weight = r.constant(1);
  const left = r.input(0);
  if (weight?.shape.length === 2 && left?.kind === "wire" && left.wire.type.shape.length >= 2) {
    const laid = transposeTensor(weight, [1, 0]);
    return known.wire(r.draw("linear", { out_features: laid.shape[0] ?? 1, bias: false }, { x: left.wire }, { name: r.label(1), weights: { weight: laid } }));
  }
  return known.wire(r.draw("matmul", {}, { a: r.wire(0), b: r.wire(1) }));
};

/** Layers on two tensors, or on one and a number; `neutral` on the right changes nothing. */
const arithmetics: { [op: string]: { type: string; neutral?: number; commutes?: true } } = {
  Add: { type: "add", neutral: 0, commutes: true },
  Div: { type: "div", neutral: 1 },
  Max: { type: "maximum", commutes: true },
  Min: { type: "minimum", commutes: true },
  Mul: { type: "mul", neutral: 1, commutes: true },
  Pow: { type: "pow", neutral: 1 },
  Sub: { type: "sub", neutral: 0 },
};

export const arithmetic: Rule = unlessPattern((r: Reading) => {
  const { type, neutral, commutes } = arithmetics[r.op] ?? r.refuse("it is no arithmetic.");
  if (r.node.inputs.length === 1) return known.wire(r.wire(0));
  if (r.node.inputs.length > 2) r.refuse(`it combines ${r.node.inputs.length} tensors; layers combine two.`);
  for (const [at, other] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const [tensor, value] = [r.input(at), r.scalar(other)];
    // A number with no more axes than the tensor beside it stretches over it and changes no shape.
    if (tensor?.kind !== "wire" || value === null || (r.constant(other)?.shape.length ?? 0) > tensor.wire.type.shape.length) continue;
    const isReversed = at === 1 && !commutes;
    if (value === neutral && !isReversed) return known.wire(tensor.wire);
    return known.wire(r.draw(type, { value: tidyFloat(value), ...(isReversed ? { reverse: true } : {}) }, { a: tensor.wire }));
  }
  if (type === "add") {
    const merged = addBias(r, 0, 1) ?? addBias(r, 1, 0);
    if (merged) return known.wire(merged);
  }
  return known.wire(r.draw(type, {}, { a: r.wire(0), b: r.wire(1) }));
});

/** Takes a constant that is added to a Linear or convolution into that layer as its bias. */
function addBias(r: Reading, at: number, constantAt: number): Wire | null {
  const [value, name] = [r.input(at), r.node.inputs[at] ?? ""];
  const bias = r.constant(constantAt);
  if (value?.kind !== "wire" || !bias || bias.dtype !== "float32" || r.around.usesOf(name) !== 1) return null;
  const { node, inputs, weights } = r.around.drawing.madeBy(value.wire);
  const isConvolution = /^conv(_transpose)?[123]d$/.test(node.type);
  if ((node.type !== "linear" && !isConvolution) || node.params.bias !== false) return null;
  const { shape } = value.wire.type;
  const axis = isConvolution ? 1 : shape.length - 1;
  const size = shape[axis];
  // All other axes of the constant must be 1, and the right one the features'.
  const from = bias.shape.length - shape.length;
  const fits = bias.shape.every((length, i) => (i - from === axis ? length === size : length === 1)) && bias.data.length === size && bias.shape.length <= shape.length;
  if (!fits) return null;
  return r.draw(node.type, { ...node.params, bias: true }, inputs, { name: node.name, weights: { ...Object.fromEntries(weights), bias: reshapeTensor(bias, [Number(size)]) } });
}

/** A function of one number: a layer of its own, or a formula where there is none. */
export const unary = (type: string, formula = `${type}(x)`): Rule =>
  unlessPattern((r: Reading) => {
    const x = r.wire(0);
    return known.wire(findLayer(type) ? r.draw(type, {}, { x }) : r.draw("expression", { expression: formula }, { x }));
  });

export const clip: Rule = (r: Reading) => {
  const low = r.has(1) ? (r.scalar(1) ?? r.refuse("its least value is computed while the model runs.")) : r.float("min", -Infinity);
  const high = r.has(2) ? (r.scalar(2) ?? r.refuse("its greatest value is computed while the model runs.")) : r.float("max", Infinity);
  const x = r.wire(0);
  if (low === 0 && high === 6) return known.wire(r.draw("relu6", {}, { x }));
  if (low === 0 && high >= 3e38) return known.wire(r.draw("relu", {}, { x }));
  const has = { min: low > -3e38, max: high < 3e38 };
  if (!has.min && !has.max) return known.wire(x);
  if (has.min && has.max && x.type.dtype === "float32") return known.wire(r.draw("hardtanh", { min_val: low, max_val: high }, { x }));
  return known.wire(r.draw("clamp", { min: has.min ? low : "none", max: has.max ? high : "none" }, { x }));
};

export const hardSigmoid: Rule = (r: Reading) => {
  const [alpha, beta] = [r.float("alpha", 0.2), r.float("beta", 0.5)];
  const x = r.wire(0);
  if (Math.abs(alpha - 1 / 6) < 1e-6 && beta === 0.5) return known.wire(r.draw("hardsigmoid", {}, { x }));
  return known.wire(r.draw("hardtanh", { min_val: 0, max_val: 1 }, { x: r.draw("add", { value: beta }, { a: r.draw("mul", { value: alpha }, { a: x }) }) }));
};

export const shrink: Rule = (r: Reading) => {
  const [lambd, bias] = [r.float("lambd", 0.5), r.float("bias", 0)];
  if (bias !== 0 && bias !== lambd) r.refuse(`its bias ${bias} is neither 0, as Hardshrink's, nor its lambd, as Softshrink's.`);
  return known.wire(r.draw(bias === 0 ? "hardshrink" : "softshrink", { lambd }, { x: r.wire(0) }));
};

/** Two tensors, or one and a number, compared. */
export const comparison =
  (type: string, turned: string): Rule =>
  (r: Reading) => {
    const [left, right] = [r.scalar(0), r.scalar(1)];
    if (right !== null && r.input(0)?.kind === "wire") return known.wire(r.draw(type, { value: tidyFloat(right) }, { x: r.wire(0) }));
    if (left !== null && r.input(1)?.kind === "wire") return known.wire(r.draw(turned, { value: tidyFloat(left) }, { x: r.wire(1) }));
    return known.wire(r.draw(type, {}, { x: r.wire(0), other: r.wire(1) }));
  };

/** Exporters put −∞ where a mask is; parameters are numbers that JSON has. */
function bounded(value: number): number {
  return Math.max(-3.4e38, Math.min(3.4e38, tidyFloat(value)));
}

export const where: Rule = (r: Reading) => {
  const value = r.scalar(2);
  return known.wire(
    value === null
      ? r.draw("where", {}, { condition: r.wire(0), x: r.wire(1), other: r.wire(2) })
      : r.draw("where", { value: bounded(value) }, { condition: r.wire(0), x: r.wire(1) }),
  );
};

/** Softmax, LogSoftmax: until opset 13 over all axes from `axis` on, laid out as one. */
export const alongAxis =
  (type: string): Rule =>
  (r: Reading) => {
    const x = r.wire(0);
    const rank = x.type.shape.length;
    const axis = r.axis(r.int("axis", r.opset < 13 ? 1 : -1), rank);
    if (r.opset < 13 && axis !== rank - 1 && x.type.shape.slice(axis + 1).some((size) => size !== 1))
      r.refuse(`it works over the axes ${axis} to ${rank - 1} together, as it did until opset 12. Convert the file: onnx.version_converter.convert_version(model, 13).`);
    return known.wire(r.draw(type, { dim: axis === rank - 1 ? -1 : axis }, { x }));
  };

export const reduction =
  (type: string, params: { [name: string]: Json } = {}): Rule =>
  (r: Reading) => {
    const x = r.wire(0);
    const rank = x.type.shape.length;
    const axes = r.axes(1, rank);
    if ((!axes || axes.length === 0) && r.int("noop_with_empty_axes", 0)) return known.wire(x);
    return known.wire(r.draw(type, { ...params, dim: axes ?? x.type.shape.map((_, i) => i), keepdim: r.int("keepdims", 1) === 1 }, { x }));
  };

export const extreme =
  (type: "argmax" | "argmin"): Rule =>
  (r: Reading) => {
    if (r.int("select_last_index", 0)) r.refuse("of equal numbers it takes the last; layers take the first.");
    const x = r.wire(0);
    return known.wire(r.draw(type, { dim: r.axis(r.int("axis", 0), x.type.shape.length), keepdim: r.int("keepdims", 1) === 1 }, { x }));
  };

export const cumSum: Rule = (r: Reading) => {
  if (r.int("exclusive", 0) || r.int("reverse", 0)) r.refuse("it sums backwards, or without the number at hand.");
  return known.wire(r.draw("cumsum", { dim: r.scalar(1) ?? r.refuse("its axis is computed while the model runs.") }, { x: r.wire(0) }));
};
