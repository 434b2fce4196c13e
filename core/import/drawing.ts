import type { Tensor } from "../export/tensor.ts";
import { type Checked, checkGraph } from "../graph/check.ts";
import type { Body, Edge, Graph, Json, Node } from "../graph/document.ts";
import { emptyGraph } from "../graph/document.ts";
import { tidyLayout } from "../graph/layout.ts";
import { LIMITS } from "../graph/limits.ts";
import { printShape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { findLayer } from "../layers/index.ts";
import { bodyInputs } from "../layers/input.ts";
import { acceptedDtypes, accepts, type Inputs, type Layer, portsOf, type WeightPlan } from "../layers/kit.ts";
import { bodyOutputs } from "../layers/output.ts";
import { type Params, readParams, type Values } from "../layers/params.ts";

/** What comes out of a port of a drawn node. */
export type Wire = { node: string; port: string; type: TensorType };

/** Something that no layer here can say. The message is the reason, in one sentence. */
export class Undrawable extends Error {
  constructor(why: string) {
    super(why);
    this.name = "Undrawable";
  }
}

/** A node with what it was drawn from, for rules that look back. */
export type Drawn = { node: Node; inputs: Inputs<Wire>; weights: Map<string, Tensor>; inside?: Map<string, Map<string, Tensor>>; outputs: { [port: string]: Wire } };

type AddOptions = {
  /** What the person is to see on the node. */
  name?: string;
  /** The node's id, where names of weights depend on it. */
  id?: string;
  /** By the names of the layer's weights. */
  weights?: { [name: string]: Tensor };
  bodies?: { [role: string]: Body };
  /** The weights of nodes inside those, by role and path: `body/linear_1`. */
  inside?: Map<string, Map<string, Tensor>>;
  /** The path of a node whose weights it is to use, where it has any. */
  weightsOf?: string;
};

/**
 * A body that grows node by node, each checked as it is added: its parameters by the layer's schema, its wires by the layer's own
 * rule, its weights by the shapes that follow. So whoever draws knows every type, and nothing can be drawn that will not run.
 */
export class Drawing {
  readonly #drawn = new Map<string, Drawn>();
  readonly #edges: Edge[] = [];
  readonly #counts = new Map<string, number>();

  /** @throws Undrawable */
  add(type: string, params: { [name: string]: Json }, inputs: Inputs<Wire>, options: AddOptions = {}): Drawn {
    const layer = findLayer(type);
    if (!layer) throw new Undrawable(say("There is no layer “{type}” here.", { type }));
    if (this.#drawn.size >= LIMITS.nodeCount) throw new Undrawable(say("A graph holds at most {nodeCount} nodes, and this model needs more.", { nodeCount: LIMITS.nodeCount }));
    const id = options.id === undefined ? this.#takeId(type) : this.freeId(options.id);
    const node: Node = { id, type, params: withoutDefaults(layer, params), at: { x: 0, y: 0 } };
    if (options.name && options.name !== layer.title) node.name = options.name.slice(0, 120);
    if (options.bodies) node.bodies = options.bodies;
    const types: Inputs<TensorType> = Object.create(null);
    for (const [port, wire] of Object.entries(inputs)) {
      if (wire === undefined) continue;
      types[port] = Array.isArray(wire) ? wire.map((one) => one.type) : wire.type;
      for (const from of [wire].flat()) this.#edges.push({ id: `wire_${this.#edges.length + 1}`, from: { node: from.node, port: from.port }, to: { node: id, port } });
    }
    const { outputs, weights } = inferNode(layer, node, types);
    if (options.weightsOf !== undefined && Object.keys(weights).length > 0) node.weightsOf = options.weightsOf;
    const given = new Map(Object.entries(options.weights ?? {}));
    for (const [name, tensor] of given) {
      const plan = weights[name];
      if (!plan) throw new Undrawable(say("{title} has no weight {name} with these parameters.", { title: layer.title, name }));
      if (plan.shape.join() !== tensor.shape.join())
        throw new Undrawable(
          say("{title}'s {name} must be {shape}, but is {shape2}.", { title: layer.title, name, shape: printShape(plan.shape), shape2: printShape(tensor.shape) }),
        );
    }
    const drawn: Drawn = {
      node,
      inputs,
      weights: given,
      inside: options.inside,
      outputs: Object.fromEntries(Object.entries(outputs).map(([port, type]) => [port, { node: id, port, type }])),
    };
    this.#drawn.set(id, drawn);
    return drawn;
  }

  /** Adds a node and gives its output `y`. @throws Undrawable */
  draw(type: string, params: { [name: string]: Json }, inputs: Inputs<Wire>, options: AddOptions = {}): Wire {
    const drawn = this.add(type, params, inputs, options);
    const wire = drawn.outputs.y;
    if (!wire) throw new Undrawable(say("{type} gives no y.", { type }));
    return wire;
  }

  /** The id that a node with this wish is given. */
  freeId(wanted: string): string {
    const base = cleanId(wanted);
    let id = base;
    for (let i = 2; this.#drawn.has(id); i++) id = `${base}_${i}`;
    return id;
  }

  /** An input of a body whose type comes from outside. */
  argument(name: string, type: TensorType): Wire {
    const id = this.#takeId(`in_${name}`);
    const wire = { node: id, port: "y", type };
    this.#drawn.set(id, { node: { id, type: "input", params: {}, at: { x: 0, y: 0 }, name }, inputs: {}, weights: new Map(), outputs: { y: wire } });
    return wire;
  }

  result(name: string, from: Wire): void {
    this.add("output", {}, { x: from }, { name, id: `out_${name}` });
  }

  /** The node that a wire comes out of. */
  madeBy(wire: Wire): Drawn {
    const drawn = this.#drawn.get(wire.node);
    if (!drawn) throw new Error(`There is no drawn node ${wire.node}.`);
    return drawn;
  }

  /** The body without nodes on which no output depends, tidily placed, and its weights by the paths of their nodes. */
  finishBody(): { body: Body; weights: Map<string, Map<string, Tensor>> } {
    const live = new Set<string>();
    const open = [...this.#drawn.values()].filter(({ node }) => node.type === "output" || node.type === "input").map(({ node }) => node.id);
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (live.has(id)) continue;
      live.add(id);
      for (const wires of Object.values(this.#drawn.get(id)?.inputs ?? {})) for (const wire of [wires ?? []].flat()) open.push(wire.node);
    }
    const kept = [...this.#drawn.values()].filter(({ node }) => live.has(node.id));
    const edges = this.#edges.filter(({ to }) => live.has(to.node)).map((edge, i) => ({ ...edge, id: `wire_${i + 1}` }));
    const body: Body = { nodes: kept.map(({ node }) => node), edges };
    const places = tidyLayout(body);
    return {
      body: { nodes: body.nodes.map((node) => ({ ...node, at: places.get(node.id) ?? node.at })), edges },
      weights: new Map(
        kept.flatMap(({ node, weights, inside = new Map<string, Map<string, Tensor>>() }): [string, Map<string, Tensor>][] => [
          ...(weights.size > 0 ? [[node.id, weights] satisfies [string, Map<string, Tensor>]] : []),
          ...[...inside].map(([path, own]): [string, Map<string, Tensor>] => [`${node.id}/${path}`, own]),
        ]),
      ),
    };
  }

  /** The whole as a graph, checked once more as people's own graphs are; its problems say what is still wrong. */
  finish(): { graph: Graph; checked: Checked; weights: Map<string, Map<string, Tensor>> } {
    const { body, weights } = this.finishBody();
    const graph: Graph = { ...emptyGraph, ...body };
    return { graph, checked: checkGraph(graph), weights };
  }

  #takeId(wanted: string): string {
    const base = cleanId(wanted);
    // A type gets a number from the start, as nodes added by hand do; a wanted name only where it is taken.
    const isType = findLayer(base) !== undefined;
    for (;;) {
      const count = (this.#counts.get(base) ?? 0) + 1;
      this.#counts.set(base, count);
      const id = count === 1 && !isType ? base : `${base}_${count}`;
      if (!this.#drawn.has(id)) return id;
    }
  }
}

function cleanId(wanted: string): string {
  return wanted.replaceAll(/[^\w-]/g, "_").slice(0, 48) || "node";
}

/** What a node gives for inputs of these types. @throws Undrawable with the layer's own words */
function inferNode(layer: Layer, node: Node, types: Inputs<TensorType>): { outputs: { [port: string]: TensorType }; weights: { [name: string]: WeightPlan } } {
  const { values, problems } = readParams(layer.params, node.params);
  const [problem] = problems;
  if (problem) throw new Undrawable(`${problem.name} of ${layer.title} must be ${problem.message}; it is ${JSON.stringify(node.params[problem.name])}.`);
  for (const [port, spec] of Object.entries(portsOf(layer, node).inputs)) {
    const given = types[port];
    if (given === undefined || (Array.isArray(given) && given.length === 0)) {
      if (spec.optional) continue;
      throw new Undrawable(say("{title} needs its input {port}.", { title: layer.title, port }));
    }
    const odd = [given].flat().find(({ dtype }) => !accepts(spec, dtype));
    if (odd) throw new Undrawable(say("{title} takes {spec} as {port}, but is given {dtype}.", { title: layer.title, spec: acceptedDtypes(spec), port, dtype: odd.dtype }));
    if (spec.many) types[port] = [given].flat();
  }
  const composed = layer.compose?.(values as Values<Params>, types, node);
  if (composed && isProblem(composed)) throw new Undrawable(composed.problem);
  const bodies: { [role: string]: Body } = composed ?? node.bodies ?? {};
  const inferred = layer.infer(
    values,
    types,
    (role, args) => {
      const body = bodies[role];
      return body ? inferBody(body, args) : null;
    },
    node,
  );
  if (!inferred) throw new Undrawable(say("{title} cannot say what it gives.", { title: layer.title }));
  if ("problem" in inferred) throw new Undrawable(inferred.problem);
  return { outputs: inferred.outputs, weights: inferred.weights ?? {} };
}

function isProblem(made: object): made is { problem: string } {
  return "problem" in made && typeof made.problem === "string";
}

/** The types of a body's outputs, by name. */
function inferBody(body: Body, args: { [name: string]: TensorType }): { [name: string]: TensorType } {
  const argumentOf = new Map(bodyInputs(body).map(({ name, node }) => [node.id, args[name]]));
  const known = new Map<string, { [port: string]: TensorType }>();
  const results: { [name: string]: TensorType } = {};
  const outputs = new Map(bodyOutputs(body).map(({ name, node }) => [node.id, name]));
  let waiting = body.nodes;
  while (waiting.length > 0) {
    const ready = waiting.filter(({ id }) => body.edges.every(({ from, to }) => to.node !== id || known.has(from.node)));
    if (ready.length === 0) throw new Undrawable(say("A body has a circle in it."));
    for (const node of ready) {
      const layer = findLayer(node.type);
      if (!layer) throw new Undrawable(say("There is no layer “{type}” here.", { type: node.type }));
      const types: Inputs<TensorType> = Object.create(null);
      const argument = argumentOf.get(node.id);
      if (argument) types.x = argument;
      for (const { from, to } of body.edges) {
        const type = to.node === node.id ? known.get(from.node)?.[from.port] : undefined;
        if (!type) continue;
        const there = types[to.port];
        types[to.port] = portsOf(layer, node).inputs[to.port]?.many ? [...(Array.isArray(there) ? there : []), type] : type;
      }
      const name = outputs.get(node.id);
      if (name !== undefined && types.x && !Array.isArray(types.x)) results[name] = types.x;
      known.set(node.id, argument ? { y: argument } : inferNode(layer, node, types).outputs);
    }
    waiting = waiting.filter(({ id }) => !known.has(id));
  }
  return results;
}

function withoutDefaults(layer: Layer, params: { [name: string]: Json }): { [name: string]: Json } {
  return Object.fromEntries(Object.entries(params).filter(([name, value]) => JSON.stringify(layer.params[name]?.default) !== JSON.stringify(value)));
}

/** A name as inputs and outputs may have it: letters, digits, spaces, - and _, a letter first. */
export function boundaryName(wanted: string, fallback: string): string {
  const name = wanted
    .replaceAll(/[^\w -]+/g, "_")
    .replace(/^[^A-Za-z]+/, "")
    .slice(0, 64)
    .trim();
  return name || fallback;
}
