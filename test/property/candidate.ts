import fc from "fast-check";
import { countElements, type Tensor, tensorOf } from "../../core/export/tensor.ts";
import { termsOf } from "../../core/graph/dims.ts";
import { emptyGraph, type Graph, type Json, type Node } from "../../core/graph/document.ts";
import type { Dim, Dtype, Shape, TensorType } from "../../core/graph/shape.ts";
import { type Layer, portsOf } from "../../core/layers/kit.ts";
import type { Param } from "../../core/layers/params.ts";
import { randomNumbers } from "../native/specs.ts";
import { hints } from "./hints.ts";

/** One of a layer's examples, changed at random. It may be sound or not: `checkGraph` says. */
export type Candidate = {
  example: number;
  /** New values; those left out stay the example's. */
  params: { [name: string]: Json };
  /** A new size for each that the example has, in order of appearance, so that equal sizes stay equal. */
  sizes: number[];
  /** Whether new sizes are also written into lists of sizes among the parameters. */
  renames: boolean;
  /** An axis behind the first is added to every input, or taken away. */
  rank: -1 | 0 | 1;
  /** One axis of one input gets a size of its own, as broadcasting allows. */
  odd: { wire: number; axis: number; size: number } | null;
  /** For each wire, which of the dtypes that its port takes; the example's where null. */
  dtypes: (number | null)[];
  /** Which optional wires are left out. */
  dropped: boolean[];
  /** How many wires go into a port that takes many; as in the example where null. */
  many: number | null;
  /** The size, in order of appearance, that is a symbol; null: none. */
  symbol: number | null;
  /** Batches that are run: rows, and what the symbol stands for. */
  batches: Binding[];
  seed: number;
};

/** What the symbols `B` and `T` stand for. */
export type Binding = { B: number; T: number };

/** A graph to try, and how to draw its inputs. */
export type Trial = {
  graph: Graph;
  inputs: Map<string, TensorType>;
  draw: (binding: Binding) => { [name: string]: Tensor };
  /** Whether its layers can take such sizes, as far as only a run can know. */
  fits: (binding: Binding) => boolean;
  /** A chain of many layers: outputs with numbers that are not finite, which runtimes pass on differently, and the noise of float32, grown along the way, are nobody's fault. */
  isLong?: true;
};

export type Wire = { port: string; dtype: Dtype; shape: Shape; hasBatch: boolean };

/** Candidates for one layer; they shrink towards its examples. */
export function candidates(layer: Layer): fc.Arbitrary<Candidate> {
  return fc.integer({ min: 0, max: layer.examples.length - 1 }).chain((example) => {
    const wires = wiresOf(layer, example);
    const known = sizesOf(wires);
    const given = layer.examples[example]?.params ?? {};
    const params = Object.entries(layer.params).map(([name, param]): [string, fc.Arbitrary<Json | undefined>] => {
      const fixed = hints[layer.type]?.always?.[name];
      if (fixed !== undefined) return [name, fc.constant(fixed)];
      const current = (Object.hasOwn(given, name) ? given[name as keyof typeof given] : param.default) as Json;
      const drawn = hints[layer.type]?.params?.[name] ?? valuesOf(param, current);
      return [name, fc.oneof({ withCrossShrink: true }, { arbitrary: fc.constant(undefined), weight: 3 }, { arbitrary: drawn, weight: 2 })];
    });
    const small = fc.integer({ min: 1, max: 9 });
    return fc.record({
      example: fc.constant(example),
      params: fc.record(Object.fromEntries(params)).map((values) => Object.fromEntries(Object.entries(values).filter((entry): entry is [string, Json] => entry[1] !== undefined))),
      sizes: fc.tuple(
        ...known.map((size) => fc.oneof({ withCrossShrink: true }, { arbitrary: fc.constant(size), weight: 2 }, { arbitrary: small, weight: 2 }, fc.constant(2 * size))),
      ),
      renames: fc.boolean(),
      rank: fc.oneof({ withCrossShrink: true }, { arbitrary: fc.constant(0 as const), weight: 6 }, fc.constantFrom(-1 as const, 1 as const)),
      odd: fc.oneof(
        { withCrossShrink: true },
        { arbitrary: fc.constant(null), weight: 6 },
        fc.record({ wire: fc.nat(Math.max(0, wires.length - 1)), axis: fc.nat(3), size: fc.oneof(fc.constant(1), small) }),
      ),
      dtypes: fc.array(fc.oneof({ withCrossShrink: true }, { arbitrary: fc.constant(null), weight: 3 }, fc.nat(3)), { minLength: wires.length, maxLength: wires.length }),
      dropped: fc.array(
        fc.nat(3).map((draw) => draw === 3),
        { minLength: wires.length, maxLength: wires.length },
      ),
      many: fc.oneof({ withCrossShrink: true }, { arbitrary: fc.constant(null), weight: 2 }, fc.integer({ min: 1, max: 4 })),
      symbol: fc.oneof({ withCrossShrink: true }, { arbitrary: fc.constant(null), weight: 2 }, fc.nat(Math.max(0, known.length - 1))),
      batches: fc.tuple(
        fc.record({ B: fc.integer({ min: 2, max: 3 }), T: fc.integer({ min: 4, max: 8 }) }),
        fc.record({ B: fc.constantFrom(1, 4), T: fc.integer({ min: 6, max: 11 }) }),
      ),
      seed: fc.nat(1e6),
    });
  });
}

