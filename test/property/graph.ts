import fc from "fast-check";
import { checkGraph } from "../../core/graph/check.ts";
import { type Edge, emptyGraph, type Graph, type Node } from "../../core/graph/document.ts";
import type { Dtype, TensorType } from "../../core/graph/shape.ts";
import { findLayer, layers } from "../../core/layers/index.ts";
import { accepts, type InputPort, type Layer, portsOf } from "../../core/layers/kit.ts";
import { randomNumbers } from "../native/specs.ts";
import { type Binding, candidates, drawInputs, paramsOf, sizeAt, type Trial, wiresOf } from "./candidate.ts";
import { hints } from "./hints.ts";

/** What may be fed by anything at all without a result that hangs on the last digit, or on which of two equal numbers comes first. */
const UNSTEADY = new Set([
  "topk",
  "sort",
  "argsort",
  "argmax",
  "argmin",
  "round",
  "floor",
  "ceil",
  "sign",
  "frac",
  "trunc",
  "equal",
  "not_equal",
  "greater",
  "greater_equal",
  "less",
  "less_equal",
  "hardshrink",
  "threshold",
  "unique",
  "multinomial",
]);

/** Inputs that a graph may begin with. */
const STARTS: readonly TensorType[] = [
  { dtype: "float32", shape: ["B", 3, 8, 8] },
  { dtype: "float32", shape: ["B", 4, 6] },
  { dtype: "float32", shape: ["B", "T", 6] },
  { dtype: "float32", shape: ["B", 8] },
  { dtype: "int64", shape: ["B", 6] },
  { dtype: "int64", shape: ["B", "T"] },
];
/** More numbers on one wire than this, and a graph is no longer quick to try. */
const MOST_ELEMENTS = 8000;

/** Token numbers that most vocabularies have: from the first up to the second, which is left out. */
const TOKENS: [from: number, to: number] = [1, 3];

/** A value of the graph so far; `isInput`: it comes from outside as it is. */
type Source = { node: string; port: string; type: TensorType; isInput: boolean };

export type GraphCandidate = { count: number; seed: number; bindings: Binding[] };

export const graphCandidates: fc.Arbitrary<GraphCandidate> = fc.record({
  count: fc.integer({ min: 5, max: 60 }),
  seed: fc.noShrink(fc.nat(1e6)),
  bindings: fc.tuple(
    fc.record({ B: fc.integer({ min: 2, max: 3 }), T: fc.integer({ min: 4, max: 6 }) }),
    fc.record({ B: fc.constantFrom(1, 4), T: fc.integer({ min: 7, max: 9 }) }),
  ),
});

/**
 * Draws a graph of about `count` nodes. Each node is one of a layer's examples with other parameters, fed by what is there already,
 * and kept where `checkGraph` takes it. The same seed with a smaller count is the beginning of the same graph.
 */
