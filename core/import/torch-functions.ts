import { multiply } from "../graph/dims.ts";
import type { Json } from "../graph/document.ts";
import type { Dim, Dtype } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { findLayer } from "../layers/index.ts";
import type { Inputs } from "../layers/kit.ts";
import type { Drawn, Wire } from "./drawing.ts";
import { MODULES, mismatch, type Plain, readModuleArgs } from "./torch-modules.ts";
import { CausalMask, ConstantTensor, DtypeValue, Sequence, SizeValue, TensorValue, type Value } from "./torch-values.ts";

/** A call of a function or method of PyTorch's on tensors; a method's tensor is its first argument. */
export type Call = {
  name: string;
  args: Value[];
  named: Map<string, Value>;
  refuse(why: string): never;
  /** The value as a wire; numbers in the code become a node. */
  wire(value: Value): Wire;
  plain(value: Value): Plain;
  add(type: string, params: { [name: string]: Json }, inputs: Inputs<Wire>): Drawn;
  /** An input of the body at hand whose shape has all these letters. */
  like(letters: Dim[]): Wire | undefined;
};

type Handler = (c: Call) => Value;

/** An argument by place or name. */
function arg(c: Call, i: number, ...names: string[]): Value | undefined {
  for (const name of names) if (c.named.has(name)) return c.named.get(name);
  return c.args[i];
}

function tensor(c: Call, i = 0, ...names: string[]): Wire {
  const value = arg(c, i, ...(i === 0 ? ["input", "self", ...names] : names));
  if (value === undefined) c.refuse(say("{name} lacks its tensor.", { name: c.name }));
  return c.wire(value);
}

function number(c: Call, i: number, fallback: number | null, ...names: string[]): number {
  const value = arg(c, i, ...names);
  if (value === undefined || value === null) {
    if (fallback === null) c.refuse(say("{name} needs {names}.", { name: c.name, names: names[0] ?? "a number" }));
    return fallback;
  }
  if (typeof value === "boolean") return Number(value);
  if (typeof value !== "number") c.refuse(say("{names} of {name} must be a number that is known.", { names: names[0] ?? "An argument", name: c.name }));
  return value;
}

function flag(c: Call, i: number, ...names: string[]): boolean {
  return arg(c, i, ...names) === true;
}

/** Sizes or axes, given one by one or as a list. */
function sizes(c: Call, from: number, ...names: string[]): Dim[] {
  const first = arg(c, from, ...names);
  const items = first instanceof Sequence ? first.items : names.some((name) => c.named.has(name)) ? [first ?? null] : c.args.slice(from);
  return items.map((item) => {
    if (typeof item === "number") return item;
    if (item instanceof SizeValue) return item.dim;
    return c.refuse(say("{name} needs sizes that are numbers.", { name: c.name }));
  });
}

function axes(c: Call, from: number, ...names: string[]): number[] {
  return sizes(c, from, ...names).map((axis) => (typeof axis === "number" ? axis : c.refuse(say("{name} needs axes that are numbers.", { name: c.name }))));
}

function draw(c: Call, type: string, params: { [name: string]: Json }, inputs: Inputs<Wire>): TensorValue {
  const { outputs } = c.add(type, params, inputs);
  const y = outputs.y;
  return y ? new TensorValue(y) : c.refuse(say("{type} gives no y.", { type }));
}

const positive = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis);

/** A function that a class of `torch.nn` says too, with the same arguments behind the tensor. */
function asModule(className: string, args?: string[]): Handler {
  return (c) => {
    const found = MODULES[className];
    if (!found) return c.refuse(say("{name} is not read.", { name: c.name }));
    const rule = args ? { ...found, args } : found;
    const x = tensor(c);
    const named = new Map(
      [...c.named].filter(([name]) => !["input", "training", "inplace", "_stacklevel", "dtype", "recompute_scale_factor", "antialias", "generator"].includes(name)),
    );
    const takesTraining = className.includes("ropout") || className === "RReLU";
    const rest = c.args.slice(c.named.has("input") ? 0 : 1);
    const positional = takesTraining ? rest.slice(0, className === "RReLU" ? 2 : 1) : rest;
    const plain = positional.map((value) => c.plain(value));
    // The functions of softmax and its like allow the axis to be left out, with a warning.
    const read = readModuleArgs(rule, plain, new Map([...named].map(([name, value]) => [name, c.plain(value)])));
    if ("why" in read) return c.refuse(`${c.name}: ${read.why}`);
    const wrong = mismatch(c.name, read.checks, x.type.shape);
    return wrong ? c.refuse(wrong) : draw(c, rule.type, read.params, { x });
  };
}

