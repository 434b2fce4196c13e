import { countElements as countTensor, type Tensor, tensorOf } from "../export/tensor.ts";
import { countElements, floorDivide, multiply } from "../graph/dims.ts";
import type { Json } from "../graph/document.ts";
import type { Dim, Shape } from "../graph/shape.ts";
import { printShape } from "../graph/shape.ts";
import { findLayer } from "../layers/index.ts";
import { concatTensors, dtypeOf, mapTensor, numbersOf, reshapeTensor, sliceTensor, transposeTensor } from "./constants.ts";
import type { Wire } from "./drawing.ts";
import { splitSizes } from "./onnx-fold.ts";
import { fill, formulas, likeOf } from "./onnx-formulas.ts";
import { findPattern } from "./onnx-patterns.ts";
import { type Known, known, type Reading, tidyFloat } from "./onnx-reading.ts";
import { readIf, readLoop, readScan } from "./onnx-zones.ts";

/** What one ONNX operator is in layers: its outputs in order. Throws Undrawable with the reason where layers cannot say it. */
type Rule = (r: Reading) => Known | Known[];

/** A layer that takes one tensor. */
const plain =
  (type: string, params: (r: Reading) => { [name: string]: Json } = () => ({})): Rule =>
  (r: Reading) =>
    known.wire(r.draw(type, params(r), { x: r.wire(0) }));

/** The rule, unless the node ends a group of nodes that one layer says. */
const unlessPattern =
  (rule: Rule): Rule =>
  (r: Reading) => {
    const found = findPattern(r);
    return found ? known.wire(found) : rule(r);
  };

/** One number for all axes where they agree, as people write it. */
function sizeParam(values: readonly number[]): number | number[] {
  return values.every((value) => value === values[0]) ? (values[0] ?? 1) : [...values];
}

/** Zeros before and after each axis, from `pads` or `auto_pad`. */
function padsOf(r: Reading, x: Shape, kernel: number[], strides: number[], dilations: number[]): { before: number[]; after: number[]; isSame: boolean } {
  const auto = r.text("auto_pad", "NOTSET");
  const axes = kernel.length;
  if (auto === "NOTSET") {
    const pads = r.perAxis("pads", 2 * axes, 0);
    return { before: pads.slice(0, axes), after: pads.slice(axes), isSame: false };
  }
  if (auto === "VALID") return { before: kernel.map(() => 0), after: kernel.map(() => 0), isSame: false };
  const totals = kernel.map((k, i) => {
    const reach = (dilations[i] ?? 1) * (k - 1) + 1;
    const stride = strides[i] ?? 1;
    if (stride === 1) return reach - 1;
    const size = x[i + 2];
    if (typeof size !== "number") return r.refuse(`its padding (${auto}) depends on the size of the image, which is known only at run time.`);
    return Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
  });
  const less = totals.map((total) => total >> 1);
  const more = totals.map((total, i) => total - (less[i] ?? 0));
  return auto === "SAME_LOWER" ? { before: more, after: less, isSame: false } : { before: less, after: more, isSame: strides.every((s) => s === 1) };
}

/** Puts a Pad in front where a side gets more than the other. */
function padFront(r: Reading, x: Wire, before: number[], after: number[], value = 0): { x: Wire; padding: number[] } {
  if (before.every((pad, i) => pad === after[i])) return { x, padding: before };
  return { x: drawPad(r, x, [0, 0, ...before], [0, 0, ...after], "constant", value), padding: before.map(() => 0) };
}

/** `pad` with F.pad's order: last axis first, before and after each. */
function drawPad(r: Reading, x: Wire, before: number[], after: number[], mode: string, value: number): Wire {
  let first = before.findIndex((pad, i) => pad !== 0 || after[i] !== 0);
  if (first === -1) return x;
  if (mode !== "constant") first = Math.max(first, 2);
  const pads: number[] = [];
  for (let axis = before.length - 1; axis >= first; axis--) pads.push(before[axis] ?? 0, after[axis] ?? 0);
  return r.draw("pad", { pad: pads, mode, value }, { x });
}

const convolution: Rule = (r: Reading) => {
  const weight = r.need(1, "weight");
  const axes = weight.shape.length - 2;
  const kernel = weight.shape.slice(2);
  if (axes < 1 || axes > 3) r.refuse(`it has ${axes} spatial axes; 1, 2 and 3 are possible.`);
  const declared = r.perAxis("kernel_shape", axes, -1);
  if (declared.some((size, i) => size !== -1 && size !== kernel[i])) r.refuse(`its kernel_shape [${declared.join(", ")}] is not its weight's [${kernel.join(", ")}].`);
  const strides = r.perAxis("strides", axes, 1);
  const dilations = r.perAxis("dilations", axes, 1);
  const groups = r.int("group", 1);
  const input = r.wire(0);
  const { before, after, isSame } = padsOf(r, input.type.shape, kernel, strides, dilations);
  const same = isSame || (strides.every((s) => s === 1) && before.some((pad, i) => pad !== after[i]) && kernel.every((k, i) => isHalf(dilations[i] ?? 1, k, before[i], after[i])));
  const { x, padding } = same ? { x: input, padding: "same" as const } : padFront(r, input, before, after);
  const bias = r.has(2) ? r.need(2, "bias") : null;
  return known.wire(
    r.draw(
      `conv${axes}d`,
      {
        out_channels: weight.shape[0] ?? 1,
        kernel_size: sizeParam(kernel),
        stride: sizeParam(strides),
        padding: padding === "same" ? padding : sizeParam(padding),
        dilation: sizeParam(dilations),
        groups,
        bias: bias !== null,
      },
      { x },
      { name: r.label(1), weights: { weight, ...(bias ? { bias } : {}) } },
    ),
  );
};

