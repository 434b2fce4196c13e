import { add, countElements, multiply } from "../../graph/dims.ts";
import { type Dim, printShape, type Shape } from "../../graph/shape.ts";
import { say } from "../../language/say.ts";
import { broadcastShapes, type Call, cast, divideSizes, type ExpressionFunction, type FunctionParam, int, promote, resultOf } from "../call.ts";
import { PyText } from "../python.ts";
import { lowerSlice, onnxSlice, planSlice, printSlice, type SliceItem } from "../slice.ts";
import type { Item, Tensor } from "../step.ts";
import { written } from "./elementwise.ts";

/** Functions that lay the numbers of tensors out differently, and join and part tensors. */

const X: FunctionParam = { name: "x" };
const NONE: Item = { kind: "none" };
const AXIS: FunctionParam = { name: "axis", default: NONE };
const WHOLE: SliceItem = { kind: "range", start: null, stop: null, step: 1 };

/** `x[items]` where the items are numbers, sizes and ranges. */
export function sliceTensor(x: Tensor, items: readonly SliceItem[], fail: (message: string, item: number) => never): Tensor {
  const plan = planSlice(items, x.type.shape);
  if ("problem" in plan) return fail(plan.problem, plan.item);
  return resultOf({
    inputs: [x],
    types: [{ dtype: x.type.dtype, shape: plan.shape }],
    lower: (e, [v]) => (v ? lowerSlice(plan, v, e.b, e.size) : []),
    onnx: (o, [v = ""]) => onnxSlice(plan, v, o.b, o.size),
    torch: (t, [v]) => printSlice(plan, v?.atom ?? "", (dim) => t.size(dim).code),
  });
}

/** From `start` to `stop` along one axis. */
function sliceAxis(c: Call, x: Tensor, axis: number, start: Dim | null, stop: Dim | null, step = 1): Tensor {
  const items: SliceItem[] = [...Array<SliceItem>(axis).fill(WHOLE), { kind: "range", start, stop, step }];
  return sliceTensor(x, items, (message) => c.fail(message, undefined, "GRAPH_SHAPE"));
}

function reshape(c: Call, x: Tensor, shape: Shape, text?: (v: PyText) => string): Tensor {
  if (printShape(shape) === printShape(x.type.shape)) return x;
  const sizes = c.openSizes(shape);
  return resultOf({
    inputs: [x],
    types: [{ dtype: x.type.dtype, shape }],
    lower: (e, [v = null]) => e.call("aten::reshape", [v, e.sizes(sizes)]),
    onnx: (o, [v = ""]) => o.op("Reshape", [v, o.sizes(sizes)]),
    torch: (t, [v = new PyText("")]) => text?.(v) ?? `${v.atom}.reshape(${t.sizes(sizes) || "()"})`,
  });
}

/** Works out the one -1 of a wanted shape. */
function resolveShape(c: Call, x: Tensor, wanted: Shape): Shape {
  const have = countElements(x.type.shape);
  if (wanted.length > 8) c.fail(say("{name} can make up to 8 axes.", { name: c.name }), "shape");
  if (wanted.some((size) => typeof size === "number" && size < 1 && size !== -1)) c.fail(say("Sizes for {name} are whole numbers ≥ 1, or one -1.", { name: c.name }), "shape");
  if (wanted.filter((size) => size === -1).length > 1) c.fail(say("{name} can work out one -1 only.", { name: c.name }), "shape");
  const known = wanted.reduce<Dim>((product, size) => (size === -1 ? product : multiply(product, size)), 1);
  const mismatch = `${c.name} cannot lay ${printShape(x.type.shape)}, ${have} numbers, out as ${printShape(wanted)}`;
  if (!wanted.includes(-1)) {
    if (known !== have) c.fail(say("{mismatch}, which holds {known}.", { mismatch, known }), "shape", "GRAPH_SHAPE");
    return wanted;
  }
  const missing = divideSizes(have, known, x.type.shape);
  if (missing === null) return c.fail(`${mismatch}.`, "shape", "GRAPH_SHAPE", say("The numbers before and after must be equally many."));
  return wanted.map((size) => (size === -1 ? missing : size));
}