/** A layer on one tensor without parameters, or a formula where there is no such layer. */
const unary =
  (type: string, formula = `${type}(x)`): Handler =>
  (c) => {
    const x = tensor(c);
    return findLayer(type) ? draw(c, type, {}, { x }) : draw(c, "expression", { expression: formula }, { x });
  };

/** Numbers that change nothing on the right. */
const NEUTRAL: { [type: string]: number | undefined } = { add: 0, sub: 0, mul: 1, div: 1, pow: 1 };

/** Two tensors, or one and a number. */
export const arithmetic =
  (type: string): Handler =>
  (c) => {
    const [left, right] = [arg(c, 0, "input"), arg(c, 1, "other", "exponent")];
    if (left === undefined || right === undefined) return c.refuse(say("{name} needs two arguments.", { name: c.name }));
    const commutes = ["add", "mul", "maximum", "minimum"].includes(type);
    if (typeof right === "number") return right === NEUTRAL[type] ? left : draw(c, type, { value: right }, { a: c.wire(left) });
    if (typeof left === "number") {
      if (commutes && left === NEUTRAL[type]) return right;
      return draw(c, type, { value: left, ...(commutes ? {} : { reverse: true }) }, { a: c.wire(right) });
    }
    return draw(c, type, {}, { a: c.wire(left), b: c.wire(right) });
  };

const TURNED: { [type: string]: string } = { greater: "less", less: "greater", greater_equal: "less_equal", less_equal: "greater_equal", equal: "equal", not_equal: "not_equal" };
export const comparison =
  (type: string): Handler =>
  (c) => {
    const [left, right] = [arg(c, 0, "input"), arg(c, 1, "other")];
    if (left === undefined || right === undefined) return c.refuse(say("{name} needs two arguments.", { name: c.name }));
    if (typeof right === "number") return draw(c, type, { value: right }, { x: c.wire(left) });
    if (typeof left === "number") return draw(c, TURNED[type] ?? type, { value: left }, { x: c.wire(right) });
    return draw(c, type, {}, { x: c.wire(left), other: c.wire(right) });
  };

const reduction =
  (type: string, params: { [name: string]: Json } = {}): Handler =>
  (c) => {
    const x = tensor(c);
    const given = arg(c, 1, "dim", "axis");
    const dim = given === undefined || given === null ? x.type.shape.map((_, i) => i) : axes(c, 1, "dim", "axis");
    return draw(c, type, { ...params, dim, keepdim: flag(c, 2, "keepdim", "keepdims") }, { x });
  };

const spread =
  (type: "std" | "var"): Handler =>
  (c) => {
    const correction = c.named.get("correction") ?? (c.named.get("unbiased") === false || c.args[2] === false ? 0 : 1);
    const call: Call = { ...c, args: c.args.slice(0, 2), named: new Map([...c.named].filter(([name]) => name !== "correction" && name !== "unbiased")) };
    return reduction(type, { correction: typeof correction === "number" ? correction : 1 })(call);
  };

/** `max`, `min`: of all numbers, along an axis with the places, or of two tensors. */
const extreme =
  (type: "max" | "min"): Handler =>
  (c) => {
    const x = tensor(c);
    const second = arg(c, 1, "dim", "other");
    if (second === undefined) return draw(c, type, { dim: x.type.shape.map((_, i) => i) }, { x });
    if (typeof second !== "number") return draw(c, type === "max" ? "maximum" : "minimum", {}, { a: x, b: c.wire(second) });
    const keepdim = flag(c, 2, "keepdim");
    return new Sequence("tuple", [draw(c, type, { dim: [second], keepdim }, { x }), draw(c, `arg${type}`, { dim: second, keepdim }, { x })]);
  };

