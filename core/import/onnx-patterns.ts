import type { Tensor } from "../export/tensor.ts";
import { countElements } from "../export/tensor.ts";
import { reshapeTensor } from "./constants.ts";
import type { Drawn, Wire } from "./drawing.ts";
import type { Reading } from "./onnx-reading.ts";

/**
 * Groups of operators that one layer says: exporters write Hardswish, SiLU, GELU and LayerNorm out where their operator set has
 * none. The rule of each group's last operator asks here first; what was drawn for the others stays unused and falls away.
 */
export function findPattern(r: Reading): Wire | null {
  for (const pattern of patterns[r.op] ?? []) {
    const found = pattern(r);
    if (found) return found;
  }
  return null;
}

type Pattern = (r: Reading) => Wire | null;

/** The two inputs in both orders, where both are wires. */
function pairs(r: Reading): [Wire, Wire][] {
  const [a, b] = [r.input(0), r.input(1)];
  return a?.kind === "wire" && b?.kind === "wire"
    ? [
        [a.wire, b.wire],
        [b.wire, a.wire],
      ]
    : [];
}

function isSame(a: Wire | null | undefined, b: Wire | null | undefined): boolean {
  return Boolean(a && b && a.node === b.node && a.port === b.port);
}

function makerOf(r: Reading, wire: Wire): Drawn {
  return r.around.drawing.madeBy(wire);
}

/** What goes into a node of this type that makes the wire. */
function inside(r: Reading, wire: Wire | null, type: string, port = "x"): Wire | null {
  if (!wire) return null;
  const { node, inputs } = makerOf(r, wire);
  const input = node.type === type ? inputs[port] : undefined;
  return input && !Array.isArray(input) ? input : null;
}

/** What goes into an arithmetic layer beside a plain number, and that number. */
function insideNumber(r: Reading, wire: Wire | null, type: string): { x: Wire; value: number } | null {
  const x = inside(r, wire, type, "a");
  if (!wire || !x) return null;
  const { node, inputs } = makerOf(r, wire);
  const { value = type === "pow" ? 2 : undefined, reverse } = node.params;
  return inputs.b === undefined && typeof value === "number" && reverse !== true ? { x, value } : null;
}

/** What goes into a function of one number. */
function insideUnary(r: Reading, wire: Wire | null, type: string): Wire | null {
  const x = inside(r, wire, type);
  if (x) return x;
  const formula = inside(r, wire, "expression");
  return formula && wire && makerOf(r, wire).node.params.expression === `${type}(x)` ? formula : null;
}

const isNear = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));

/** The x of min(max(0, x + 3), 6). */
function gateOf(r: Reading, wire: Wire): Wire | null {
  const plus = insideNumber(r, inside(r, wire, "relu6"), "add");
  return plus && plus.value === 3 ? plus.x : null;
}

/** (x · gate(x)) / 6 */
const hardswishByDivision: Pattern = (r) => {
  const product = r.input(0);
  if (r.scalar(1) !== 6 || product?.kind !== "wire") return null;
  const [a, b] = [inside(r, product.wire, "mul", "a"), inside(r, product.wire, "mul", "b")];
  if (!a || !b) return null;
  for (const [x, gate] of [
    [a, b],
    [b, a],
  ] as const) {
    if (isSame(gateOf(r, gate), x)) return r.draw("hardswish", {}, { x });
  }
  return null;
};

/** x · (gate(x) / 6), or x · Hardsigmoid(x) */
const hardswishByGate: Pattern = (r) => {
  for (const [x, gate] of pairs(r)) {
    if (isSame(inside(r, gate, "hardsigmoid"), x)) return r.draw("hardswish", {}, { x });
    const sixth = insideNumber(r, gate, "div") ?? insideNumber(r, gate, "mul");
    if (sixth && (sixth.value === 6 || isNear(sixth.value, 1 / 6)) && isSame(gateOf(r, sixth.x), x)) return r.draw("hardswish", {}, { x });
  }
  return null;
};

/** gate(x) / 6 */
const hardsigmoid: Pattern = (r) => {
  const gate = r.input(0);
  const x = r.scalar(1) === 6 && gate?.kind === "wire" ? gateOf(r, gate.wire) : null;
  return x && r.draw("hardsigmoid", {}, { x });
};

/** x · σ(x), x · tanh(softplus(x)) */
const smoothGates: Pattern = (r) => {
  for (const [x, gate] of pairs(r)) {
    if (isSame(inside(r, gate, "sigmoid"), x)) return r.draw("silu", {}, { x });
    if (isSame(inside(r, inside(r, gate, "tanh"), "softplus"), x)) return r.draw("mish", {}, { x });
  }
  return null;
};

