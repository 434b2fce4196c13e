import { type Tensor, tensorOf } from "../export/tensor.ts";
import { add, floorDivide, isStatic, multiply, subtract } from "../graph/dims.ts";
import type { Dim, Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import {
  broadcastSizes,
  castTensor,
  combineTensors,
  concatTensors,
  decodeTensor,
  dtypeOf,
  expandTensor,
  fullTensor,
  gatherTensor,
  mapTensor,
  numbersOf,
  reshapeTensor,
  scalarOf,
  sliceRange,
  sliceTensor,
  transposeTensor,
} from "./constants.ts";
import { ONNX_LIMITS, OnnxError, quote } from "./onnx-proto.ts";
import { type Known, known, type Reading } from "./onnx-reading.ts";

/**
 * Works out what does not depend on the data: constants, and arithmetic on shapes (Shape, Gather, Concat and what exporters put
 * between them), whose results may hold sizes known only at run time. Null where a node is real work for a layer.
 */
export function foldConstants(r: Reading): Known | Known[] | null {
  const ofShape = shapes[r.op]?.(r) ?? null;
  if (ofShape) return ofShape;
  const fold = folds[r.op];
  const inputs = r.node.inputs.map((_, i) => r.constant(i));
  if (!fold || r.node.inputs.some((name, i) => name !== "" && !inputs[i])) return null;
  const results = fold(r, inputs);
  return results && [results].flat().map((tensor, i) => known.constant(tensor, nameOf(r, i)));
}

/** Whether a node of this kind can be worked out where its inputs allow it. */
export function isFoldable(op: string): boolean {
  return op in folds || op in shapes;
}

/** A weight that was only laid out differently keeps its name, which says what layer it belongs to. */
function nameOf(r: Reading, i: number): string {
  const value = r.input(0);
  return value?.kind === "constant" && value.name !== "" ? value.name : (r.node.outputs[i] ?? "");
}

/** Sizes of a tensor, whether it is a constant or flows along a wire. */
function shapeOf(value: Known | null): Shape | null {
  if (value?.kind === "wire") return value.wire.type.shape;
  return value?.kind === "constant" ? value.tensor.shape : value?.kind === "sizes" ? (value.isScalar ? [] : [value.sizes.length]) : null;
}

type Fold = (r: Reading) => Known | Known[] | null;

/** Both are short lists of whole numbers, and one of them has a size known only at run time. */
function onSizes(f: (a: Dim, b: Dim) => Dim | null): Fold {
  return (r) => {
    const [left, right] = [r.input(0), r.input(1)];
    if (left?.kind !== "sizes" && right?.kind !== "sizes") return null;
    const [a, b] = [r.sizes(0), r.sizes(1)];
    if (!a || !b || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return null;
    const results = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => f(a[a.length === 1 ? 0 : i] ?? 1, b[b.length === 1 ? 0 : i] ?? 1));
    const isScalar = (left?.kind === "sizes" ? left.isScalar : shapeOf(left)?.length === 0) && (right?.kind === "sizes" ? right.isScalar : shapeOf(right)?.length === 0);
    return results.every((size) => size !== null) ? known.sizes(results, isScalar) : null;
  };
}

/** Of a list of sizes, where one of them is known only at run time. */
function ofSizes(f: (r: Reading, sizes: Dim[], isScalar: boolean) => Known | Known[] | null): Fold {
  return (r) => {
    const value = r.input(0);
    return value?.kind === "sizes" ? f(r, value.sizes, value.isScalar) : null;
  };
}

const shapes: { [op: string]: Fold } = {
  Shape: (r) => {
    const shape = shapeOf(r.input(0));
    if (!shape) return null;
    const { start, count } = sliceRange(shape.length, r.int("start", 0), r.int("end", shape.length), 1);
    return known.sizes(shape.slice(start, start + count));
  },
  Size: (r) => {
    const shape = shapeOf(r.input(0));
    return shape && known.sizes([shape.reduce<Dim>(multiply, 1)], true);
  },
  Identity: (r) => r.input(0),
  Cast: ofSizes((r, sizes, isScalar) => (dtypeOf(r.int("to", 0)) === "int64" ? known.sizes(sizes, isScalar) : null)),
  Squeeze: ofSizes((_, sizes) => (sizes.length === 1 ? known.sizes(sizes, true) : null)),
  Unsqueeze: ofSizes((_, sizes, isScalar) => (isScalar ? known.sizes(sizes) : null)),
  Reshape: ofSizes((r, sizes) => (sizes.length === 1 ? known.sizes(sizes, r.sizes(1)?.length === 0) : null)),
  Slice: ofSizes((r, sizes) => {
    const starts = r.ints("starts") ?? r.numbers(1);
    const ends = r.ints("ends") ?? r.numbers(2);
    if (!starts || !ends) return null;
    const step = r.has(4) ? (r.scalar(4) ?? 1) : 1;
    const { start, count } = sliceRange(sizes.length, starts[0] ?? 0, ends[0] ?? 0, step);
    return known.sizes(Array.from({ length: count }, (_, i) => sizes[start + i * step] ?? 1));
  }),
  Gather: ofSizes((r, sizes) => {
    const indices = r.constant(1);
    if (!indices) return null;
    const picked = numbersOf(indices).map((index) => sizes[index < 0 ? index + sizes.length : index]);
    return picked.every((size) => size !== undefined) ? known.sizes(picked, indices.shape.length === 0) : null;
  }),
  Split: ofSizes((r, sizes) => (r.node.outputs.length === sizes.length ? sizes.map((size) => known.sizes([size])) : null)),
  Concat: (r) => {
    const parts = r.node.inputs.map((_, i) => r.sizes(i));
    if (!r.node.inputs.some((_, i) => r.input(i)?.kind === "sizes") || parts.some((part) => !part)) return null;
    return known.sizes(parts.flatMap((part) => part ?? []));
  },
  Add: onSizes(add),
  Sub: onSizes(subtract),
  Mul: onSizes(multiply),
  Div: onSizes((a, b) => (typeof b === "number" && b >= 1 ? floorDivide(a, b) : null)),
  Neg: ofSizes((_, sizes, isScalar) =>
    known.sizes(
      sizes.map((size) => multiply(size, -1)),
      isScalar,
    ),
  ),
  // Exporters ask "is this size −1?" where a model gave one; sizes of tensors never are.
  Equal: (r) => {
    const [a, b] = [r.sizes(0), r.sizes(1)];
    if (!a || !b || a.length !== b.length || (r.input(0)?.kind !== "sizes" && r.input(1)?.kind !== "sizes")) return null;
    const answers = a.map((size, i) => (size === b[i] ? 1 : typeof size === typeof b[i] || Number(size) < 1 || Number(b[i]) < 1 ? 0 : null));
    return answers.every((answer) => answer !== null) ? known.constant(tensorOf("bool", [answers.length], answers)) : null;
  },
  Where: (r) => {
    const [condition, a, b] = [r.numbers(0), r.sizes(1), r.sizes(2)];
    if (!condition || !a || !b || (r.input(1)?.kind !== "sizes" && r.input(2)?.kind !== "sizes")) return null;
    return known.sizes(condition.map((yes, i) => (yes ? a[i] : b[i]) ?? 1));
  },
  ConstantOfShape: (r) => {
    const sizes = r.sizes(0);
    if (!sizes || !isStatic(sizes)) return null;
    const value = r.node.attributes.get("value")?.tensor;
    const filler = value ? decodeTensor(value) : tensorOf("float32", [1], [0]);
    const [count = 0, ...others] = sizes;
    // Whole numbers by the million in one row are sizes of a shape, and of one that would be worked out for hours.
    if (filler.dtype === "int64" && others.length === 0 && count > 1 << 24)
      throw new OnnxError("ONNX_RANK", say("A shape of {count} sizes is more than {rank}, which is the limit.", { count, rank: ONNX_LIMITS.rank }));
    return known.constant(fullTensor(filler.dtype, sizes, scalarOf(filler) ?? 0));
  },
};

type ConstantFold = (r: Reading, inputs: (Tensor | null)[]) => Tensor | Tensor[] | null;

const one =
  (f: (x: number) => number): ConstantFold =>
  (_, [x]) =>
    x ? mapTensor(x, f) : null;
const two =
  (f: (a: number, b: number) => number, dtype?: "bool"): ConstantFold =>
  (_, [a, b]) =>
    a && b ? combineTensors(a, b, f, dtype) : null;

/** The shape that a Reshape means for a tensor of known sizes. */
function reshaped(tensor: Tensor, wanted: readonly number[], copiesZero: boolean): number[] {
  const shape = wanted.map((size, i) => (size === 0 && copiesZero ? (tensor.shape[i] ?? 1) : size));
  const rest = shape.reduce((a, b) => (b === -1 ? a : a * b), 1);
  return shape.map((size) => (size === -1 ? (rest === 0 ? 0 : tensor.data.length / rest) : size));
}

const folds: { [op: string]: ConstantFold } = {
  Constant: (r) => {
    const { attributes } = r.node;
    const tensor = attributes.get("value")?.tensor;
    if (tensor) return decodeTensor(tensor);
    const float = attributes.get("value_float")?.float;
    if (float !== undefined) return tensorOf("float32", [], [float]);
    const int = attributes.get("value_int")?.int;
    if (int !== undefined) return tensorOf("int64", [], [int]);
    const floats = attributes.get("value_floats")?.floats;
    if (floats) return tensorOf("float32", [floats.length], floats);
    const ints = attributes.get("value_ints")?.ints;
    if (ints) return tensorOf("int64", [ints.length], ints);
    throw new OnnxError("ONNX_ATTRIBUTE", say("The Constant {name} holds no numbers.", { name: quote(r.node.name) }));
  },
  Cast: (r, [x]) => {
    const dtype = dtypeOf(r.int("to", 0));
    return x && dtype ? castTensor(x, dtype) : null;
  },
  Reshape: (r, [x, shape]) => (x && shape ? reshapeTensor(x, reshaped(x, numbersOf(shape), r.int("allowzero", 0) === 0)) : null),
  Flatten: (r, [x]) => {
    const axis = r.int("axis", 1);
    return x
      ? reshapeTensor(
          x,
          [x.shape.slice(0, axis).reduce((a, b) => a * b, 1), -1].map((size, _, [first = 1]) => (size === -1 ? x.data.length / first : size)),
        )
      : null;
  },
  Transpose: (r, [x]) => {
    if (!x) return null;
    const perm = r.ints("perm") ?? x.shape.map((_, i) => x.shape.length - 1 - i);
    return transposeTensor(
      x,
      perm.map((axis) => r.axis(axis, x.shape.length)),
    );
  },
  Squeeze: (r, [x]) => {
    if (!x) return null;
    const axes = r.axes(1, x.shape.length);
    return reshapeTensor(
      x,
      x.shape.filter((size, i) => (axes ? !axes.includes(i) : size !== 1)),
    );
  },
  Unsqueeze: (r, [x]) => {
    const given = r.ints("axes") ?? r.numbers(1);
    if (!x || !given) return null;
    const rank = x.shape.length + given.length;
    const axes = given.map((axis) => r.axis(axis, rank));
    const rest = [...x.shape];
    return reshapeTensor(
      x,
      Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : (rest.shift() ?? 1))),
    );
  },
  Concat: (r, inputs) => {
    const tensors = inputs.filter((tensor) => tensor !== null);
    return concatTensors(tensors, r.axis(r.int("axis", 0), tensors[0]?.shape.length ?? 0));
  },
  Split: (r, [x]) => {
    if (!x) return null;
    const axis = r.axis(r.int("axis", 0), x.shape.length);
    const sizes = splitSizes(r, x.shape[axis] ?? 1);
    if (!sizes) return null;
    let at = 0;
    return sizes.map((size) => {
      at += size;
      return sliceTensor(x, axis, at - size, at, 1);
    });
  },
  Slice: (r, [x]) => {
    if (!x) return null;
    const starts = r.ints("starts") ?? r.numbers(1);
    const ends = r.ints("ends") ?? r.numbers(2);
    const axes = r.ints("axes") ?? r.numbers(3) ?? starts?.map((_, i) => i);
    const steps = r.numbers(4);
    if (!starts || !ends || !axes) return null;
    return axes.reduce((tensor, axis, i) => sliceTensor(tensor, r.axis(axis, x.shape.length), starts[i] ?? 0, ends[i] ?? 0, steps?.[i] ?? 1), x);
  },
  Gather: (r, [x, indices]) => (x && indices ? gatherTensor(x, indices, r.axis(r.int("axis", 0), x.shape.length)) : null),
  Expand: (_, [x, shape]) => (x && shape ? expandTensor(x, numbersOf(shape)) : null),
  Tile: (_, [x, repeats]) => {
    if (!x || !repeats) return null;
    return numbersOf(repeats).reduce((tensor, times, axis) => (times === 1 ? tensor : concatTensors(Array<Tensor>(Math.max(0, Math.min(times, 10_000))).fill(tensor), axis)), x);
  },
  Range: (_, [start, limit, delta]) => {
    const [from, to, step] = [start, limit, delta].map((tensor) => (tensor ? scalarOf(tensor) : null));
    if (start === null || start === undefined || from === null || to === null || step === null || from === undefined || to === undefined || !step) return null;
    const count = Math.max(0, Math.ceil((to - from) / step));
    if (count > 2 ** 24) throw new OnnxError("ONNX_TENSOR_SIZE", say("A Range of {count} numbers is more than is read.", { count }));
    return tensorOf(
      start.dtype,
      [count],
      Array.from({ length: count }, (_, i) => from + i * step),
    );
  },
  Add: two((a, b) => a + b),
  Sub: two((a, b) => a - b),
  Mul: two((a, b) => a * b),
  Div: two((a, b) => a / b),
  Pow: two((a, b) => a ** b),
  Equal: two((a, b) => Number(a === b), "bool"),
  Greater: two((a, b) => Number(a > b), "bool"),
  Less: two((a, b) => Number(a < b), "bool"),
  Max: (r, inputs) => (inputs.length === 2 ? two(Math.max)(r, inputs) : null),
  Min: (r, inputs) => (inputs.length === 2 ? two(Math.min)(r, inputs) : null),
  And: two((a, b) => Number(a !== 0 && b !== 0), "bool"),
  Or: two((a, b) => Number(a !== 0 || b !== 0), "bool"),
  Not: one((x) => Number(x === 0)),
  Trilu: (r, [x, diagonal]) => {
    const [rows = 0, columns = 0] = x?.shape.slice(-2) ?? [];
    const k = diagonal ? scalarOf(diagonal) : 0;
    if (!x || x.shape.length < 2 || k === null) return null;
    const isUpper = r.int("upper", 1) === 1;
    const isKept = (i: number) => {
      const [row, column] = [Math.floor(i / columns) % rows, i % columns];
      return isUpper ? column - row >= k : column - row <= k;
    };
    return tensorOf(
      x.dtype,
      x.shape,
      numbersOf(x).map((value, i) => (isKept(i) ? value : 0)),
    );
  },
  Neg: one((x) => -x),
  Sqrt: one(Math.sqrt),
  Exp: one(Math.exp),
  Abs: one(Math.abs),
  Reciprocal: one((x) => 1 / x),
  Floor: one(Math.floor),
  Ceil: one(Math.ceil),
  Where: (_, [condition, a, b]) => {
    if (!condition || !a || !b || a.dtype !== b.dtype) return null;
    const shape = broadcastSizes(condition.shape, a.shape);
    const all = shape && broadcastSizes(shape, b.shape);
    if (!all) return null;
    const [yes, left, right] = [condition, a, b].map((tensor) => numbersOf(expandTensor(tensor, all)));
    return tensorOf(
      a.dtype,
      all,
      (yes ?? []).map((is, i) => (is ? left : right)?.[i] ?? 0),
    );
  },
};

/** How a Split cuts an axis of a known size; null where the file leaves it to the runtime. */
export function splitSizes(r: Reading, size: number): number[] | null {
  const given = r.ints("split") ?? r.numbers(1);
  if (given) return given;
  const parts = r.int("num_outputs", r.node.outputs.length);
  if (parts < 1) return null;
  const each = Math.ceil(size / parts);
  return Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(each, size - i * each)));
}