const reshape: Handler = (c) => {
  const x = tensor(c);
  const from = x.type.shape;
  const wanted = sizes(c, 1, "shape", "size");
  const [batch] = from;
  const total = from.reduce<Dim>(multiply, 1);
  // −1 in the first place is the batch where the rest holds one sample.
  const rest = wanted.slice(1).reduce<Dim>(multiply, 1);
  if (wanted[0] === -1 && !wanted.slice(1).includes(-1) && multiply(rest, batch ?? 1) === total) wanted[0] = batch ?? 1;
  if (wanted.length === from.length && wanted.every((size, i) => size === from[i])) return new TensorValue(x);
  if (wanted[0] === batch) {
    const sample = wanted.slice(1);
    if (sample.length === 1 && (sample[0] === -1 || sample[0] === from.slice(1).reduce<Dim>(multiply, 1)))
      return from.length === 2 ? new TensorValue(x) : draw(c, "flatten", {}, { x });
    const free = sample.filter((size) => typeof size !== "number" || size === -1).length;
    if (free > 1) return c.refuse(say("{name}: more than one size of the new shape is known only at run time.", { name: c.name }));
    return draw(c, "reshape", { shape: sample.map((size) => (typeof size === "number" ? size : -1)) }, { x });
  }
  // Axes from the first on joined into one: the batch and time, say.
  const lost = from.length - wanted.length;
  if (lost > 0) {
    for (let start = 0; start < wanted.length; start++) {
      const joined = from.slice(start, start + lost + 1).reduce<Dim>(multiply, 1);
      if (wanted.every((size, i) => (i < start ? size === from[i] : i > start ? size === from[i + lost] : size === -1 || size === joined)))
        return draw(c, "flatten", { start_dim: start, end_dim: start + lost }, { x });
    }
  }
  // The first axis taken apart, the batch back out of it.
  const gained = wanted.length - from.length;
  if (gained > 0 && from.slice(1).every((size, i) => size === wanted[i + 1 + gained] || wanted[i + 1 + gained] === -1)) {
    const front = wanted.slice(0, gained + 1);
    const numbers = front.map((size) => (typeof size === "number" ? size : -1));
    if (numbers.filter((size) => size === -1).length <= 1) return draw(c, "unflatten", { dim: 0, unflattened_size: numbers }, { x });
  }
  return c.refuse(
    say("{name} of a [{from}] to [{wanted}] changes the batch axis in a way that no layer does.", { name: c.name, from: from.join(", "), wanted: wanted.join(", ") }),
  );
};

const permute: Handler = (c) => draw(c, "permute", { dims: axes(c, 1, "dims") }, { x: tensor(c) });
const transpose: Handler = (c) => draw(c, "transpose", { dim0: number(c, 1, null, "dim0", "axis0"), dim1: number(c, 2, null, "dim1", "axis1") }, { x: tensor(c) });

const joined =
  (type: string): Handler =>
  (c) => {
    const list = arg(c, 0, "tensors");
    if (!(list instanceof Sequence)) return c.refuse(say("{name} needs a list of tensors.", { name: c.name }));
    return draw(c, type, { dim: number(c, 1, 0, "dim", "axis") }, { x: list.items.map((item) => c.wire(item)) });
  };

function pieces(c: Call, type: string, params: { [name: string]: Json }, x: Wire): Sequence {
  return new Sequence(
    "tuple",
    Object.values(c.add(type, params, { x }).outputs).map((wire) => new TensorValue(wire)),
  );
}

const split: Handler = (c) => {
  const x = tensor(c);
  const dim = number(c, 2, 0, "dim");
  const given = arg(c, 1, "split_size_or_sections", "split_size");
  if (typeof given === "number") {
    const size = x.type.shape[positive(dim, x.type.shape.length)];
    if (typeof size !== "number") return c.refuse(say("The axis that is split must have a known size."));
    const count = Math.ceil(size / given);
    return pieces(c, "split", { split_sizes: Array.from({ length: count }, (_, i) => Math.min(given, size - i * given)), dim }, x);
  }
  return pieces(c, "split", { split_sizes: axes(c, 1, "split_size_or_sections"), dim }, x);
};

const unbind: Handler = (c) => {
  const x = tensor(c);
  const dim = number(c, 1, 0, "dim");
  const size = x.type.shape[positive(dim, x.type.shape.length)];
  if (typeof size !== "number") return c.refuse(say("The axis that is taken apart must have a known size."));
  return new Sequence(
    "tuple",
    Array.from({ length: size }, (_, index) => draw(c, "select", { dim, index }, { x })),
  );
};