/** Values such as a person might set, some of them outside what the layer can do with its inputs. */
function valuesOf({ control, default: usual }: Param<unknown>, current: Json): fc.Arbitrary<Json> {
  switch (control.kind) {
    case "bool":
      return fc.boolean();
    case "choice":
      return fc.constantFrom(...control.options);
    case "int": {
      const low = control.min ?? -4;
      return fc.integer({ min: low, max: Math.min(control.max ?? Infinity, low + 9) });
    }
    case "float": {
      const low = Math.max(control.min ?? -2, -2);
      const high = Math.min(control.max ?? low + 3, low + 3);
      return fc.integer({ min: 0, max: 1000 }).map((share) => low + ((high - low) * share) / 1000);
    }
    case "size": {
      const low = Math.max(control.min, -4);
      const one = fc.integer({ min: low, max: low + (control.min < 0 ? 9 : 3) });
      const several = fc.array(one, { minLength: control.axes, maxLength: control.axes });
      return control.words.length > 0 ? fc.oneof(one, several, fc.constantFrom(...control.words)) : fc.oneof(one, several);
    }
    case "ints": {
      const now = Array.isArray(current) ? current : [];
      return fc.oneof(fc.shuffledSubarray(now, { minLength: now.length }), fc.shuffledSubarray(now), fc.array(fc.integer({ min: -3, max: 6 }), { maxLength: 4 }));
    }
    case "dims":
      return fc.array(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant("T")), { maxLength: 4 });
    case "text":
    case "code":
      return fc.constantFrom(current, usual as Json);
  }
}

/** The example's wires, one entry for each wire of a port that takes many. */
export function wiresOf(layer: Layer, example: number): Wire[] {
  const wires = Object.entries(layer.examples[example]?.inputs ?? {}).flatMap(([port, given]) => {
    const several = Array.isArray(given) && given.some((one) => typeof one === "object");
    return ((several ? given : [given]) as (TensorType | Shape)[]).map((one) => ({ port, ...(Array.isArray(one) ? { dtype: "float32" as const, shape: one } : one) }));
  });
  const batch = wires.map(({ dtype, shape }) => (dtype === "bool" ? undefined : shape[0])).find((size) => size !== undefined) ?? 2;
  return wires.map((wire) => ({ ...wire, hasBatch: wire.shape[0] === batch }));
}

/** Sizes behind the batch, each once. */
function sizesOf(wires: readonly Wire[]): number[] {
  return [...new Set(wires.flatMap(({ shape, hasBatch }) => shape.slice(hasBatch ? 1 : 0).map(Number)))];
}

