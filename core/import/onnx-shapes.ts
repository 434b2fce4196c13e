import { countElements, floorDivide, multiply } from "../graph/dims.ts";
import type { Json } from "../graph/document.ts";
import { type Dim, printShape } from "../graph/shape.ts";
import { dtypeOf, numbersOf } from "./constants.ts";
import type { Wire } from "./drawing.ts";
import { splitSizes } from "./onnx-fold.ts";
import { fill, likeOf } from "./onnx-formulas.ts";
import { known, type Reading, type Rule } from "./onnx-reading.ts";

// Operators that lay numbers out, pick and join them.

export const concat: Rule = (r: Reading) => {
  const wires = r.node.inputs.map((_, i) => r.wire(i));
  return known.wire(wires.length === 1 && wires[0] ? wires[0] : r.draw("concat", { dim: r.axis(r.int("axis", 1), wires[0]?.type.shape.length ?? 1) }, { x: wires }));
};

export const transpose: Rule = (r: Reading) => {
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

export const reshape: Rule = (r: Reading) => {
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

export const flatten: Rule = (r: Reading) => {
  const x = r.wire(0);
  const rank = x.type.shape.length;
  const given = r.int("axis", 1);
  const axis = given === rank ? rank : r.axis(given, rank);
  if (axis !== 1) r.refuse(`it joins the axes before ${axis} with the batch; layers keep the first axis.`);
  return known.wire(rank === 2 ? x : r.draw("flatten", {}, { x }));
};

export const squeeze: Rule = (r: Reading) => {
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

export const unsqueeze: Rule = (r: Reading) => {
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

export const slice: Rule = (r: Reading) => {
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

export const split: Rule = (r: Reading) => {
  const x = r.wire(0);
  const axis = r.axis(r.int("axis", 0), x.type.shape.length);
  const size = x.type.shape[axis];
  const sizes = typeof size === "number" ? splitSizes(r, size) : (r.ints("split") ?? r.numbers(1));
  if (!sizes) r.refuse("its parts are computed while the model runs, or the size of its axis is known only then.");
  if (sizes.length === 1) return known.wire(x);
  const { outputs } = r.around.drawing.add("split", { split_sizes: sizes, dim: axis }, { x });
  return Object.values(outputs).map(known.wire);
};

export const gather: Rule = (r: Reading) => {
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

export const cast: Rule = (r: Reading) => {
  const x = r.wire(0);
  const dtype = dtypeOf(r.int("to", 0));
  if (!dtype) r.refuse("it turns numbers into a type that wires here do not have.");
  return known.wire(x.type.dtype === dtype ? x : r.draw("cast", { dtype }, { x }));
};

export const expand: Rule = (r: Reading) => {
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

export const oneHot: Rule = (r: Reading) => {
  const x = r.wire(0);
  const depth = r.scalar(1) ?? r.refuse("how many classes it has is computed while the model runs.");
  if (r.numbers(2)?.join() !== "0,1") r.refuse("it marks with other numbers than 0 and 1.");
  if (r.axis(r.int("axis", -1), x.type.shape.length + 1) !== x.type.shape.length) r.refuse("it puts the classes on another axis than the last.");
  const marked = r.draw("one_hot", { num_classes: depth }, { x });
  return known.wire(r.constant(2)?.dtype === "int64" ? marked : r.draw("cast", { dtype: "float32" }, { x: marked }));
};

export const topK: Rule = (r: Reading) => {
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

export const tile: Rule = (r: Reading) => {
  const repeats = r.numbers(1) ?? r.refuse("how often it repeats is computed while the model runs.");
  const x = r.wire(0);
  return known.wire(repeats.every((times) => times === 1) ? x : r.draw("tile", { dims: repeats }, { x }));
};