const squeeze: Handler = (c) => {
  const x = tensor(c);
  const given = arg(c, 1, "dim");
  const dims = given === undefined ? x.type.shape.flatMap((size, i) => (size === 1 ? [i] : [])) : axes(c, 1, "dim");
  // PyTorch leaves an axis of another size as it is.
  const kept = dims.filter((dim) => x.type.shape[positive(dim, x.type.shape.length)] === 1);
  return kept.length === 0 ? new TensorValue(x) : draw(c, "squeeze", { dim: kept }, { x });
};

const expand: Handler = (c) => {
  const x = tensor(c);
  const wanted = sizes(c, 1, "size");
  const lead = wanted.length - x.type.shape.length;
  const size = wanted.map((length, i) => (length === x.type.shape[i - lead] ? -1 : length));
  const letters = size.filter((length) => typeof length === "string");
  const like = letters.length > 0 ? c.like(letters) : undefined;
  return draw(c, "expand", { size: size as Json[] }, { x, ...(like ? { like } : {}) });
};

const cast =
  (dtype: Dtype): Handler =>
  (c) => {
    const [value] = c.args;
    if (value instanceof CausalMask) return value;
    const x = tensor(c);
    return x.type.dtype === dtype ? new TensorValue(x) : draw(c, "cast", { dtype }, { x });
  };

/** `x.to(…)`: a type, or a device, which says nothing here. */
const to: Handler = (c) => {
  const [x, ...rest] = c.args;
  const dtype = [...rest, ...c.named.values()].find((value) => value instanceof DtypeValue);
  if (x === undefined) return c.refuse("to needs a tensor.");
  return dtype instanceof DtypeValue && dtype.dtype ? cast(dtype.dtype)({ ...c, args: [x], named: new Map() }) : x;
};

const same: Handler = (c) => c.args[0] ?? c.refuse(say("{name} needs a tensor.", { name: c.name }));

const clamp: Handler = (c) => {
  const [low, high] = [arg(c, 1, "min"), arg(c, 2, "max")];
  const bound = (value: Value | undefined): number | "none" =>
    typeof value === "number" ? value : value === undefined || value === null ? "none" : c.refuse("clamp needs limits that are numbers.");
  return draw(c, "clamp", { min: bound(low), max: bound(high) }, { x: tensor(c) });
};

const masked: Handler = (c) => {
  const x = tensor(c);
  const value = number(c, 2, null, "value");
  const mask = arg(c, 1, "mask");
  if (mask === undefined) return c.refuse("masked_fill needs a mask.");
  const condition = draw(c, "logical_not", {}, { x: c.wire(mask) }).wire;
  return draw(c, "where", { value: Math.max(-3.4e38, Math.min(3.4e38, value)) }, { condition, x });
};

const where: Handler = (c) => {
  const [condition, x, other] = [tensor(c, 0, "condition"), arg(c, 1, "input", "self"), arg(c, 2, "other")];
  if (x === undefined || other === undefined) return c.refuse("where needs two values.");
  if (typeof other === "number") return draw(c, "where", { value: other }, { condition, x: c.wire(x) });
  if (typeof x === "number") return draw(c, "where", { value: x }, { condition: draw(c, "logical_not", {}, { x: condition }).wire, x: c.wire(other) });
  return draw(c, "where", {}, { condition, x: c.wire(x), other: c.wire(other) });
};

const matmul: Handler = (c) => draw(c, "matmul", {}, { a: tensor(c), b: tensor(c, 1, "other", "mat2", "vec2") });

const einsum: Handler = (c) => {
  const [equation, ...rest] = c.args;
  if (typeof equation !== "string") return c.refuse("einsum needs its equation as a text.");
  const operands = rest[0] instanceof Sequence ? rest[0].items : rest;
  return draw(c, "einsum", { equation: equation.replaceAll(" ", "") }, { x: operands.map((item) => c.wire(item)) });
};