function permute(x: Tensor, order: readonly number[], text?: (v: PyText) => string): Tensor {
  if (order.every((axis, i) => axis === i)) return x;
  return resultOf({
    inputs: [x],
    types: [{ dtype: x.type.dtype, shape: order.map((axis) => x.type.shape[axis] ?? 1) }],
    lower: (e, [v = null]) => e.call("aten::permute", [v, { ints: [...order] }]),
    onnx: (o, [v = ""]) => o.op("Transpose", [v], { perm: [...order] }),
    torch: (_, [v = new PyText("")]) => text?.(v) ?? `${v.atom}.permute(${order.join(", ")})`,
  });
}

function swapped(rank: number, a: number, b: number): number[] {
  return Array.from({ length: rank }, (_, axis) => (axis === a ? b : axis === b ? a : axis));
}

/** Axes in a given order, each once. */
function readOrder(c: Call, param: string, rank: number): number[] {
  const order = c.axes(param, rank) ?? [];
  if (order.length !== rank) c.fail(say("{name} needs each of the {rank} axes once.", { name: c.name, rank }), param, "GRAPH_SHAPE");
  return order;
}

/** `x.T`: axes the other way round. */
export function reversed(x: Tensor): Tensor {
  const rank = x.type.shape.length;
  return permute(
    x,
    Array.from({ length: rank }, (_, axis) => rank - 1 - axis),
    rank === 2 ? (v) => `${v.atom}.T` : undefined,
  );
}

/** `x.mT`: the last two axes swapped. */
export function transposedMatrix(x: Tensor): Tensor {
  const rank = x.type.shape.length;
  return permute(x, swapped(rank, rank - 2, rank - 1), (v) => `${v.atom}.mT`);
}

function joined(c: Call, tensors: Tensor[], axis: number, shape: Shape, text: string): Tensor {
  const dtype = promote(...tensors.map(({ type }) => type.dtype));
  if (tensors.some(({ type }) => type.dtype !== dtype)) for (const tensor of tensors) c.refuseBytes(tensor);
  return resultOf({
    inputs: tensors,
    types: [{ dtype, shape }],
    lower: (e, args) => e.call("aten::cat", [args.map((arg) => e.cast(arg, dtype)), axis]),
    onnx: (o, args) =>
      o.op(
        "Concat",
        args.map((arg, i) => o.cast(arg, tensors[i]?.type.dtype ?? dtype, dtype)),
        { axis },
      ),
    torch: (_, args) => `torch.${text}([${args.join(", ")}], dim=${axis})`,
  });
}

function concatenate(c: Call, tensors: Tensor[], axis: number): Tensor {
  const [first, ...others] = tensors;
  if (!first) return c.fail(say("{name} needs at least one tensor.", { name: c.name }));
  const fits = others.every(({ type }) => type.shape.length === first.type.shape.length && type.shape.every((size, i) => i === axis || size === first.type.shape[i]));
  if (!fits)
    c.fail(
      say("{name} cannot join {tensors} along axis {axis}.", { name: c.name, tensors: tensors.map(({ type }) => printShape(type.shape)).join(" with "), axis }),
      undefined,
      "GRAPH_SHAPE",
      say("All sizes but that one must be equal."),
    );
  const total = tensors.map(({ type }) => type.shape[axis] ?? 1).reduce<Dim>(add, 0);
  return joined(
    c,
    tensors,
    axis,
    first.type.shape.map((size, i) => (i === axis ? total : size)),
    "cat",
  );
}

export function expandDims(x: Tensor, axes: readonly number[]): Tensor {
  return axes
    .toSorted((a, b) => a - b)
    .reduce((value, axis) => {
      const shape = value.type.shape.toSpliced(axis, 0, 1);
      return resultOf({
        inputs: [value],
        types: [{ dtype: x.type.dtype, shape }],
        lower: (e, [v = null]) => e.call("aten::unsqueeze", [v, axis]),
        onnx: (o, [v = ""]) => o.op("Unsqueeze", [v, o.ints([axis])]),
        torch: (_, [v]) => `${v?.atom}.unsqueeze(${axis})`,
      });
    }, x);
}