export function drawGraph({ count, seed, bindings }: GraphCandidate): Trial {
  const random = randomNumbers(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const nodes: Node[] = [];
  const edges: Edge[] = [];
  const sources: Source[] = [];
  const inputs = new Map<string, TensorType>();
  const at = { x: 0, y: 0 };
  const choices = layers.filter((layer) => !layer.boundary && !layer.random && !UNSTEADY.has(layer.type));
  const byCategory = [...new Set(choices.map(({ category }) => category))].map((category) => choices.filter((layer) => layer.category === category));

  const begin = (type: TensorType) => {
    const name = `x${inputs.size}`;
    inputs.set(name, type);
    nodes.push({ id: name, name, type: "input", params: { shape: type.shape.slice(1), dtype: type.dtype }, at });
    sources.push({ node: name, port: "y", type, isInput: true });
  };
  for (let i = 0, starts = 1 + Math.floor(random() * 3); i < starts; i++) begin(pick(STARTS));
  // A zone rarely finds by chance what it takes, so some graphs begin with it.
  if (random() < 0.4) {
    const zones = byCategory.find(([first]) => first?.category === "control") ?? [];
    const zone = pick(zones);
    for (const { dtype, shape, hasBatch } of zone ? wiresOf(zone, 0) : []) if (hasBatch && dtype !== "bool") begin({ dtype, shape: ["B", ...shape.slice(1)] });
  }

  for (let attempts = 0; attempts < 60 * count && nodes.length < count; attempts++) {
    const layer = pick(pick(byCategory));
    const grown = grow(layer);
    if (!grown) continue;
    const graph: Graph = { ...emptyGraph, nodes: [...nodes, ...grown.nodes], edges: [...edges, ...grown.edges] };
    const checked = checkGraph(graph);
    if (checked.problems.some(({ severity, code }) => severity === "error" && code !== "GRAPH_INCOMPLETE")) continue;
    const outputs = grown.nodes.flatMap(({ id }) => Object.entries(checked.types.get(id)?.outputs ?? {}).map(([port, type]): Source => ({ node: id, port, type, isInput: false })));
    if (outputs.some(({ type }) => bindings.some((binding) => !isHandy(type, binding)))) continue;
    nodes.push(...grown.nodes);
    edges.push(...grown.edges);
    sources.push(...outputs);
  }

  // Whatever nothing takes comes out.
  const taken = new Set(edges.map(({ from }) => `${from.node} ${from.port}`));
  const ends = sources.filter(({ node, port, isInput }) => !isInput && !taken.has(`${node} ${port}`));
  for (const [i, { node, port }] of (ends.length > 0 ? ends : sources.slice(-1)).entries()) {
    nodes.push({ id: `out${i}`, name: `out ${String(i).padStart(2, "0")}`, type: "output", params: {}, at });
    edges.push({ id: `end${i}`, from: { node, port }, to: { node: `out${i}`, port: "x" } });
  }
  return {
    graph: { ...emptyGraph, nodes, edges },
    inputs,
    isLong: true,
    fits: () => true,
    draw: (binding) =>
      drawInputs(inputs, binding, seed, { first: {}, whole: Object.fromEntries([...inputs.keys()].map((name) => [name, TOKENS])), isDistinct: false, range: [-2, 2] }),
  };

  /** A node of this layer on wires from what is there, and what tames these; null where a port finds nothing. */
  function grow(layer: Layer): { nodes: Node[]; edges: Edge[] } | null {
    const [candidate] = fc.sample(candidates(layer), { seed: Math.floor(random() * 2 ** 31), numRuns: 1 });
    const example = candidate && layer.examples[candidate.example];
    if (!candidate || !example) return null;
    const id = `n${nodes.length}-${layer.type}`.slice(0, 40);
    const node: Node = { id, type: layer.type, params: paramsOf(layer, candidate, new Map()), at };
    if (example.bodies) node.bodies = example.bodies;
    const grown: { nodes: Node[]; edges: Edge[] } = { nodes: [], edges: [] };
    const used = new Map<string, Source>();
    let first: Source | undefined;
    for (const [port, taken] of Object.entries(portsOf(layer, node).inputs)) {
      if (taken.optional && !(Object.hasOwn(example.inputs, port) && random() < 0.8 && !(taken.dtype === "bool" && hints[layer.type]?.first !== undefined))) continue;
      for (let wires = taken.many ? 1 + Math.floor(random() * 3) : 1; wires > 0; wires--) {
        const source = choose(taken, first);
        if (!source) return null;
        first ??= source;
        if (!used.has(port)) used.set(port, source);
        // What looks up a table takes tokens alone, whose numbers are known.
        if (source.type.dtype === "int64" && hints[layer.type]?.whole && !source.isInput) return null;
        let from = { node: source.node, port: source.port };
        const tame = source.type.dtype !== "float32" ? [] : example.positive ? ["tanh", "sigmoid"] : layer.category === "math" || random() < 0.2 ? ["tanh"] : [];
        for (const type of tame) {
          const between = `${id}-${type}${grown.nodes.length}`;
          grown.nodes.push({ id: between, type, params: {}, at });
          grown.edges.push({ id: `${between}-x`, from, to: { node: between, port: "x" } });
          from = { node: between, port: "y" };
        }
        grown.edges.push({ id: `${id}-${port}${wires}`, from, to: { node: id, port } });
      }
    }
    grown.nodes.push(node);
    const defaults = Object.fromEntries(Object.entries(layer.params).map(([name, param]) => [name, param.default]));
    const { fits, whole } = hints[layer.type] ?? {};
    for (const binding of bindings) {
      const given = {
        isTrained: binding === bindings[0],
        params: { ...defaults, ...node.params },
        sizes: Object.fromEntries([...used].map(([port, { type }]) => [port, type.shape.map((size) => sizeAt(size, binding))])),
      };
      if (fits && !fits(given)) return null;
      for (const [port, { type }] of used) {
        const [from, to] = (type.dtype === "int64" && whole?.(given, port)) || TOKENS;
        if (from > TOKENS[0] || to < TOKENS[1]) return null;
      }
    }
    return grown;
  }

  /** Something of a dtype that the port takes: rather what came last, and rather of the shape of the wire before. */
  function choose(port: InputPort, first: Source | undefined): Source | undefined {
    const fitting = sources.filter(({ type }) => accepts(port, type.dtype as Dtype));
    const alike = first ? fitting.filter(({ type }) => type.shape.join() === first.type.shape.join()) : [];
    if (alike.length > 0 && random() < 0.7) return pick(alike);
    if (fitting.length === 0) return undefined;
    return random() < 0.6 ? pick(fitting.slice(-5)) : pick(fitting);
  }
}

function isHandy({ shape }: TensorType, binding: Binding): boolean {
  const sizes = shape.map((size) => sizeAt(size, binding));
  return sizes.every((size) => size >= 1) && sizes.reduce((a, b) => a * b, 1) <= MOST_ELEMENTS;
}

/** The layers in a graph, those inside zones included. */
export function layersIn(graph: Graph): string[] {
  return graph.nodes.flatMap(({ type }) => findLayer(type)?.title ?? []);
}