/** Draws the candidate: its node, an input for each wire it takes, an output for each port it has. */
export function drawTrial(layer: Layer, candidate: Candidate): Trial {
  const example = layer.examples[candidate.example];
  if (!example) throw new Error(`${layer.title} has no example ${candidate.example + 1}.`);
  const before = wiresOf(layer, candidate.example);
  const known = sizesOf(before);
  const renamed = new Map<Dim, Dim>(known.map((size, i) => [size, i === candidate.symbol ? "T" : (candidate.sizes[i] ?? size)]));
  const node: Node = { id: "node", type: layer.type, params: paramsOf(layer, candidate, renamed), at: { x: 0, y: 0 } };
  if (example.bodies) node.bodies = example.bodies;
  const ports = portsOf(layer, node).inputs;

  const defaults = Object.fromEntries(Object.entries(layer.params).map(([name, param]) => [name, param.default]));
  const suited = hints[layer.type]?.shapes?.({ ...defaults, ...node.params });
  let wires = before.map(({ port, dtype, shape, hasBatch }, i): Wire => {
    const first = hasBatch ? 1 : 0;
    const sizes =
      suited?.[port] ?? shape.slice(first).map((size, axis) => (candidate.odd?.wire === i && candidate.odd.axis === axis ? candidate.odd.size : (renamed.get(size) ?? size)));
    if (candidate.rank === 1 && hasBatch) sizes.unshift(2);
    if (candidate.rank === -1) sizes.shift();
    const taken = ports[port]?.dtype ?? "float32";
    const choices: readonly Dtype[] = taken === "any" ? ["float32", "int64", "bool"] : typeof taken === "string" ? [taken] : taken;
    const choice = candidate.dtypes[i];
    return { port, dtype: choice === null || choice === undefined ? dtype : (choices[choice % choices.length] ?? dtype), shape: sizes, hasBatch };
  });
  wires = wires.filter(({ port }, i) => !(ports[port]?.optional && candidate.dropped[i]));
  const { many } = candidate;
  if (many !== null) {
    wires = [...new Set(wires.map(({ port }) => port))].flatMap((port) => {
      const group = wires.filter((wire) => wire.port === port);
      return ports[port]?.many ? Array.from({ length: many }, (_, i) => group[i % group.length] ?? group).flat() : group;
    });
  }
  return wireUp(layer, node, wires, candidate, example.positive === true);
}

export function paramsOf(layer: Layer, { example, params, renames }: Candidate, renamed: Map<Dim, Dim>): Node["params"] {
  const given = Object.fromEntries(Object.entries(layer.examples[example]?.params ?? {}) as [string, Json][]);
  const rename = (value: Json): Json =>
    Array.isArray(value) ? value.map(rename) : typeof value === "number" && typeof renamed.get(value) === "number" ? (renamed.get(value) ?? value) : value;
  const kept = Object.entries(given).map(([name, value]) => [name, renames && layer.params[name]?.control.kind === "ints" ? rename(value) : value]);
  return { ...Object.fromEntries(kept), ...params };
}