function squeeze(x: Tensor, axes: readonly number[]): Tensor {
  if (axes.length === 0) return x;
  return resultOf({
    inputs: [x],
    types: [{ dtype: x.type.dtype, shape: x.type.shape.filter((_, axis) => !axes.includes(axis)) }],
    lower: (e, [v = null]) => e.call("aten::squeeze.dims", [v, { ints: [...axes] }]),
    onnx: (o, [v = ""]) => o.op("Squeeze", [v, o.ints(axes)]),
    torch: (_, [v]) => `${v?.atom}.squeeze(${axes.length === 1 ? axes[0] : `(${axes.join(", ")})`})`,
  });
}

export function broadcastTo(c: Call, x: Tensor, shape: Shape): Tensor {
  const own = x.type.shape;
  if (printShape(own) === printShape(shape)) return x;
  const fits = shape.length >= own.length && printShape(broadcastShapes(own, shape) ?? []) === printShape(shape);
  if (!fits)
    c.fail(
      say("{name} cannot stretch {own} to {shape}.", { name: c.name, own: printShape(own), shape: printShape(shape) }),
      "shape",
      "GRAPH_SHAPE",
      "Only sizes of 1 stretch; new axes come in front.",
    );
  const kept = shape.map((size, i) => size === own[i - shape.length + own.length]);
  const sizes = shape.map((size, i) => (kept[i] ? -1 : size));
  c.needSizes(sizes, "shape");
  return resultOf({
    inputs: [x],
    types: [{ dtype: x.type.dtype, shape }],
    lower: (e, [v = null]) => e.call("aten::expand", [v, e.sizes(sizes)]),
    onnx: (o, [v = ""]) => o.op("Expand", [v, o.sizes(sizes.map((size) => (size === -1 ? 1 : size)))]),
    torch: (t, [v]) => `${v?.atom}.expand(${t.sizes(sizes)})`,
  });
}

/** One piece after the other, from cut to cut. */
function cut(c: Call, x: Tensor, axis: number, cuts: Dim[]): Item {
  const bounds = [0, ...cuts, null];
  return { kind: "tuple", items: bounds.slice(1).map((stop, i) => sliceAxis(c, x, axis, bounds[i] === 0 ? null : (bounds[i] ?? null), stop)) };
}

function readAxis(c: Call, x: Tensor, fallback?: number): number {
  const rank = x.type.shape.length;
  if (!c.isNone("axis")) return c.axis("axis", rank);
  if (fallback !== undefined) return fallback;
  return rank === 1 ? 0 : c.fail(say("{name} needs an axis.", { name: c.name }), undefined, "GRAPH_PARAM", say("Write {name}(…, axis=-1).", { name: c.name }));
}

/** The number behind an axis that must be known beforehand. */
function knownSize(c: Call, x: Tensor, axis: number): number {
  const size = x.type.shape[axis];
  return typeof size === "number" ? size : c.fail(`${c.name} needs axis ${axis} to have a size that is known beforehand; it has ${size}.`, "axis", "GRAPH_SHAPE");
}