/** Whether these are the zeros that padding `same` puts around an axis. */
function isHalf(dilation: number, kernel: number, before = 0, after = 0): boolean {
  const total = dilation * (kernel - 1);
  return before === total >> 1 && after === total - (total >> 1);
}

const transposedConvolution: Rule = (r: Reading) => {
  const weight = r.need(1, "weight");
  const axes = weight.shape.length - 2;
  if (axes < 1 || axes > 3) r.refuse(`it has ${axes} spatial axes; 1, 2 and 3 are possible.`);
  if (r.text("auto_pad", "NOTSET") !== "NOTSET" || r.ints("output_shape"))
    r.refuse("its padding follows from the size that it is to give (auto_pad or output_shape); explicit pads can be read.");
  const kernel = weight.shape.slice(2);
  const pads = r.perAxis("pads", 2 * axes, 0);
  const before = pads.slice(0, axes);
  const after = pads.slice(axes);
  const outputPadding = r.perAxis("output_padding", axes, 0).map((pad, i) => pad + (before[i] ?? 0) - (after[i] ?? 0));
  const groups = r.int("group", 1);
  const bias = r.has(2) ? r.need(2, "bias") : null;
  return known.wire(
    r.draw(
      `conv_transpose${axes}d`,
      {
        out_channels: (weight.shape[1] ?? 1) * groups,
        kernel_size: sizeParam(kernel),
        stride: sizeParam(r.perAxis("strides", axes, 1)),
        padding: sizeParam(before),
        output_padding: sizeParam(outputPadding),
        dilation: sizeParam(r.perAxis("dilations", axes, 1)),
        groups,
        bias: bias !== null,
      },
      { x: r.wire(0) },
      { name: r.label(1), weights: { weight, ...(bias ? { bias } : {}) } },
    ),
  );
};

const pooling =
  (kind: "max" | "avg"): Rule =>
  (r: Reading) => {
    if (r.node.outputs[1]) r.refuse("it also gives the places of the maxima, which no layer here gives.");
    const input = r.wire(0);
    const axes = input.type.shape.length - 2;
    if (axes < 1 || axes > 3) r.refuse(`it has ${axes} spatial axes; 1, 2 and 3 are possible.`);
    const kernel = r.perAxis("kernel_shape", axes, 1);
    const strides = r.perAxis("strides", axes, 1);
    const dilations = r.perAxis("dilations", axes, 1);
    const { before, after } = padsOf(r, input.type.shape, kernel, strides, dilations);
    const ceil = r.int("ceil_mode", 0) === 1;
    const countsPadding = r.int("count_include_pad", 0) === 1;
    const isPadded = [...before, ...after].some((pad) => pad !== 0);
    const isUneven = before.some((pad, i) => pad !== after[i]);
    if (kind === "avg" && isUneven && !countsPadding) r.refuse("one side has more padding than the other, and padding does not count in its means.");
    const { x, padding } = padFront(r, input, before, after, kind === "max" ? -Infinity : 0);
    const type = `${kind}_pool${axes}d`;
    return known.wire(
      r.draw(
        type,
        {
          kernel_size: sizeParam(kernel),
          stride: strides.join() === kernel.join() ? "kernel" : sizeParam(strides),
          padding: sizeParam(padding),
          ...(dilations.some((d) => d !== 1) ? { dilation: sizeParam(dilations) } : {}),
          ...(ceil ? { ceil_mode: true } : {}),
          ...(kind === "avg" && isPadded && !countsPadding ? { count_include_pad: false } : {}),
        },
        { x },
      ),
    );
  };

const globalPooling =
  (kind: "avg" | "max"): Rule =>
  (r: Reading) => {
    const x = r.wire(0);
    return known.wire(r.draw(`adaptive_${kind}_pool${x.type.shape.length - 2}d`, { output_size: 1 }, { x }));
  };