function wireUp(layer: Layer, node: Node, wires: readonly Wire[], { seed, batches }: Candidate, isPositive: boolean): Trial {
  const nodes: Node[] = [node];
  const edges: Graph["edges"] = [];
  const inputs = new Map<string, TensorType>();
  const at = { x: 0, y: 0 };
  const wire = (from: string, to: string, toPort: string, fromPort = "y") =>
    edges.push({ id: `e${edges.length}`, from: { node: from, port: fromPort }, to: { node: to, port: toPort } });
  for (const [i, { port, dtype, shape, hasBatch }] of wires.entries()) {
    const name = `${port}${i}`;
    // What has no batch axis is a mean over the batch, a condition a comparison: only inputs with a batch can come from outside.
    const outside: Dtype = dtype === "bool" || !hasBatch ? "float32" : dtype;
    nodes.push({ id: name, name, type: "input", params: { shape, dtype: outside }, at });
    inputs.set(name, { dtype: outside, shape: ["B", ...shape] });
    let last = name;
    const then = (type: string, params: Node["params"]) => {
      const id = `${name}-${type}`;
      nodes.push({ id, type, params, at });
      wire(last, id, "x");
      last = id;
    };
    if (!hasBatch) then("mean", { dim: [0], keepdim: false });
    if (dtype === "bool") then("greater", {});
    wire(last, "node", port);
  }
  if (layer.boundary?.kind === "input") {
    // Parameters that are not sound have no shape.
    const { shape = layer.params.shape?.default, dtype = "float32" } = node.params;
    inputs.set("x", { dtype: dtype as Dtype, shape: ["B", ...(Array.isArray(shape) ? (shape as Shape) : [])] });
  } else if (wires.length === 0) {
    // A graph needs something that comes in, also where the layer takes nothing.
    nodes.push({ id: "x", name: "x", type: "input", params: { shape: [2] }, at });
    inputs.set("x", { dtype: "float32", shape: ["B", 2] });
  }
  for (const port of Object.keys(portsOf(layer, node).outputs)) {
    nodes.push({ id: `out-${port}`, name: `out ${port}`, type: "output", params: {}, at });
    wire("node", `out-${port}`, "x", port);
  }
  const hint = hints[layer.type];
  const params = { ...Object.fromEntries(Object.entries(layer.params).map(([name, param]) => [name, param.default])), ...node.params };
  const given = (binding: Binding) => ({
    params,
    isTrained: binding === batches[0],
    sizes: Object.fromEntries(wires.toReversed().map(({ port, shape, hasBatch }) => [port, (hasBatch ? ["B", ...shape] : shape).map((size) => sizeAt(size, binding))])),
  });
  return {
    graph: { ...emptyGraph, nodes, edges },
    inputs,
    fits: (binding) => hint?.fits?.(given(binding)) ?? true,
    draw: (binding) =>
      drawInputs(inputs, binding, seed, {
        first: Object.fromEntries(wires.flatMap(({ port, dtype }, i) => (dtype === "bool" && hint?.first !== undefined ? [[`${port}${i}`, hint.first]] : []))),
        whole: Object.fromEntries(wires.map(({ port }, i) => [`${port}${i}`, hint?.whole?.(given(binding), port) ?? [0, 3]])),
        isDistinct: hint?.distinct ?? false,
        range: isPositive ? [0.05, 1] : [-2, 2],
      }),
  };
}

/** `first`: inputs that become conditions, and what the first of every row is then to be. */
type Drawing = { first: { [input: string]: boolean }; whole: { [input: string]: [from: number, to: number] }; isDistinct: boolean; range: [low: number, high: number] };

/** Numbers for the inputs, the same for the same seed and sizes. */
export function drawInputs(
  inputs: ReadonlyMap<string, TensorType>,
  binding: Binding,
  seed: number,
  { first, whole, isDistinct, range: [low, high] }: Drawing,
): { [name: string]: Tensor } {
  const random = randomNumbers(seed);
  return Object.fromEntries(
    [...inputs].map(([name, { dtype, shape }]) => {
      const sizes = shape.map((size) => sizeAt(size, binding));
      const count = countElements(sizes);
      const [from, to] = whole[name] ?? [0, 3];
      if (dtype === "int64" && isDistinct) return [name, tensorOf(dtype, sizes, shuffle(count, random))];
      const draw = {
        float32: () => low + (high - low) * random(),
        int64: () => from + Math.floor(Math.max(1, to - from) * random()),
        uint8: () => Math.floor(256 * random()),
        bool: () => Math.round(random()),
      }[dtype];
      const numbers = Array.from({ length: count }, draw);
      if (name in first) for (let i = 0; i < count; i += sizes.at(-1) ?? 1) numbers[i] = first[name] ? 1 : -1;
      return [name, tensorOf(dtype, sizes, numbers)];
    }),
  );
}

/** The whole numbers below `count` in random order. */
function shuffle(count: number, random: () => number): number[] {
  const numbers = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor((i + 1) * random());
    [numbers[i], numbers[other]] = [numbers[other] ?? 0, numbers[i] ?? 0];
  }
  return numbers;
}

/** The size where its symbols stand for these numbers. */
export function sizeAt(dim: Dim, binding: Binding): number {
  if (typeof dim === "number") return dim;
  const known: { [symbol: string]: number } = binding;
  return termsOf(dim).reduce(
    (sum, { coefficient, factors }) =>
      sum +
      factors.reduce<number>(
        (product, factor) => product * (typeof factor === "string" ? (known[factor] ?? 1) : Math.floor(sizeAt(factor.numerator, binding) / factor.divisor)),
        coefficient,
      ),
    0,
  );
}