export const shapes: ExpressionFunction[] = [
  {
    names: ["reshape", "view"],
    group: "shape",
    doc: "Lays the numbers out in another shape, in the same order; one -1 is worked out.",
    params: [X, { name: "shape", rest: true }],
    call: (c) => {
      const x = c.tensor("x");
      return reshape(c, x, resolveShape(c, x, c.sizes("shape")));
    },
  },
  {
    names: ["flatten"],
    group: "shape",
    doc: "Makes one axis of those from start_dim to end_dim.",
    params: [X, { name: "start_dim", default: int(0) }, { name: "end_dim", default: int(-1) }],
    call: (c) => {
      const x = c.tensor("x");
      const { shape } = x.type;
      if (shape.length === 0) return expandDims(x, [0]);
      const [start, end] = [c.axis("start_dim", shape.length), c.axis("end_dim", shape.length)];
      if (start > end) c.fail("flatten goes from an axis to one after it.", "start_dim");
      return reshape(c, x, [...shape.slice(0, start), countElements(shape.slice(start, end + 1)), ...shape.slice(end + 1)], (v) => `${v.atom}.flatten(${start}, ${end})`);
    },
  },
  {
    names: ["ravel"],
    group: "shape",
    doc: "Makes one axis of all.",
    params: [X],
    call: (c) => {
      const x = c.tensor("x");
      return x.type.shape.length === 0 ? expandDims(x, [0]) : reshape(c, x, [countElements(x.type.shape)], (v) => `${v.atom}.flatten()`);
    },
  },
  {
    names: ["transpose"],
    group: "shape",
    doc: "Turns the order of the axes round, or puts them into the given order; two numbers swap these two axes.",
    params: [X, { name: "axes", also: ["axis", "dim"], rest: true, default: NONE }],
    call: (c) => {
      const x = c.tensor("x");
      const rank = x.type.shape.length;
      if (c.isNone("axes")) return reversed(x);
      const axes = c.axes("axes", rank) ?? [];
      const [a, b] = axes;
      if (axes.length === 2 && a !== undefined && b !== undefined) return permute(x, swapped(rank, a, b), (v) => `${v.atom}.transpose(${a}, ${b})`);
      return permute(x, readOrder(c, "axes", rank));
    },
  },
  {
    names: ["permute"],
    group: "shape",
    doc: "Puts the axes into the given order.",
    params: [X, { name: "axes", also: ["axis", "dim", "dims"], rest: true }],
    call: (c) => {
      const x = c.tensor("x");
      return permute(x, readOrder(c, "axes", x.type.shape.length));
    },
  },
  {
    names: ["swapaxes", "swapdims"],
    group: "shape",
    doc: "Swaps two axes.",
    params: [X, { name: "axis1", also: ["dim0", "axis0"] }, { name: "axis2", also: ["dim1", "axis1"] }],
    call: (c) => {
      const x = c.tensor("x");
      const rank = x.type.shape.length;
      const [a, b] = [c.axis("axis1", rank), c.axis("axis2", rank)];
      return permute(x, swapped(rank, a, b), (v) => `${v.atom}.transpose(${a}, ${b})`);
    },
  },
  {
    names: ["moveaxis", "movedim"],
    group: "shape",
    doc: "Moves an axis to another place; the others keep their order.",
    params: [X, { name: "source" }, { name: "destination" }],
    call: (c) => {
      const x = c.tensor("x");
      const rank = x.type.shape.length;
      const [from, to] = [c.axis("source", rank), c.axis("destination", rank)];
      const order = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== from);
      order.splice(to, 0, from);
      return permute(x, order, (v) => `${v.atom}.movedim(${from}, ${to})`);
    },
  },
  {
    names: ["squeeze"],
    group: "shape",
    doc: "Takes away axes of size 1: those given, or all that are known to be 1.",
    params: [X, AXIS],
    call: (c) => {
      const x = c.tensor("x");
      const { shape } = x.type;
      const axes = c.axes("axis", shape.length) ?? shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
      const wrong = axes.find((axis) => shape[axis] !== 1);
      if (wrong !== undefined) c.fail(`squeeze cannot take away axis ${wrong}, which has size ${shape[wrong]}.`, "axis", "GRAPH_SHAPE");
      return squeeze(x, axes);
    },
  },
  {
    names: ["expand_dims", "unsqueeze"],
    group: "shape",
    doc: "Puts in an axis of size 1 at this place of the result.",
    params: [X, { name: "axis" }],
    call: (c) => {
      const x = c.tensor("x");
      const item = c.item("axis");
      const count = item.kind === "tuple" ? item.items.length : 1;
      return expandDims(x, c.axes("axis", x.type.shape.length + count) ?? c.fail("expand_dims needs an axis.", "axis"));
    },
  },
  {
    names: ["concatenate", "cat", "concat"],
    group: "shape",
    doc: "Joins tensors along an axis that they have.",
    params: [
      { name: "tensors", also: ["arrays"] },
      { name: "axis", default: int(0) },
    ],
    call: (c) => {
      const tensors = c.tensors("tensors");
      const rank = tensors[0]?.type.shape.length ?? 0;
      return concatenate(c, tensors, c.axis("axis", rank));
    },
  },
  {
    names: ["stack"],
    group: "shape",
    doc: "Joins tensors of the same shape along a new axis.",
    params: [
      { name: "tensors", also: ["arrays"] },
      { name: "axis", default: int(0) },
    ],
    call: (c) => {
      const tensors = c.tensors("tensors");
      const [first] = tensors;
      if (!first) return c.fail("stack needs at least one tensor.");
      const { shape } = first.type;
      if (tensors.some(({ type }) => printShape(type.shape) !== printShape(shape)))
        c.fail(`stack needs tensors of one shape but receives ${tensors.map(({ type }) => printShape(type.shape)).join(", ")}.`, undefined, "GRAPH_SHAPE");
      const axis = c.axis("axis", shape.length + 1);
      const widened = tensors.map((tensor) => expandDims(tensor, [axis]));
      return written(concatenate(c, widened, axis), tensors, (args) => `torch.stack([${args.join(", ")}], dim=${axis})`);
    },
  },
  {
    names: ["split"],
    group: "shape",
    doc: "Cuts into this many equal parts along an axis, as in NumPy, or at the given places. Gives a tuple.",
    params: [X, { name: "sections", also: ["indices_or_sections"] }, { name: "axis", default: int(0) }],
    call: (c) => {
      const x = c.tensor("x");
      const axis = readAxis(c, x);
      if (c.item("sections").kind === "tuple") {
        const cuts = c.ints("sections");
        if (cuts.length >= 64 || cuts.some((at, i) => at <= (cuts[i - 1] ?? 0))) c.fail(say("The places for split must be numbers ≥ 1 that grow."), "sections");
        return cut(c, x, axis, cuts);
      }
      const count = c.int("sections");
      const size = x.type.shape[axis] ?? 1;
      const part = count >= 1 && count <= 64 ? divideSizes(size, count) : c.fail("split makes 1 to 64 parts.", "sections");
      if (part === null)
        return c.fail(`split cannot part an axis of ${size} into ${count} equal parts.`, "sections", "GRAPH_SHAPE", say("Use chunk, whose last part may be smaller."));
      c.needSizes([part]);
      return cut(
        c,
        x,
        axis,
        Array.from({ length: count - 1 }, (_, i) => multiply(part, i + 1)),
      );
    },
  },
  {
    names: ["chunk", "array_split"],
    group: "shape",
    doc: "Cuts into up to this many parts along an axis, of which the last may be smaller. Gives a tuple.",
    params: [X, { name: "chunks" }, { name: "axis", default: int(0) }],
    call: (c) => {
      const x = c.tensor("x");
      const axis = readAxis(c, x);
      const size = knownSize(c, x, axis);
      const count = c.int("chunks");
      if (!(count >= 1 && count <= 64)) c.fail("chunk makes 1 to 64 parts.", "chunks");
      const part = Math.ceil(size / count);
      return cut(
        c,
        x,
        axis,
        Array.from({ length: Math.ceil(size / part) - 1 }, (_, i) => part * (i + 1)),
      );
    },
  },
  {
    names: ["unbind", "unstack"],
    group: "shape",
    doc: "Parts along an axis, which goes away. Gives a tuple.",
    params: [X, { name: "axis", default: int(0) }],
    call: (c) => {
      const x = c.tensor("x");
      const axis = readAxis(c, x);
      const size = knownSize(c, x, axis);
      if (size > 64) c.fail("unbind makes up to 64 parts.", "axis", "GRAPH_SHAPE");
      return {
        kind: "tuple",
        items: Array.from({ length: size }, (_, index) =>
          sliceTensor(x, [...Array<SliceItem>(axis).fill(WHOLE), { kind: "at", index }], (message) => c.fail(message, undefined, "GRAPH_SHAPE")),
        ),
      };
    },
  },
  {
    names: ["flip"],
    group: "shape",
    doc: "Turns the order round along axes, or along all.",
    params: [X, AXIS],
    call: (c) => {
      const x = c.tensor("x");
      const rank = x.type.shape.length;
      const axes = c.axes("axis", rank) ?? x.type.shape.map((_, axis) => axis);
      const turned: SliceItem = { kind: "range", start: null, stop: null, step: -1 };
      return sliceTensor(
        x,
        Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? turned : WHOLE)),
        (message) => c.fail(message, undefined, "GRAPH_SHAPE"),
      );
    },
  },
  {
    names: ["roll"],
    group: "shape",
    doc: "Moves along an axis; what falls off at the end comes in at the start.",
    params: [X, { name: "shift", also: ["shifts"] }, AXIS],
    call: (c) => {
      const x = c.tensor("x");
      const axis = readAxis(c, x);
      const size = x.type.shape[axis] ?? 1;
      const given = c.int("shift");
      // -0 would slice from the start.
      const shift = (typeof size === "number" ? given % size : given) + 0;
      if (shift === 0) return x;
      return resultOf({
        inputs: [x],
        types: [x.type],
        lower: (e, [v = null]) => e.call("aten::roll", [v, { ints: [shift] }, { ints: [axis] }]),
        onnx: (o, [v = ""]) => {
          // Where only run time knows the size, the shift may go round more than once.
          const at = typeof size === "number" ? o.ints([(size - shift) % size]) : o.op("Mod", [o.ints([-shift]), o.op("Shape", [v], { start: axis, end: axis + 1 })]);
          const part = (start: string, end: string) => o.op("Slice", [v, start, end, o.ints([axis])]);
          return o.op("Concat", [part(at, o.ints([2 ** 53 - 1])), part(o.ints([0]), at)], { axis });
        },
        torch: (_, [v]) => `${v?.atom}.roll(${shift}, dims=${axis})`,
      });
    },
  },
  {
    names: ["tile"],
    group: "shape",
    doc: "Lays copies side by side, this many along each axis.",
    params: [X, { name: "reps", also: ["dims"], rest: true }],
    call: (c) => {
      const given = c.tensor("x");
      const asked = c.ints("reps");
      if (asked.some((times) => times < 1)) c.fail("tile makes at least one copy along each axis.", "reps");
      if (Math.max(asked.length, given.type.shape.length) > 8) c.fail("tile can make up to 8 axes.", "reps");
      const missing = Math.max(0, asked.length - given.type.shape.length);
      const reps = [...Array<number>(Math.max(0, given.type.shape.length - asked.length)).fill(1), ...asked];
      const x = expandDims(
        given,
        Array.from({ length: missing }, (_, axis) => axis),
      );
      if (reps.every((times) => times === 1)) return x;
      const tiled = resultOf({
        inputs: [x],
        types: [{ dtype: x.type.dtype, shape: x.type.shape.map((size, axis) => multiply(size, reps[axis] ?? 1)) }],
        lower: (e, [v = null]) => e.call("aten::tile", [v, { ints: reps }]),
        onnx: (o, [v = ""]) => o.op("Tile", [v, o.ints(reps)]),
        torch: (_, [v]) => `${v?.atom}.tile(${reps.join(", ")})`,
      });
      return written(tiled, [given], ([v]) => `${v?.atom}.tile(${reps.join(", ")})`);
    },
  },
  {
    names: ["repeat", "repeat_interleave"],
    group: "shape",
    doc: "Repeats each entry along an axis, as in NumPy; PyTorch's x.repeat is tile.",
    params: [X, { name: "repeats" }, AXIS],
    call: (c) => {
      const x = c.tensor("x");
      const times = c.int("repeats");
      if (times < 1) c.fail("repeat needs a number ≥ 1.", "repeats");
      const { shape } = x.type;
      const axis = readAxis(c, x);
      const copies = broadcastTo(c, expandDims(x, [axis + 1]), shape.toSpliced(axis + 1, 0, times));
      return written(reshape(c, copies, shape.with(axis, multiply(shape[axis] ?? 1, times))), [x], ([v]) => `${v?.atom}.repeat_interleave(${times}, dim=${axis})`);
    },
  },
  {
    names: ["broadcast_to", "expand"],
    group: "shape",
    doc: "Stretches sizes of 1 to this shape without copying; -1 keeps a size.",
    params: [X, { name: "shape", also: ["size"], rest: true }],
    call: (c) => {
      const x = c.tensor("x");
      const wanted = c.sizes("shape");
      const offset = wanted.length - x.type.shape.length;
      const shape = wanted.map((size, i) => (size === -1 ? (x.type.shape[i - offset] ?? c.fail(say("A new axis needs a size."), "shape")) : size));
      if (wanted.length > 8 || shape.some((size) => typeof size === "number" && size < 1)) c.fail(say("Sizes for broadcast_to are up to 8 whole numbers ≥ 1."), "shape");
      return broadcastTo(c, x, shape);
    },
  },
  {
    names: ["pad"],
    group: "shape",
    doc: `Adds a border: ((before, after), …) for each axis, (before, after) or one number for all. mode is "constant", "edge", "reflect" or "wrap".`,
    params: [X, { name: "pad_width" }, { name: "mode", default: { kind: "text", value: "constant" } }, { name: "constant_values", also: ["value"], default: int(0) }],
    call: (c) => {
      const x = c.tensor("x");
      const widths = readWidths(c, x.type.shape.length);
      const mode = c.text("mode");
      if (mode === "constant") return padConstant(c, x, widths);
      if (mode !== "edge" && mode !== "reflect" && mode !== "wrap") return c.fail(`mode of pad must be "constant", "edge", "reflect" or "wrap".`, "mode");
      return widths.reduce((value, [before, after], axis) => padBy(c, value, axis, before, after, mode), x);
    },
  },
  ...(["tril", "triu"] as const).map(
    (name): ExpressionFunction => ({
      names: [name],
      group: "shape",
      doc: `Keeps the ${name === "tril" ? "lower" : "upper"} triangle of matrices, up to diagonal k; the rest becomes 0.`,
      params: [X, { name: "k", also: ["diagonal"], default: int(0) }],
      call: (c) => {
        const x = c.tensor("x");
        c.refuseBytes(x, "x");
        const k = c.int("k");
        if (x.type.shape.length < 2) c.fail(say("{name} needs a matrix, not {shape}.", { name, shape: printShape(x.type.shape) }), "x", "GRAPH_SHAPE");
        return resultOf({
          inputs: [x],
          types: [x.type],
          lower: (e, [v = null]) => e.call(`aten::${name}`, [v, k]),
          // Trilu knows no conditions everywhere.
          onnx: (o, [v = ""]) => {
            const { dtype } = x.type;
            const number = dtype === "bool" ? "int64" : dtype;
            return o.cast(o.op("Trilu", [o.cast(v, dtype, number), o.c(k, "int64")], { upper: name === "triu" ? 1 : 0 }), number, dtype);
          },
          torch: (_, [v]) => `${v?.atom}.${name}(${k === 0 ? "" : k})`,
        });
      },
    }),
  ),
  {
    names: ["diff"],
    group: "shape",
    doc: "From each entry along an axis to the next: x[1:] − x[:-1].",
    params: [X, { name: "axis", default: int(-1) }],
    call: (c) => {
      const x = c.numeric("x");
      const axis = readAxis(c, x);
      return written(c.apply("subtract", sliceAxis(c, x, axis, 1, null), sliceAxis(c, x, axis, null, -1)), [x], ([v]) => `torch.diff(${v}, dim=${axis})`);
    },
  },
  {
    names: ["shape"],
    group: "shape",
    doc: "The sizes, as a tuple; also x.shape.",
    params: [X],
    call: (c) => shapeOf(c.tensor("x")),
  },
  {
    names: ["size", "numel"],
    group: "shape",
    doc: "The size of an axis, or how many numbers there are.",
    params: [X, AXIS],
    call: (c) => {
      const { shape } = c.tensor("x").type;
      return asItem(c.isNone("axis") ? countElements(shape) : (shape[c.axis("axis", shape.length)] ?? 1));
    },
  },
  {
    names: ["ndim", "dim"],
    group: "shape",
    doc: "How many axes there are.",
    params: [X],
    call: (c) => int(c.tensor("x").type.shape.length),
  },
  {
    names: ["len"],
    group: "shape",
    doc: "The size of the first axis, or the number of entries of a tuple.",
    params: [X],
    call: (c) => {
      const item = c.item("x");
      if (item.kind === "tuple") return int(item.items.length);
      const [size] = c.tensor("x").type.shape;
      return size === undefined ? c.fail(say("A single number has no length."), "x", "GRAPH_SHAPE") : asItem(size);
    },
  },
];