const attention: Handler = (c) => {
  const mask = arg(c, 3, "attn_mask");
  const isCausal = flag(c, 5, "is_causal") || mask instanceof CausalMask;
  const scale = c.named.get("scale");
  if (scale !== undefined && scale !== null) return c.refuse(say("A scale of its own is not to be had here."));
  return draw(
    c,
    "scaled_dot_product_attention",
    { dropout_p: number(c, 4, 0, "dropout_p"), is_causal: isCausal },
    {
      query: tensor(c, 0, "query"),
      key: tensor(c, 1, "key"),
      value: tensor(c, 2, "value"),
      ...(mask && mask !== null && !(mask instanceof CausalMask) ? { attn_mask: c.wire(mask) } : {}),
    },
  );
};

const ranked =
  (type: "topk" | "sort"): Handler =>
  (c) => {
    const x = tensor(c);
    const params: { [name: string]: Json } =
      type === "topk"
        ? { k: number(c, 1, null, "k"), dim: number(c, 2, -1, "dim"), largest: arg(c, 3, "largest") !== false }
        : { dim: number(c, 1, -1, "dim"), descending: flag(c, 2, "descending") };
    const { values, indices } = c.add(type, params, { x }).outputs;
    if (!values || !indices) return c.refuse(say("{type} gives nothing.", { type }));
    return new Sequence("tuple", [new TensorValue(values), new TensorValue(indices)]);
  };

const norm: Handler = (c) => {
  const x = tensor(c);
  const order = arg(c, 1, "p", "ord") ?? 2;
  const ord = order === "fro" || order === 2 ? "2" : order === 1 ? "1" : order === Infinity ? "inf" : c.refuse(say("Of norms, 1, 2 and inf are read."));
  const given = arg(c, 2, "dim");
  return draw(c, "norm", { ord, dim: given === undefined || given === null ? x.type.shape.map((_, i) => i) : axes(c, 2, "dim"), keepdim: flag(c, 3, "keepdim") }, { x });
};

/** `triu(ones(T, T), 1)`: what may not be seen by a model that reads from left to right. */
const triangle: Handler = (c) => {
  const [x] = c.args;
  const diagonal = number(c, 1, 0, "diagonal");
  const isSquare = x instanceof ConstantTensor && x.sizes.length === 2 && x.sizes[0] === x.sizes[1] && typeof x.values === "number" && x.values !== 0;
  if (c.name === "triu" && isSquare && diagonal === 1) return new CausalMask(x.sizes[0] ?? 1);
  return c.refuse(say("{name} is read as the mask torch.triu(torch.ones(T, T), 1) alone.", { name: c.name }));
};

const made =
  (value: number, init?: string): Handler =>
  (c) => {
    const dtype = c.named.get("dtype");
    return new ConstantTensor(sizes(c, 0, "size"), value, dtype instanceof DtypeValue && dtype.dtype ? dtype.dtype : "float32", init);
  };

/** `x.new_zeros(…)`: as torch.zeros, of the tensor's type. */
const madeLike =
  (value: number): Handler =>
  (c) =>
    made(value)({ ...c, args: c.args.slice(1) });

const full: Handler = (c) => {
  const wanted = c.args[0] instanceof Sequence ? c.args[0].items : [];
  const dims = wanted.map((item) => (typeof item === "number" ? item : item instanceof SizeValue ? item.dim : c.refuse("full needs sizes.")));
  const dtype = c.named.get("dtype");
  return new ConstantTensor(dims, number(c, 1, 0, "fill_value"), dtype instanceof DtypeValue && dtype.dtype ? dtype.dtype : "float32");
};

const alike =
  (type: string, params: { [name: string]: Json } = {}): Handler =>
  (c) =>
    draw(c, type, params, { like: tensor(c) });

const arange: Handler = (c) => {
  const [only, end] = c.args;
  const stop = end === undefined || end instanceof DtypeValue ? only : end;
  const start = end === undefined ? 0 : number(c, 0, 0, "start");
  const dtype = c.named.get("dtype");
  const wanted = dtype instanceof DtypeValue && dtype.dtype === "float32" ? "float32" : "int64";
  if (typeof stop === "number") {
    const step = number(c, 2, 1, "step");
    const values = Array.from({ length: Math.max(0, Math.ceil((stop - start) / step)) }, (_, i) => start + i * step);
    return new ConstantTensor([values.length], values, wanted);
  }
  if (!(stop instanceof SizeValue)) return c.refuse("arange needs a size.");
  const like = c.like([stop.dim]);
  const dim = like?.type.shape.indexOf(stop.dim) ?? -1;
  if (!like || start !== 0) return c.refuse("arange needs a size of one of the inputs.");
  return draw(c, "arange", { dim, dtype: wanted }, { like });
};