const linear: Rule = (r: Reading) => {
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

const matmul: Rule = (r: Reading) => {
  const weight = r.constant(1);
  const left = r.input(0);
  if (weight?.shape.length === 2 && left?.kind === "wire" && left.wire.type.shape.length >= 2) {
    const laid = transposeTensor(weight, [1, 0]);
    return known.wire(r.draw("linear", { out_features: laid.shape[0] ?? 1, bias: false }, { x: left.wire }, { name: r.label(1), weights: { weight: laid } }));
  }
  return known.wire(r.draw("matmul", {}, { a: r.wire(0), b: r.wire(1) }));
};

const batchNorm: Rule = (r: Reading) => {
  const x = r.wire(0);
  if (r.int("training_mode", 0)) r.refuse("it is in training mode; export the model with model.eval().");
  const rank = x.type.shape.length;
  const axes = rank === 5 ? 3 : rank === 4 ? 2 : 1;
  const [weight, bias] = [r.need(1, "scale"), r.need(2, "shift")];
  const own = r.input(3);
  const moment = own?.kind === "wire" ? r.around.drawing.madeBy(own.wire) : null;
  if (moment?.node.type === "mean" && moment.inputs.x === x) {
    // Each batch is its own measure.
    const isPlain = numbersOf(weight).every((value) => value === 1) && numbersOf(bias).every((value) => value === 0);
    return known.wire(
      r.draw(
        `batch_norm${axes}d`,
        { eps: r.float("epsilon", 1e-5), track_running_stats: false, affine: !isPlain },
        { x },
        { name: r.label(1), weights: isPlain ? {} : { weight, bias } },
      ),
    );
  }
  const [mean, variance] = [r.need(3, "mean"), r.need(4, "variance")];
  return known.wire(
    r.draw(
      `batch_norm${axes}d`,
      // ONNX's momentum is the share that stays, PyTorch's the share that is new.
      { eps: r.float("epsilon", 1e-5), momentum: Math.round((1 - r.float("momentum", 0.9)) * 1e6) / 1e6 },
      { x },
      { name: r.label(1), weights: { weight, bias, running_mean: mean, running_var: variance, num_batches_tracked: tensorOf("int64", [], [0]) } },
    ),
  );
};

const layerNorm: Rule = (r: Reading) => {
  if (r.node.outputs[1] || r.node.outputs[2]) r.refuse("it also gives its mean and deviation, which no layer here gives.");
  const x = r.wire(0);
  const axis = r.axis(r.int("axis", -1), x.type.shape.length);
  const weight = r.need(1, "scale");
  const bias = r.has(2) ? r.need(2, "shift") : null;
  const sizes = x.type.shape.slice(axis).map(Number);
  const fit = (tensor: Tensor) => (countTensor(tensor.shape) === countTensor(sizes) ? reshapeTensor(tensor, sizes) : tensor);
  const isPlain = !bias && numbersOf(weight).every((value) => value === 1);
  return known.wire(
    r.draw(
      "layer_norm",
      { axes: sizes.length, eps: r.float("epsilon", 1e-5), elementwise_affine: !isPlain, bias: bias !== null || isPlain },
      { x },
      { name: r.label(1), weights: isPlain ? {} : { weight: fit(weight), ...(bias ? { bias: fit(bias) } : {}) } },
    ),
  );
};

const groupNorm: Rule = (r: Reading) => {
  const x = r.wire(0);
  const groups = r.int("num_groups", 1);
  const [weight, bias] = [r.need(1, "scale"), r.need(2, "shift")];
  const channels = Number(x.type.shape[1]);
  // Until opset 21 there was one scale a group.
  const spread = (tensor: Tensor) => {
    const numbers = numbersOf(tensor);
    return numbers.length === channels
      ? tensor
      : tensorOf(
          "float32",
          [channels],
          Array.from({ length: channels }, (_, i) => numbers[Math.floor((i * groups) / channels)] ?? 1),
        );
  };
  return known.wire(
    r.draw("group_norm", { num_groups: groups, eps: r.float("epsilon", 1e-5) }, { x }, { name: r.label(1), weights: { weight: spread(weight), bias: spread(bias) } }),
  );
};

const instanceNorm: Rule = (r: Reading) => {
  const x = r.wire(0);
  const axes = x.type.shape.length - 2;
  return known.wire(
    r.draw(
      `instance_norm${axes}d`,
      { eps: r.float("epsilon", 1e-5), affine: true },
      { x },
      { name: r.label(1), weights: { weight: r.need(1, "scale"), bias: r.need(2, "shift") } },
    ),
  );
};

/** Softmax, LogSoftmax: until opset 13 over all axes from `axis` on, laid out as one. */
const alongAxis =
  (type: string): Rule =>
  (r: Reading) => {
    const x = r.wire(0);
    const rank = x.type.shape.length;
    const axis = r.axis(r.int("axis", r.opset < 13 ? 1 : -1), rank);
    if (r.opset < 13 && axis !== rank - 1 && x.type.shape.slice(axis + 1).some((size) => size !== 1))
      r.refuse(`it works over the axes ${axis} to ${rank - 1} together, as it did until opset 12. Convert the file: onnx.version_converter.convert_version(model, 13).`);
    return known.wire(r.draw(type, { dim: axis === rank - 1 ? -1 : axis }, { x }));
  };

const clip: Rule = (r: Reading) => {
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

const hardSigmoid: Rule = (r: Reading) => {
  const [alpha, beta] = [r.float("alpha", 0.2), r.float("beta", 0.5)];
  const x = r.wire(0);
  if (Math.abs(alpha - 1 / 6) < 1e-6 && beta === 0.5) return known.wire(r.draw("hardsigmoid", {}, { x }));
  return known.wire(r.draw("hardtanh", { min_val: 0, max_val: 1 }, { x: r.draw("add", { value: beta }, { a: r.draw("mul", { value: alpha }, { a: x }) }) }));
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

const arithmetic: Rule = unlessPattern((r: Reading) => {
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
const unary = (type: string, formula = `${type}(x)`): Rule =>
  unlessPattern((r: Reading) => {
    const x = r.wire(0);
    return known.wire(findLayer(type) ? r.draw(type, {}, { x }) : r.draw("expression", { expression: formula }, { x }));
  });

const concat: Rule = (r: Reading) => {
  const wires = r.node.inputs.map((_, i) => r.wire(i));
  return known.wire(wires.length === 1 && wires[0] ? wires[0] : r.draw("concat", { dim: r.axis(r.int("axis", 1), wires[0]?.type.shape.length ?? 1) }, { x: wires }));
};

const transpose: Rule = (r: Reading) => {
  const merged = r.around.merged.get(r.node.inputs[0] ?? "");
  const perm = r.ints("perm");
  if (merged?.form === "time, directions, batch" && perm?.join() === "0,2,1,3") r.around.merged.set(r.node.outputs[0] ?? "", { ...merged, form: "time, batch, directions" });
  const x = r.wire(0);
  const rank = x.type.shape.length;
  const dims = (perm ?? x.type.shape.map((_, i) => rank - 1 - i)).map((axis) => r.axis(axis, rank));
  if (dims.every((axis, i) => axis === i)) return known.wire(x);
  // Two in a row are one, and often none.
  const before = r.around.drawing.madeBy(x);
  const inner = before.node.type === "permute" && r.around.usesOf(r.node.inputs[0] ?? "") === 1 ? before : null;
  const innerDims = inner?.node.params.dims;
  const source = inner?.inputs.x;
  if (Array.isArray(innerDims) && source && !Array.isArray(source)) {
    const joined = dims.map((axis) => Number(innerDims[axis]));
    return known.wire(joined.every((axis, i) => axis === i) ? source : r.draw("permute", { dims: joined }, { x: source }));
  }
  return known.wire(r.draw("permute", { dims }, { x }));
};

/** The same numbers in another shape, said by Flatten where axes are joined, else by Reshape, which leaves the first axis alone. */
function drawReshape(r: Reading, x: Wire, target: readonly Dim[]): Wire {
  const from = x.type.shape;
  const [batch] = from;
  if (target.length === from.length && target.every((size, i) => size === from[i])) return x;
  const total = countElements(from);
  const free = target.indexOf(-1);
  const known = countElements(target.filter((size) => size !== -1));
  // What −1 stands for, where that can be said for every value of the symbols.
  const missing = free === -1 ? null : divide(total, known);
  const sizes = missing === null ? [...target] : target.map((size) => (size === -1 ? missing : size));
  if (sizes.every((size, i) => size === from[i]) && sizes.length === from.length) return x;
  if (sizes[0] !== batch && r.around.fixedBatch !== null && sizes[0] === r.around.fixedBatch && batch === "B") sizes[0] = "B";
  const rest = from.length - sizes.length;
  // Axes start…start+rest joined into one.
  if (rest > 0) {
    for (let start = 0; start < sizes.length; start++) {
      const isJoined = sizes.every((size, i) =>
        i < start ? size === from[i] : i > start ? size === from[i + rest] : size === -1 || size === countElements(from.slice(start, start + rest + 1)),
      );
      if (isJoined) return r.draw("flatten", { start_dim: start, end_dim: start + rest === from.length - 1 ? -1 : start + rest }, { x });
    }
  }
  if (sizes[0] !== batch) r.refuse(`it lays ${printShape(from)} out as ${printShape([...target])}, which moves the batch axis; layers keep the first axis.`);
  const sample = sizes.slice(1);
  const unknown = sample.filter((size) => typeof size !== "number" || size === -1);
  if (unknown.length > 1) r.refuse(`of the shape ${printShape([...target])} more than one size is known only at run time.`);
  return r.draw("reshape", { shape: sample.map((size) => (typeof size === "number" ? size : -1)) }, { x });
}

/** whole / part where that is known, else null. */
function divide(whole: Dim, part: Dim): Dim | null {
  if (typeof part === "number") {
    if (part < 1) return null;
    const share = floorDivide(whole, part);
    return multiply(share, part) === whole ? share : null;
  }
  if (whole === part) return 1;
  // A polynomial over the batch or another symbol: try the numbers and the symbols that could be left.
  const factors = String(whole).split("*");
  const left = String(part).split("*");
  for (const factor of left) {
    const at = factors.indexOf(factor);
    if (at === -1) return null;
    factors.splice(at, 1);
  }
  return factors.length === 0 ? 1 : factors.map((factor): Dim => (/^\d+$/.test(factor) ? Number(factor) : factor)).reduce<Dim>(multiply, 1);
}

const reshape: Rule = (r: Reading) => {
  const merged = r.around.merged.get(r.node.inputs[0] ?? "");
  const shape = r.ints("shape") ?? r.sizes(1);
  if (!shape) r.refuse("its shape is computed from data while the model runs.");
  if (merged?.form === "time, batch, directions" && shape.length === 3 && shape[0] === 0 && shape[1] === 0) return known.wire(merged.wire);
  const x = r.wire(0);
  const copies = r.int("allowzero", 0) === 0;
  return known.wire(
    drawReshape(
      r,
      x,
      shape.map((size, i) => (size === 0 && copies ? (x.type.shape[i] ?? 1) : size)),
    ),
  );
};

const flatten: Rule = (r: Reading) => {
  const x = r.wire(0);
  const rank = x.type.shape.length;
  const given = r.int("axis", 1);
  const axis = given === rank ? rank : r.axis(given, rank);
  if (axis !== 1) r.refuse(`it joins the axes before ${axis} with the batch; layers keep the first axis.`);
  return known.wire(rank === 2 ? x : r.draw("flatten", {}, { x }));
};

const squeeze: Rule = (r: Reading) => {
  const merged = r.around.merged.get(r.node.inputs[0] ?? "");
  const x = r.wire(0);
  const { shape } = x.type;
  const axes = r.axes(1, shape.length) ?? shape.flatMap((size, i) => (size === 1 ? [i] : []));
  // One direction: the sequence of a recurrent layer as PyTorch gives it.
  if (merged?.form === "time, directions, batch" && axes.join() === "1") return known.wire(merged.wire);
  return known.wire(axes.length === 0 ? x : remove(r, x, axes));
};

/** Takes axes of size 1 away. */
function remove(r: Reading, x: Wire, axes: readonly number[]): Wire {
  const rest = x.type.shape.filter((_, i) => !axes.includes(i));
  if (!axes.includes(0) && rest.slice(1).filter((size) => typeof size !== "number").length <= 1) return drawReshape(r, x, rest);
  return [...axes].sort((a, b) => b - a).reduce((wire, dim) => r.draw("squeeze", { dim: [dim] }, { x: wire }), x);
}

const unsqueeze: Rule = (r: Reading) => {
  const x = r.wire(0);
  const given = r.ints("axes") ?? r.numbers(1);
  if (!given) r.refuse("its axes are computed while the model runs.");
  const rank = x.type.shape.length + given.length;
  const axes = given.map((axis) => r.axis(axis, rank)).sort((a, b) => a - b);
  return known.wire(axes.reduce((wire, dim) => r.draw("unsqueeze", { dim }, { x: wire }), x));
};

/** `x[:, 1:3]` */
function drawSlice(r: Reading, x: Wire, parts: { axis: number; text: string }[]): Wire {
  const last = Math.max(...parts.map(({ axis }) => axis));
  const items = Array.from({ length: last + 1 }, (_, axis) => parts.find((part) => part.axis === axis)?.text ?? ":");
  return r.draw("slice", { slice: `[${items.join(", ")}]` }, { x });
}

const slice: Rule = (r: Reading) => {
  const x = r.wire(0);
  const rank = x.type.shape.length;
  const starts = r.ints("starts") ?? r.sizes(1);
  const ends = r.ints("ends") ?? r.sizes(2);
  if (!starts || !ends) r.refuse("its limits are computed from data while the model runs.");
  const axes = (r.ints("axes") ?? r.numbers(3) ?? starts.map((_, i) => i)).map((axis) => r.axis(axis, rank));
  const steps = r.numbers(4) ?? axes.map(() => 1);
  const parts = axes.flatMap((axis, i) => {
    const [start, end, step] = [starts[i] ?? 0, ends[i] ?? 0, steps[i] ?? 1];
    const size = x.type.shape[axis] ?? 1;
    if (end === size && start === 0 && step === 1) return [];
    if (typeof start !== "number" || (typeof end !== "number" && end !== size)) return r.refuse("its limits are sizes known only at run time.");
    if (step < 0) {
      // "To the first element" is an end below every size.
      const fromEnd = start >= 2 ** 31 - 1 || start === -1 || (typeof size === "number" && start >= size - 1);
      return [{ axis, text: `${fromEnd ? "" : start}:${typeof end === "number" && end > -(2 ** 31) + 1 && !(typeof size === "number" && end < -size) ? end : ""}:${step}` }];
    }
    const toEnd = typeof end !== "number" || end >= 2 ** 31 - 1 || (typeof size === "number" && end >= size);
    if (start === 0 && toEnd && step === 1) return [];
    return [{ axis, text: `${start === 0 ? "" : start}:${toEnd ? "" : end}${step === 1 ? "" : `:${step}`}` }];
  });
  return known.wire(parts.length === 0 ? x : drawSlice(r, x, parts));
};

const split: Rule = (r: Reading) => {
  const x = r.wire(0);
  const axis = r.axis(r.int("axis", 0), x.type.shape.length);
  const size = x.type.shape[axis];
  const sizes = typeof size === "number" ? splitSizes(r, size) : (r.ints("split") ?? r.numbers(1));
  if (!sizes) r.refuse("its parts are computed while the model runs, or the size of its axis is known only then.");
  if (sizes.length === 1) return known.wire(x);
  const { outputs } = r.around.drawing.add("split", { split_sizes: sizes, dim: axis }, { x });
  return Object.values(outputs).map(known.wire);
};

const gather: Rule = (r: Reading) => {
  const table = r.constant(0);
  const index = r.constant(1);
  const axis = r.int("axis", 0);
  const indices = r.input(1);
  if (table && indices?.kind === "wire") {
    if (table.shape.length !== 2 || axis !== 0)
      r.refuse(`it looks up in a constant of ${table.shape.length} axes along axis ${axis}; an Embedding has 2 and looks up along the first.`);
    const [count = 1, width = 1] = table.shape;
    return known.wire(r.draw("embedding", { num_embeddings: count, embedding_dim: width }, { x: indices.wire }, { name: r.label(0), weights: { weight: table } }));
  }
  const x = r.wire(0);
  const along = r.axis(axis, x.type.shape.length);
  if (!index) {
    const places = r.wire(1);
    if (places.type.shape.length !== 1) r.refuse(`it picks places by a table of ${places.type.shape.length} axes; an IndexSelect takes a list.`);
    return known.wire(r.draw("index_select", { dim: along }, { x, index: places }));
  }
  if (index.shape.length === 0) return known.wire(r.draw("select", { dim: along, index: Number(index.data[0]) }, { x }));
  const places = numbersOf(index);
  const [first = 0] = places;
  if (index.shape.length === 1 && places.every((place, i) => place === first + i) && first >= 0)
    return known.wire(drawSlice(r, x, [{ axis: along, text: `${first}:${first + places.length}` }]));
  if (index.shape.length !== 1) r.refuse(`it picks places by a table of ${index.shape.length} axes; an IndexSelect takes a list.`);
  return known.wire(r.draw("index_select", { dim: along }, { x, index: r.hold(index, "") }));
};

const reduction =
  (type: string, params: { [name: string]: Json } = {}): Rule =>
  (r: Reading) => {
    const x = r.wire(0);
    const rank = x.type.shape.length;
    const axes = r.axes(1, rank);
    if ((!axes || axes.length === 0) && r.int("noop_with_empty_axes", 0)) return known.wire(x);
    return known.wire(r.draw(type, { ...params, dim: axes ?? x.type.shape.map((_, i) => i), keepdim: r.int("keepdims", 1) === 1 }, { x }));
  };

const resize: Rule = (r: Reading) => {
  const x = r.wire(0);
  const rank = x.type.shape.length;
  const scalesAt = r.op === "Upsample" ? 1 : r.opset < 11 ? 1 : 2;
  const scales = r.floats("scales") ?? (r.has(scalesAt) && (r.constant(scalesAt)?.data.length ?? 0) > 0 ? r.numbers(scalesAt) : null);
  const sizes = r.op === "Resize" && r.has(3) ? r.sizes(3) : null;
  const mode = r.text("mode", "nearest");
  const place = r.text("coordinate_transformation_mode", r.opset < 11 ? "asymmetric" : "half_pixel");
  const rounding = r.text("nearest_mode", r.opset < 11 ? "floor" : "round_prefer_floor");
  const factors = scales ?? sizes?.map((size, i) => (typeof size === "number" && typeof x.type.shape[i] === "number" ? size / Number(x.type.shape[i]) : Number.NaN));
  const wantedSizes = sizes?.slice(2).every((size) => typeof size === "number") && sizes.length === rank && sizes[1] === x.type.shape[1] ? sizes.slice(2).map(Number) : null;
  if (wantedSizes && rank >= 3 && rank <= 5) {
    const aligned = place === "align_corners";
    const modes: { [mode: string]: string | undefined } = { nearest: "nearest", linear: ["linear", "bilinear", "trilinear"][rank - 3], cubic: rank === 4 ? "bicubic" : undefined };
    const isSame = mode === "nearest" ? place === "asymmetric" && rounding === "floor" : aligned || ["half_pixel", "pytorch_half_pixel"].includes(place);
    const ours = modes[mode];
    if (!isSame || !ours) r.refuse(`it resizes in a way (${mode}, ${place}) that differs from PyTorch's.`);
    return known.wire(r.draw("upsample", { size: wantedSizes, mode: ours, align_corners: aligned }, { x }));
  }
  if (rank < 3 || rank > 5 || !factors || factors.length !== rank || factors.some(Number.isNaN)) r.refuse("it resizes something else than the sides of an image by known factors.");
  const spatial = factors.slice(2);
  const [factor = 1] = spatial;
  if (factors[0] !== 1 || factors[1] !== 1 || spatial.some((other) => other !== factor))
    r.refuse(`its factors are ${factors.join(", ")}; an Upsample has one factor for all sides.`);
  if (factor === 1) return known.wire(x);
  if (mode === "nearest") {
    // With whole factors, the nearest pixel is the same by either rule.
    const isSame =
      (place === "asymmetric" && rounding === "floor") || (Number.isInteger(factor) && ["half_pixel", "pytorch_half_pixel"].includes(place) && rounding.startsWith("round"));
    if (!isSame) r.refuse(`it finds the nearest pixel in a way (${place}, ${rounding}) that differs from PyTorch's.`);
    return known.wire(r.draw("upsample", { scale_factor: factor }, { x }));
  }
  if (mode !== "linear" && mode !== "cubic") r.refuse(`its mode is ${mode}; nearest, linear and cubic are read.`);
  if (mode === "cubic" && (rank !== 4 || r.float("cubic_coeff_a", -0.75) !== -0.75)) r.refuse("its cubic curve is not PyTorch's.");
  if (!["half_pixel", "pytorch_half_pixel", "align_corners"].includes(place)) r.refuse(`it blends pixels in a way (${place}) that differs from PyTorch's.`);
  const blend = mode === "cubic" ? "bicubic" : ["linear", "bilinear", "trilinear"][rank - 3];
  return known.wire(r.draw("upsample", { scale_factor: factor, mode: blend ?? "bilinear", align_corners: place === "align_corners" }, { x }));
};

const pad: Rule = (r: Reading) => {
  const x = r.wire(0);
  const rank = x.type.shape.length;
  const pads = r.ints("pads") ?? r.numbers(1);
  if (!pads) r.refuse("its amounts are computed while the model runs.");
  const axes = r.has(3) ? numbersOf(r.need(3, "list of axes")).map((axis) => r.axis(axis, rank)) : x.type.shape.map((_, i) => i);
  const mode = { constant: "constant", reflect: "reflect", edge: "replicate", wrap: "circular" }[r.text("mode", "constant")] ?? r.refuse("its mode is not known.");
  const value = r.has(2) ? (r.scalar(2) ?? 0) : r.float("value", 0);
  const at = (axis: number, end: number) => pads[axes.indexOf(axis) + end * axes.length] ?? 0;
  const before = x.type.shape.map((_, axis) => (axes.includes(axis) ? at(axis, 0) : 0));
  const after = x.type.shape.map((_, axis) => (axes.includes(axis) ? at(axis, 1) : 0));
  return known.wire(drawPad(r, x, before, after, mode, value));
};

const cast: Rule = (r: Reading) => {
  const x = r.wire(0);
  const dtype = dtypeOf(r.int("to", 0));
  if (!dtype) r.refuse("it turns numbers into a type that wires here do not have.");
  return known.wire(x.type.dtype === dtype ? x : r.draw("cast", { dtype }, { x }));
};

const expand: Rule = (r: Reading) => {
  const shape = r.sizes(1);
  if (!shape) r.refuse("its shape is computed from data while the model runs.");
  const number = r.scalar(0);
  const dtype = r.constant(0)?.dtype;
  // A number laid out is no weight, though a constant of many is held as one.
  if (number !== null && dtype && dtype !== "uint8" && shape.length > 0) return known.wire(fill(r, number, dtype, shape));
  const x = r.wire(0);
  const lead = shape.length - x.type.shape.length;
  if (lead <= 0 && shape.every((size, i) => size === 1 || size === x.type.shape[i - lead])) return known.wire(x);
  const size = shape.map((length, i) => (length === x.type.shape[i - lead] || (length === 1 && i >= lead) ? -1 : length));
  const letters = size.filter((length) => typeof length === "string");
  // Sizes known only at run time are those of some input.
  const like = likeOf(r, letters);
  return known.wire(r.draw("expand", { size: size as Json[] }, { x, ...(like ? { like } : {}) }));
};

/** Two tensors, or one and a number, compared. */
const comparison =
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

const where: Rule = (r: Reading) => {
  const value = r.scalar(2);
  return known.wire(
    value === null
      ? r.draw("where", {}, { condition: r.wire(0), x: r.wire(1), other: r.wire(2) })
      : r.draw("where", { value: bounded(value) }, { condition: r.wire(0), x: r.wire(1) }),
  );
};

const extreme =
  (type: "argmax" | "argmin"): Rule =>
  (r: Reading) => {
    if (r.int("select_last_index", 0)) r.refuse("of equal numbers it takes the last; layers take the first.");
    const x = r.wire(0);
    return known.wire(r.draw(type, { dim: r.axis(r.int("axis", 0), x.type.shape.length), keepdim: r.int("keepdims", 1) === 1 }, { x }));
  };

const topK: Rule = (r: Reading) => {
  const x = r.wire(0);
  const axis = r.axis(r.int("axis", -1), x.type.shape.length);
  const [count] = r.sizes(1) ?? [];
  if (count !== undefined && count === x.type.shape[axis]) {
    const sorted = r.around.drawing.add("sort", { dim: axis, descending: r.int("largest", 1) === 1 }, { x }).outputs;
    return [sorted.values, sorted.indices].map((wire) => (wire ? known.wire(wire) : { kind: "failed" }));
  }
  const k = r.scalar(1) ?? r.refuse("how many it takes is computed while the model runs.");
  const { values, indices } = r.around.drawing.add("topk", { k, dim: axis, largest: r.int("largest", 1) === 1 }, { x }).outputs;
  return [values, indices].map((wire) => (wire ? known.wire(wire) : { kind: "failed" }));
};

const shrink: Rule = (r: Reading) => {
  const [lambd, bias] = [r.float("lambd", 0.5), r.float("bias", 0)];
  if (bias !== 0 && bias !== lambd) r.refuse(`its bias ${bias} is neither 0, as Hardshrink's, nor its lambd, as Softshrink's.`);
  return known.wire(r.draw(bias === 0 ? "hardshrink" : "softshrink", { lambd }, { x: r.wire(0) }));
};

const oneHot: Rule = (r: Reading) => {
  const x = r.wire(0);
  const depth = r.scalar(1) ?? r.refuse("how many classes it has is computed while the model runs.");
  if (r.numbers(2)?.join() !== "0,1") r.refuse("it marks with other numbers than 0 and 1.");
  if (r.axis(r.int("axis", -1), x.type.shape.length + 1) !== x.type.shape.length) r.refuse("it puts the classes on another axis than the last.");
  const marked = r.draw("one_hot", { num_classes: depth }, { x });
  return known.wire(r.constant(2)?.dtype === "int64" ? marked : r.draw("cast", { dtype: "float32" }, { x: marked }));
};

const cumSum: Rule = (r: Reading) => {
  if (r.int("exclusive", 0) || r.int("reverse", 0)) r.refuse("it sums backwards, or without the number at hand.");
  return known.wire(r.draw("cumsum", { dim: r.scalar(1) ?? r.refuse("its axis is computed while the model runs.") }, { x: r.wire(0) }));
};

const tile: Rule = (r: Reading) => {
  const repeats = r.numbers(1) ?? r.refuse("how often it repeats is computed while the model runs.");
  const x = r.wire(0);
  return known.wire(repeats.every((times) => times === 1) ? x : r.draw("tile", { dims: repeats }, { x }));
};

/** LSTM and GRU. ONNX: [directions, gates · hidden, …] with gates in its own order; PyTorch: one weight for each direction. */
const recurrent =
  (type: "lstm" | "gru" | "rnn", order: readonly number[]): Rule =>
  (r: Reading) => {
    const isLstm = type === "lstm";
    const hidden = r.int("hidden_size", 0);
    const direction = r.text("direction", "forward");
    if (direction === "reverse") r.refuse("it runs backwards only; layers run forwards or both ways.");
    const bends = r.texts("activations").map((name) => name.toLowerCase());
    const isPlain = bends.length === 0 || (type === "rnn" && bends.every((bend) => bend === bends[0] && ["tanh", "relu"].includes(bend)));
    if (!isPlain || r.node.attributes.has("clip") || r.int("layout", 0) || r.int("input_forget", 0)) r.refuse("it has activations, a clip, a layout or coupled gates of its own.");
    if (type === "gru" && r.int("linear_before_reset", 0) !== 1) r.refuse("its reset gate comes before the product (linear_before_reset=0); PyTorch's comes after.");
    if (r.has(7)) r.refuse("it has peepholes.");
    /** A memory to start with, unless it is zeros. */
    const start = (i: number) => (r.has(i) && !(r.constant(i) && numbersOf(r.need(i, "memory")).every((value) => value === 0)) ? { [i === 5 ? "h0" : "c0"]: r.wire(i) } : {});
    const starts = { ...start(5), ...(isLstm ? start(6) : {}), ...(r.has(4) ? { lengths: r.wire(4) } : {}) };
    const x = r.wire(0);
    const [inputs, memories] = [r.need(1, "weight"), r.need(2, "weight of the memory")];
    const bias = r.has(3) ? r.need(3, "bias") : null;
    const gates = order.length;
    const directions = direction === "bidirectional" ? 2 : 1;
    if (inputs.shape[0] !== directions || inputs.shape[1] !== gates * hidden)
      r.refuse(`its weight [${inputs.shape.join(", ")}] does not go with ${directions} directions of ${hidden}.`);
    /** PyTorch's gate i stands at ONNX's place `order.indexOf(i)`. */
    const arrange = (tensor: Tensor, d: number, from: number, width: number[]): Tensor => {
      const one = reshapeTensor(sliceTensor(tensor, 0, d, d + 1, 1), tensor.shape.slice(1));
      const parts = order.map((_, gate) => {
        const at = from + order.indexOf(gate) * hidden;
        return sliceTensor(one, 0, at, at + hidden, 1);
      });
      return reshapeTensor(concatTensors(parts, 0), [gates * hidden, ...width]);
    };
    const weights: { [name: string]: Tensor } = {};
    for (let d = 0; d < directions; d++) {
      const suffix = d === 0 ? "l0" : "l0_reverse";
      weights[`weight_ih_${suffix}`] = arrange(inputs, d, 0, [inputs.shape[2] ?? 1]);
      weights[`weight_hh_${suffix}`] = arrange(memories, d, 0, [hidden]);
      if (bias) {
        weights[`bias_ih_${suffix}`] = arrange(bias, d, 0, []);
        weights[`bias_hh_${suffix}`] = arrange(bias, d, gates * hidden, []);
      }
    }
    const drawn = r.around.drawing.add(
      type,
      { hidden_size: hidden, bias: bias !== null, batch_first: false, bidirectional: directions === 2, ...(bends[0] === "relu" ? { nonlinearity: "relu" } : {}) },
      { x, ...starts },
      { name: r.label(1), weights },
    );
    const { y, h, c } = drawn.outputs;
    if (!y || !h) r.refuse("the layer gives no sequence.");
    const [sequenceName = ""] = r.node.outputs;
    r.around.merged.set(sequenceName, { wire: y, form: "time, directions, batch" });
    // The sequence with its axes apart, for whoever does not merge them at once: [time, batch, directions, hidden] → [time, directions, batch, hidden].
    const isRead = sequenceName !== "" && r.around.usesOf(sequenceName) > 0;
    const apart = isRead ? drawApart(r, y, directions, hidden) : null;
    return [apart ? known.wire(apart) : { kind: "failed" }, known.wire(h), ...(c ? [known.wire(c)] : [])];
  };

function drawApart(r: Reading, y: Wire, directions: number, hidden: number): Wire {
  return r.draw("permute", { dims: [0, 2, 1, 3] }, { x: r.draw("reshape", { shape: [-1, directions, hidden] }, { x: y }) });
}

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