export function asItem(size: Dim): Item {
  return typeof size === "number" ? int(size) : { kind: "size", dim: size };
}

export function shapeOf(x: Tensor): Item {
  return { kind: "tuple", items: x.type.shape.map(asItem) };
}

type Width = readonly [before: number, after: number];

function readWidths(c: Call, rank: number): Width[] {
  const item = c.item("pad_width");
  const check = (width: number) => (Number.isInteger(width) && width >= 0 && width <= 2 ** 20 ? width : c.fail("pad adds 0 or more entries.", "pad_width"));
  const number = (one: Item): number =>
    one.kind === "number" && one.dtype === "int64" ? check(one.value) : c.fail("pad_width is ((before, after), …), (before, after) or a number.", "pad_width");
  const pair = (one: Item): Width => {
    if (one.kind !== "tuple") return [number(one), number(one)];
    const [before, after] = one.items;
    return one.items.length === 2 && before && after ? [number(before), number(after)] : c.fail("pad_width needs a pair (before, after) for each axis.", "pad_width");
  };
  if (item.kind !== "tuple" || item.items.every(({ kind }) => kind === "number")) {
    const width = pair(item);
    return Array<Width>(rank).fill(width);
  }
  if (item.items.length !== rank && item.items.length !== 1) c.fail(`pad_width needs a pair for each of ${rank} axes, not ${item.items.length}.`, "pad_width", "GRAPH_SHAPE");
  return item.items.length === 1 ? Array<Width>(rank).fill(pair(item.items[0] ?? NONE)) : item.items.map(pair);
}