const tensorOf: Handler = (c) => {
  const [data] = c.args;
  const dtype = c.named.get("dtype");
  const numbers: number[] = [];
  let isWhole = true;
  const shapeOf = (value: Value | undefined): number[] => {
    if (value instanceof Sequence) {
      const shapes = value.items.map(shapeOf);
      if (shapes.some((shape) => shape.join() !== shapes[0]?.join())) c.refuse(say("The rows of a tensor must be equally long."));
      return [value.items.length, ...(shapes[0] ?? [])];
    }
    if (typeof value !== "number" && typeof value !== "boolean") return c.refuse(say("A tensor is made of numbers that are known."));
    if (!Number.isInteger(Number(value))) isWhole = false;
    numbers.push(Number(value));
    return [];
  };
  const shape = shapeOf(data);
  return new ConstantTensor(shape, numbers, dtype instanceof DtypeValue && dtype.dtype ? dtype.dtype : isWhole ? "int64" : "float32");
};

const pad: Handler = (c) => {
  const mode = arg(c, 2, "mode") ?? "constant";
  if (typeof mode !== "string") return c.refuse("pad needs its mode as a text.");
  return draw(c, "pad", { pad: axes({ ...c, args: [c.args[0] ?? null, c.args[1] ?? null] }, 1, "pad"), mode, value: number(c, 3, 0, "value") }, { x: tensor(c) });
};

const normalize: Handler = (c) => {
  if (number(c, 1, 2, "p") !== 2) return c.refuse(say("F.normalize is read for p=2."));
  return draw(c, "l2_normalize", { dim: number(c, 2, 1, "dim"), eps: number(c, 3, 1e-12, "eps") }, { x: tensor(c) });
};

const linear: Handler = (c) => {
  const weight = tensor(c, 1, "weight");
  const product = draw(c, "matmul", {}, { a: tensor(c), b: draw(c, "transpose", { dim0: 0, dim1: 1 }, { x: weight }).wire });
  const bias = arg(c, 2, "bias");
  return bias === undefined || bias === null ? product : draw(c, "add", {}, { a: product.wire, b: c.wire(bias) });
};

const repeat: Handler = (c) => {
  const dims = axes(c, 1, "repeats", "dims");
  return dims.every((times) => times === 1) ? new TensorValue(tensor(c)) : draw(c, "tile", { dims }, { x: tensor(c) });
};

const POOL = ["kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"];