/** The x of 1 + erf(x / √2). */
function bellOf(r: Reading, wire: Wire | null): Wire | null {
  const plus = insideNumber(r, wire, "add");
  const erf = plus?.value === 1 ? insideUnary(r, plus.x, "erf") : null;
  const over = erf && insideNumber(r, erf, "div");
  if (over && isNear(over.value, Math.SQRT2)) return over.x;
  const times = erf && insideNumber(r, erf, "mul");
  return times && isNear(times.value, Math.SQRT1_2) ? times.x : null;
}

/** 0.5 · x · (1 + erf(x / √2)), multiplied in any order */
const gelu: Pattern = (r) => {
  const [a, b] = [r.input(0), r.input(1)];
  const half = r.scalar(0) === 0.5 ? b : r.scalar(1) === 0.5 ? a : null;
  if (half?.kind === "wire") {
    const [left, right] = [inside(r, half.wire, "mul", "a"), inside(r, half.wire, "mul", "b")];
    for (const [x, bell] of [
      [left, right],
      [right, left],
    ] as const)
      if (x && isSame(bellOf(r, bell), x)) return r.draw("gelu", {}, { x });
  }
  for (const [first, second] of pairs(r)) {
    const halfOfX = insideNumber(r, first, "mul");
    if (halfOfX?.value === 0.5 && isSame(bellOf(r, second), halfOfX.x)) return r.draw("gelu", {}, { x: halfOfX.x });
    const halfOfBell = insideNumber(r, second, "mul");
    if (halfOfBell?.value === 0.5 && isSame(bellOf(r, halfOfBell.x), first)) return r.draw("gelu", {}, { x: first });
  }
  return null;
};

/** (x − mean(x)) / √(mean((x − mean(x))²) + eps), over the last axis or axes */
const layerNorm: Pattern = (r) => {
  const [top, bottom] = [r.input(0), r.input(1)];
  if (top?.kind !== "wire" || bottom?.kind !== "wire") return null;
  const root = insideUnary(r, bottom.wire, "sqrt");
  const shifted = root && insideNumber(r, root, "add");
  const variance = shifted && makerOf(r, shifted.x);
  const square = shifted && inside(r, shifted.x, "mean");
  const squared = square && insideNumber(r, square, "pow");
  const [left, right] = [inside(r, square, "mul", "a"), inside(r, square, "mul", "b")];
  const centred = squared?.value === 2 ? squared.x : isSame(left, right) ? left : null;
  if (!isSame(centred, top.wire)) return null;
  const x = inside(r, top.wire, "sub", "a");
  const mean = inside(r, top.wire, "sub", "b");
  if (!x || !mean || !isSame(inside(r, mean, "mean"), x) || !variance || !shifted) return null;
  const axes = axesOf(makerOf(r, mean), x.type.shape.length);
  if (!axes || axes.join() !== axesOf(variance, x.type.shape.length)?.join()) return null;
  // They must be the last ones.
  if (axes.some((axis, i) => axis !== x.type.shape.length - axes.length + i)) return null;
  return r.draw("layer_norm", { axes: axes.length, eps: shifted.value, elementwise_affine: false }, { x });
};

function axesOf({ node }: Drawn, rank: number): number[] | null {
  const { dim = [1], keepdim = false } = node.params;
  if (!keepdim || !Array.isArray(dim)) return null;
  return dim.map((axis) => (Number(axis) + rank) % rank).sort((a, b) => a - b);
}

/** A scale behind a LayerNorm that has none, then a shift behind one that has a scale alone. */
const affine: Pattern = (r) => {
  for (const [at, other] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const value = r.input(at);
    const constant = r.constant(other);
    if (value?.kind !== "wire" || !constant || constant.dtype !== "float32" || r.around.usesOf(r.node.inputs[at] ?? "") !== 1) continue;
    const { node, inputs, weights } = makerOf(r, value.wire);
    if (node.type !== "layer_norm") continue;
    const axes = typeof node.params.axes === "number" ? node.params.axes : 1;
    const sizes = value.wire.type.shape.slice(-axes).map(Number);
    if (constant.data.length !== countElements(sizes) || constant.shape.length > value.wire.type.shape.length) continue;
    const { elementwise_affine: _, bias: __, ...rest } = node.params;
    const laid: Tensor = reshapeTensor(constant, sizes);
    const options = { name: node.name };
    if (r.op === "Mul" && node.params.elementwise_affine === false) return r.draw("layer_norm", { ...rest, bias: false }, inputs, { ...options, weights: { weight: laid } });
    if (r.op === "Add" && node.params.bias === false && node.params.elementwise_affine !== false)
      return r.draw("layer_norm", rest, inputs, { ...options, weights: { ...Object.fromEntries(weights), bias: laid } });
  }
  return null;
};

const patterns: { [op: string]: Pattern[] } = {
  Add: [affine],
  Div: [hardswishByDivision, hardsigmoid, layerNorm],
  Mul: [hardswishByGate, smoothGates, gelu, affine],
};