function padConstant(c: Call, given: Tensor, widths: Width[]): Tensor {
  const value = c.number("constant_values");
  const item = c.item("constant_values");
  if (!Number.isFinite(value)) c.fail("pad fills with a finite number.", "constant_values");
  const x = item.kind === "number" && item.dtype === "float32" && given.type.dtype !== "float32" ? cast(given, "float32") : given;
  if (widths.every(([before, after]) => before === 0 && after === 0)) return x;
  const { dtype, shape } = x.type;
  // PyTorch counts from the last axis, and stops where nothing is added.
  const pairs = widths.toReversed();
  while (pairs.at(-1)?.every((width) => width === 0)) pairs.pop();
  return resultOf({
    inputs: [x],
    types: [{ dtype, shape: shape.map((size, axis) => add(size, (widths[axis]?.[0] ?? 0) + (widths[axis]?.[1] ?? 0))) }],
    lower: (e, [v = null]) => e.call("aten::constant_pad_nd", [v, { ints: pairs.flat() }, value]),
    onnx: (o, [v = ""]) => o.op("Pad", [v, o.ints([...widths.map(([before]) => before), ...widths.map(([, after]) => after)]), o.c(value, dtype)]),
    torch: (_, [v]) => `F.pad(${v}, (${pairs.flat().join(", ")})${value === 0 ? "" : `, value=${PyText.number(value, dtype !== "float32")}`})`,
  });
}