/** Functions of `torch` and `torch.nn.functional`, and methods of tensors, by name: all of them take the tensor first. */
export const FUNCTIONS: { [name: string]: Handler | undefined } = {
  abs: unary("abs"),
  adaptive_avg_pool1d: asModule("AdaptiveAvgPool1d"),
  adaptive_avg_pool2d: asModule("AdaptiveAvgPool2d"),
  adaptive_avg_pool3d: asModule("AdaptiveAvgPool3d"),
  adaptive_max_pool1d: asModule("AdaptiveMaxPool1d"),
  adaptive_max_pool2d: asModule("AdaptiveMaxPool2d"),
  add: arithmetic("add"),
  alpha_dropout: asModule("AlphaDropout"),
  amax: reduction("max"),
  amin: reduction("min"),
  arange,
  argmax: (c) => draw(c, "argmax", { dim: number(c, 1, null, "dim"), keepdim: flag(c, 2, "keepdim") }, { x: tensor(c) }),
  argmin: (c) => draw(c, "argmin", { dim: number(c, 1, null, "dim"), keepdim: flag(c, 2, "keepdim") }, { x: tensor(c) }),
  avg_pool1d: asModule("AvgPool1d"),
  avg_pool2d: asModule("AvgPool2d"),
  avg_pool3d: asModule("AvgPool3d"),
  bmm: matmul,
  bool: cast("bool"),
  cat: joined("concat"),
  ceil: unary("ceil"),
  celu: asModule("CELU"),
  channel_shuffle: asModule("ChannelShuffle"),
  chunk: (c) => pieces(c, "chunk", { chunks: number(c, 1, null, "chunks"), dim: number(c, 2, 0, "dim") }, tensor(c)),
  clamp,
  clamp_max: (c) => draw(c, "clamp", { min: "none", max: number(c, 1, null, "max") }, { x: tensor(c) }),
  clamp_min: (c) => draw(c, "clamp", { min: number(c, 1, null, "min"), max: "none" }, { x: tensor(c) }),
  clip: clamp,
  clone: same,
  concat: joined("concat"),
  concatenate: joined("concat"),
  contiguous: same,
  cos: unary("cos"),
  cosine_similarity: (c) => draw(c, "cosine_similarity", { dim: number(c, 2, 1, "dim"), eps: number(c, 3, 1e-8, "eps") }, { x1: tensor(c, 0, "x1"), x2: tensor(c, 1, "x2") }),
  cpu: same,
  cuda: same,
  cumsum: (c) => draw(c, "cumsum", { dim: number(c, 1, null, "dim") }, { x: tensor(c) }),
  detach: (c) => draw(c, "detach", {}, { x: tensor(c) }),
  div: arithmetic("div"),
  divide: arithmetic("div"),
  dropout: asModule("Dropout"),
  dropout1d: asModule("Dropout1d"),
  dropout2d: asModule("Dropout2d"),
  dropout3d: asModule("Dropout3d"),
  einsum,
  elu: asModule("ELU"),
  empty: made(0, "normal"),
  eq: comparison("equal"),
  erf: unary("erf"),
  exp: unary("exp"),
  expand,
  expand_as: (c) => draw(c, "expand", { size: [] }, { x: tensor(c), like: tensor(c, 1, "other") }),
  flatten: (c) => draw(c, "flatten", { start_dim: number(c, 1, 0, "start_dim"), end_dim: number(c, 2, -1, "end_dim") }, { x: tensor(c) }),
  flip: (c) => draw(c, "flip", { dims: axes(c, 1, "dims") }, { x: tensor(c) }),
  float: cast("float32"),
  floor: unary("floor"),
  full,
  gather: (c) => draw(c, "gather", { dim: number(c, 1, null, "dim") }, { x: tensor(c), index: tensor(c, 2, "index") }),
  ge: comparison("greater_equal"),
  gelu: asModule("GELU"),
  glu: asModule("GLU"),
  gt: comparison("greater"),
  hardshrink: asModule("Hardshrink"),
  hardsigmoid: asModule("Hardsigmoid"),
  hardswish: asModule("Hardswish"),
  hardtanh: asModule("Hardtanh"),
  index_select: (c) => draw(c, "index_select", { dim: number(c, 1, null, "dim") }, { x: tensor(c), index: tensor(c, 2, "index") }),
  interpolate: asModule("Upsample"),
  le: comparison("less_equal"),
  leaky_relu: asModule("LeakyReLU"),
  linear,
  local_response_norm: asModule("LocalResponseNorm"),
  log: unary("log"),
  log1p: unary("log1p"),
  log_softmax: asModule("LogSoftmax"),
  logical_and: (c) => draw(c, "logical_and", {}, { a: tensor(c), b: tensor(c, 1, "other") }),
  logical_not: unary("logical_not"),
  logical_or: (c) => draw(c, "logical_or", {}, { a: tensor(c), b: tensor(c, 1, "other") }),
  logsigmoid: asModule("LogSigmoid"),
  logsumexp: reduction("logsumexp"),
  long: cast("int64"),
  lt: comparison("less"),
  masked_fill: masked,
  matmul,
  max: extreme("max"),
  max_pool1d: asModule("MaxPool1d", POOL),
  max_pool2d: asModule("MaxPool2d", POOL),
  max_pool3d: asModule("MaxPool3d", POOL),
  maximum: arithmetic("maximum"),
  mean: reduction("mean"),
  min: extreme("min"),
  minimum: arithmetic("minimum"),
  mish: asModule("Mish"),
  mm: matmul,
  mul: arithmetic("mul"),
  multiply: arithmetic("mul"),
  ne: comparison("not_equal"),
  neg: unary("neg"),
  new_ones: madeLike(1),
  new_zeros: madeLike(0),
  norm,
  normalize,
  one_hot: (c) => draw(c, "one_hot", { num_classes: number(c, 1, null, "num_classes") }, { x: tensor(c) }),
  ones: made(1),
  ones_like: alike("ones"),
  pad,
  pairwise_distance: (c) =>
    draw(c, "pairwise_distance", { p: number(c, 2, 2, "p"), eps: number(c, 3, 1e-6, "eps"), keepdim: flag(c, 4, "keepdim") }, { x1: tensor(c, 0, "x1"), x2: tensor(c, 1, "x2") }),
  permute,
  pixel_shuffle: asModule("PixelShuffle"),
  pixel_unshuffle: asModule("PixelUnshuffle"),
  pow: arithmetic("pow"),
  prod: reduction("prod"),
  rand: made(0, "uniform"),
  rand_like: alike("random_uniform"),
  randn: made(0, "normal"),
  randn_like: alike("random_normal"),
  reciprocal: unary("reciprocal"),
  relu: asModule("ReLU"),
  relu_: asModule("ReLU"),
  relu6: asModule("ReLU6"),
  repeat,
  reshape,
  roll: (c) => draw(c, "roll", { shifts: [c.plain(arg(c, 1, "shifts") ?? 0)].flat().map(Number), dims: [c.plain(arg(c, 2, "dims") ?? 0)].flat().map(Number) }, { x: tensor(c) }),
  round: unary("round"),
  rrelu: asModule("RReLU"),
  rsqrt: (c) => draw(c, "pow", { value: -0.5 }, { a: tensor(c) }),
  scaled_dot_product_attention: attention,
  select: (c) => draw(c, "select", { dim: number(c, 1, null, "dim"), index: number(c, 2, null, "index") }, { x: tensor(c) }),
  selu: asModule("SELU"),
  sigmoid: asModule("Sigmoid"),
  sign: unary("sign"),
  silu: asModule("SiLU"),
  sin: unary("sin"),
  softmax: asModule("Softmax"),
  softmin: asModule("Softmin"),
  softplus: asModule("Softplus"),
  softshrink: asModule("Softshrink"),
  softsign: asModule("Softsign"),
  sort: ranked("sort"),
  split,
  sqrt: unary("sqrt"),
  square: (c) => draw(c, "pow", { value: 2 }, { a: tensor(c) }),
  squeeze,
  stack: joined("stack_tensors"),
  std: spread("std"),
  sub: arithmetic("sub"),
  subtract: arithmetic("sub"),
  sum: reduction("sum"),
  swapaxes: transpose,
  t: (c) => draw(c, "transpose", { dim0: 0, dim1: 1 }, { x: tensor(c) }),
  tanh: asModule("Tanh"),
  tensor: tensorOf,
  threshold: asModule("Threshold"),
  tile: repeat,
  to,
  topk: ranked("topk"),
  transpose,
  tril: triangle,
  triu: triangle,
  true_divide: arithmetic("div"),
  type_as: (c) => cast(tensor(c, 1, "other").type.dtype)({ ...c, args: [c.args[0] ?? null] }),
  unbind,
  unflatten: (c) => draw(c, "unflatten", { dim: number(c, 1, null, "dim"), unflattened_size: axes(c, 2, "sizes", "unflattened_size") }, { x: tensor(c) }),
  unsqueeze: (c) => draw(c, "unsqueeze", { dim: number(c, 1, null, "dim") }, { x: tensor(c) }),
  var: spread("var"),
  vector_norm: norm,
  view: reshape,
  where,
  zeros: made(0),
  zeros_like: alike("zeros"),
};

/** A layer by which Python's operator on tensors is said. */
export const OPERATORS: { [operator: string]: Handler | undefined } = {
  "+": arithmetic("add"),
  "-": arithmetic("sub"),
  "*": arithmetic("mul"),
  "/": arithmetic("div"),
  "**": arithmetic("pow"),
  "@": matmul,
  "&": FUNCTIONS.logical_and,
  "|": FUNCTIONS.logical_or,
  "<": comparison("less"),
  "<=": comparison("less_equal"),
  ">": comparison("greater"),
  ">=": comparison("greater_equal"),
  "==": comparison("equal"),
  "!=": comparison("not_equal"),
};
