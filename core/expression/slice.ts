import { add, floorDivide, multiply, subtract } from "../graph/dims.ts";
import { type Dim, printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import type { BuilderSize, OnnxBuilder, ProgramBuilder, Value } from "../layers/kit.ts";

/**
 * NumPy's basic indexing: `[:, -1]`, `[..., ::2]`, `[None, 1:-1]`. Parsed, inferred, and written for the engine, ONNX and PyTorch.
 * @see https://numpy.org/doc/2.3/user/basics.indexing.html
 */

/** One entry between the commas. Sizes are symbolic only where an expression computed them. */
export type SliceItem = { kind: "at"; index: Dim } | { kind: "range"; start: Dim | null; stop: Dim | null; step: number } | { kind: "rest" } | { kind: "new" };

/** What happens to one axis of the tensor, or where a new one comes in. Steps are positive: the axis is turned round before where `flip`. */
type SliceStep =
  | { kind: "at"; index: Dim; size: Dim }
  | { kind: "keep"; size: Dim }
  | { kind: "new" }
  | {
      kind: "range";
      flip: boolean;
      start: Dim | null;
      stop: Dim | null;
      step: number;
      size: Dim /** The distance from start to stop where the axis must have it. */;
      span: Dim | null;
    };

export type SlicePlan = { steps: SliceStep[]; shape: Shape };

const MAX_INDEX = 2147483647;
const MAX_ITEMS = 16;
/** Python writes no number for “to the end”; ONNX takes one that is large enough. */
const FAR = 2 ** 53 - 1;

/** Reads the text of a slice, with or without its brackets. `column` counts from 1. */
export function parseSlice(text: string): { items: SliceItem[] } | { problem: string; column: number } {
  const open = /^\s*\[/.exec(text);
  const close = /\]\s*$/.exec(text);
  if (!open !== !close)
    return { problem: open ? say("The bracket [ is not closed.") : say("There is a ] without its [."), column: open ? open[0].length : (close?.index ?? 0) + 1 };
  let at = open?.[0].length ?? 0;
  const inner = text.slice(at, close?.index);
  const parts = inner.split(",");
  // As in Python, a comma may end the list.
  if (parts.length > 1 && parts.at(-1)?.trim() === "") parts.pop();
  if (parts.length > MAX_ITEMS) return { problem: say("A slice has at most {MAX_ITEMS} entries.", { MAX_ITEMS }), column: 1 };
  const items: SliceItem[] = [];
  for (const part of parts) {
    const item = parseItem(part);
    const column = at + part.length - part.trimStart().length + 1;
    if (typeof item === "string") return { problem: item, column };
    if (item.kind === "rest" && items.some(({ kind }) => kind === "rest")) return { problem: say("A slice can have one … only."), column };
    items.push(item);
    at += part.length + 1;
  }
  return { items };
}

function parseItem(part: string): SliceItem | string {
  const text = part.trim();
  if (text === "...") return { kind: "rest" };
  if (/^((np|numpy)\.newaxis|newaxis|None)$/.test(text)) return { kind: "new" };
  const pieces = text.split(":").map((piece) => piece.trim());
  const numbers: (number | null)[] = [];
  for (const piece of pieces) {
    if (piece === "") numbers.push(null);
    else if (!/^[+-]?\s*\d+$/.test(piece)) return say("“{piece}” is no whole number, :, ... or None.", { piece: shorten(piece) });
    else {
      const number = Number(piece.replaceAll(/\s/g, ""));
      if (Math.abs(number) > MAX_INDEX) return say("{piece} is too large.", { piece: shorten(piece) });
      numbers.push(number);
    }
  }
  if (numbers.length > 3) return say("A range is start:stop:step, with at most two colons.");
  const [start = null, stop = null, step = null] = numbers;
  if (numbers.length === 1) return start === null ? say("Something must stand between the commas, such as : for all.") : { kind: "at", index: start };
  if (step === 0) return say("The step cannot be 0.");
  return { kind: "range", start, stop, step: step ?? 1 };
}

function shorten(text: string): string {
  return text.length > 20 ? `${text.slice(0, 20)}…` : text;
}

/** What the slice does to a tensor of this shape, or why it cannot; `item` is the number of the entry at fault. */
export function planSlice(items: readonly SliceItem[], shape: Shape): SlicePlan | { problem: string; item: number } {
  const taken = items.filter(({ kind }) => kind === "at" || kind === "range").length;
  const rests = items.filter(({ kind }) => kind === "rest").length;
  if (taken > shape.length)
    return { problem: say("The slice names {taken} axes, but the tensor has {count}: {shape}.", { taken, count: shape.length, shape: printShape(shape) }), item: items.length - 1 };
  if (rests > 1) return { problem: say("A slice can have one … only."), item: items.findLastIndex(({ kind }) => kind === "rest") };
  const whole: SliceItem = { kind: "range", start: null, stop: null, step: 1 };
  const fill = Array<SliceItem>(shape.length - taken).fill(whole);
  const entries = items.map((item, at) => ({ item, at }));
  const full =
    rests === 0
      ? [...entries, ...fill.map((item) => ({ item, at: -1 }))]
      : entries.flatMap((entry) => (entry.item.kind === "rest" ? fill.map((item) => ({ item, at: -1 })) : [entry]));
  const steps: SliceStep[] = [];
  const result: Shape = [];
  let axis = 0;
  for (const { item, at } of full) {
    if (item.kind === "rest") continue;
    if (item.kind === "new") {
      steps.push({ kind: "new" });
      result.push(1);
      continue;
    }
    const size = shape[axis] ?? 1;
    if (item.kind === "at") {
      if (typeof size === "number" && typeof item.index === "number" && (item.index >= size || item.index < -size))
        return { problem: say("There is no index {index} in axis {axis}, which has {size}.", { index: item.index, axis, size: count(size) }), item: at };
      steps.push({ kind: "at", index: item.index, size });
    } else {
      const step = planRange(item, size);
      if (typeof step === "string") return { problem: say("{step} of axis {axis}, which has {size}.", { step, axis, size: count(size) }), item: at };
      steps.push(step);
      result.push(step.size);
    }
    axis++;
  }
  return { steps, shape: result };
}

const count = (size: Dim) => (size === 1 ? "1 entry" : `${size} entries`);

function planRange({ start, stop, step }: SliceItem & { kind: "range" }, size: Dim): Extract<SliceStep, { kind: "keep" | "range" }> | string {
  if (step === 0) return "A step of 0 gives nothing";
  if (step < 0) {
    // x[a:b:-s] is x turned round, then [-a-1:-b-1:s].
    const turned = (bound: Dim | null) => (bound === null ? null : subtract(multiply(bound, -1), 1));
    const forward = planRange({ kind: "range", start: turned(start), stop: turned(stop), step: -step }, size);
    if (typeof forward === "string") return forward;
    return forward.kind === "keep" ? { kind: "range", flip: true, start: null, stop: null, step: 1, size, span: null } : { ...forward, flip: true };
  }
  const written = `${start ?? ""}:${stop ?? ""}${step === 1 ? "" : `:${step}`}`;
  const isNumber = typeof size === "number" && typeof start !== "string" && typeof stop !== "string";
  const from = isNumber ? clamp(start ?? 0, size) : position(start ?? 0, size);
  const to = isNumber ? clamp(stop ?? size, size) : position(stop ?? size, size);
  const distance = subtract(to, from);
  if (typeof distance === "number" && distance <= 0) return `The range ${written} holds nothing`;
  if (distance === size && step === 1) return { kind: "keep", size };
  const length = floorDivide(add(distance, step - 1), step);
  if (isNumber) return { kind: "range", flip: false, start, stop, step, size: length, span: null };
  // A shorter axis would be cut off in silence where the size of the result is promised; so it is asked for.
  const promised = typeof distance === "number" || typeof start === "string" || typeof stop === "string";
  return { kind: "range", flip: false, start, stop, step, size: length, span: promised ? distance : null };
}

function clamp(bound: number, size: number): number {
  return Math.min(size, Math.max(0, bound < 0 ? bound + size : bound));
}

/** Where a bound lies, counted from the start. A symbolic one that begins with a minus counts from the end. */
function position(bound: Dim, size: Dim): Dim {
  const fromEnd = typeof bound === "number" ? bound < 0 : bound.startsWith("-");
  return fromEnd ? add(size, bound) : bound;
}

/** Gives symbolic sizes to the engine; the plain Slice layer has none. */
type EngineSizes = (dim: Dim) => number | BuilderSize;
const plainSize = (dim: Dim): number => {
  if (typeof dim === "string") throw new Error(`Nothing says the size ${dim} at run time.`);
  return dim;
};

export function lowerSlice(plan: SlicePlan, x: Value, b: ProgramBuilder, sizeOf: EngineSizes = plainSize): Value {
  let value = x;
  let axis = 0;
  const call = (op: string, args: Parameters<ProgramBuilder["call"]>[1], sizes: Shape) => {
    const shape = [...value.type.shape];
    shape.splice(axis, op === "aten::unsqueeze" ? 0 : 1, ...sizes);
    value = b.call(op, [value, ...args], { dtype: x.type.dtype, shape });
  };
  for (const step of plan.steps) {
    if (step.kind === "at") {
      call("aten::select.int", [axis, sizeOf(step.index)], []);
      continue;
    }
    if (step.kind === "new") call("aten::unsqueeze", [axis], [1]);
    if (step.kind === "range") {
      if (step.flip) call("aten::flip", [{ ints: [axis] }], [value.type.shape[axis] ?? 1]);
      if (step.span !== null) {
        call("aten::narrow", [axis, sizeOf(step.start ?? 0), sizeOf(step.span)], [step.span]);
        if (step.step > 1) call("aten::slice.Tensor", [axis, null, null, step.step], [step.size]);
      } else if (step.start !== null || step.stop !== null || step.step > 1) {
        call("aten::slice.Tensor", [axis, step.start === null ? null : sizeOf(step.start), step.stop === null ? null : sizeOf(step.stop), step.step], [step.size]);
      }
    }
    axis++;
  }
  return value;
}

/** `sizeOf` gives symbolic sizes as int64 vectors of one number. */
export function onnxSlice(plan: SlicePlan, x: string, b: OnnxBuilder, sizeOf: (dim: string) => string = (dim) => String(plainSize(dim))): string {
  const one = (dim: Dim) => (typeof dim === "number" ? b.constant([dim], [1], "int64") : sizeOf(dim));
  const vector = (dims: Dim[]) => {
    if (dims.every((dim) => typeof dim === "number")) return b.constant(dims, [dims.length], "int64");
    return dims.length === 1 ? one(dims[0] ?? 0) : (b.node("Concat", dims.map(one), { axis: 0 })[0] ?? "");
  };
  const axes = plan.steps.filter(({ kind }) => kind !== "new");
  const ranges = axes.flatMap((step, axis) => (step.kind === "range" ? [{ step, axis }] : []));
  let name = x;
  const slice = (bounds: { start: Dim; stop: Dim; step: number; axis: number }[]) => {
    if (bounds.length === 0) return;
    [name = ""] = b.node("Slice", [
      name,
      vector(bounds.map(({ start }) => start)),
      vector(bounds.map(({ stop }) => stop)),
      vector(bounds.map(({ axis }) => axis)),
      vector(bounds.map(({ step }) => step)),
    ]);
  };
  slice(ranges.filter(({ step }) => step.flip).map(({ axis }) => ({ start: -1, stop: -FAR, step: -1, axis })));
  slice(
    ranges
      .filter(({ step }) => step.start !== null || step.stop !== null || step.step > 1)
      .map(({ step, axis }) => ({ start: step.start ?? 0, stop: step.stop ?? FAR, step: step.step, axis })),
  );
  for (const [axis, step] of [...axes.entries()].reverse()) {
    if (step.kind !== "at") continue;
    const index = typeof step.index === "number" ? b.constant([step.index], [], "int64") : (b.node("Squeeze", [sizeOf(step.index)])[0] ?? "");
    [name = ""] = b.node("Gather", [name, index], { axis });
  }
  const added = plan.steps.filter(({ kind }) => kind !== "at").flatMap(({ kind }, axis) => (kind === "new" ? [axis] : []));
  if (added.length > 0) [name = ""] = b.node("Unsqueeze", [name, b.constant(added, [added.length], "int64")]);
  return name;
}

/** `x[:, -1]` in Python, where PyTorch knows no negative steps. `x` must be something that a bracket may follow. */
export function printSlice(plan: SlicePlan, x: string, printSize: (dim: string) => string = String): string {
  const print = (dim: Dim | null) => (dim === null ? "" : typeof dim === "number" ? String(dim) : printSize(dim));
  const flips = plan.steps.filter(({ kind }) => kind !== "new").flatMap((step, axis) => (step.kind === "range" && step.flip ? [axis] : []));
  const entries = plan.steps.map((step) => {
    if (step.kind === "at") return print(step.index);
    if (step.kind === "new") return "None";
    if (step.kind === "keep") return ":";
    return `${step.start === 0 ? "" : print(step.start)}:${print(step.stop)}${step.step === 1 ? "" : `:${step.step}`}`;
  });
  // Whole axes at the end need no mention.
  while (entries.at(-1) === ":") entries.pop();
  const base = flips.length > 0 ? `${x}.flip(${flips.join(", ")})` : x;
  if (entries.length === 0) return base;
  const text = entries.join(", ");
  return `${base}[${text}]`;
}