/** Pads one axis with what the tensor holds. */
function padBy(c: Call, x: Tensor, axis: number, before: number, after: number, mode: "edge" | "reflect" | "wrap"): Tensor {
  if (before === 0 && after === 0) return x;
  const size = x.type.shape[axis] ?? 1;
  const most = mode === "reflect" ? 1 : 0;
  if (mode !== "edge" && typeof size === "number" && Math.max(before, after) > size - most)
    c.fail(`pad in mode "${mode}" can add up to ${size - most} entries to axis ${axis}, which has ${size}.`, "pad_width", "GRAPH_SHAPE");
  const stretch = (one: Tensor, width: number) => broadcastTo(c, one, x.type.shape.with(axis, width));
  const parts: Tensor[] = [];
  if (before > 0) {
    if (mode === "edge") parts.push(stretch(sliceAxis(c, x, axis, 0, 1), before));
    else if (mode === "wrap") parts.push(sliceAxis(c, x, axis, -before, null));
    else parts.push(sliceAxis(c, sliceAxis(c, x, axis, 1, before + 1), axis, null, null, -1));
  }
  parts.push(x);
  if (after > 0) {
    if (mode === "edge") parts.push(stretch(sliceAxis(c, x, axis, -1, null), after));
    else if (mode === "wrap") parts.push(sliceAxis(c, x, axis, 0, after));
    else parts.push(sliceAxis(c, sliceAxis(c, x, axis, -after - 1, -1), axis, null, null, -1));
  }
  return concatenate(c, parts, axis);
}
