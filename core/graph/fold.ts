import { bodyInputs } from "../layers/input.ts";
import { type Inputs, type Layer, type NodeTypes, portsOf, type WeightPlan } from "../layers/kit.ts";
import { bodyOutputs } from "../layers/output.ts";
import type { Params, Values } from "../layers/params.ts";
import { layerOf, pass } from "./bypass.ts";
import { type Checked, checkGraph, hasErrors, type Problem, paramsOf } from "./check.ts";
import type { Body, Graph, Node } from "./document.ts";
import { type BodyStep, type NodePath, pathOf } from "./path.ts";
import { predicting } from "./predicting.ts";

/** Under this name the targets of a batch are among the arguments of the model's own body; no Input of a model has it. */
export const TARGET_ARGUMENT = "target";

/** A node in the course of a fold, with all that its layer's answers take. */
export type Step = {
  path: NodePath;
  /** The bodies around it, for folding its own with `[...steps, { node: node.id, role }]`. */
  steps: readonly BodyStep[];
  node: Node;
  layer: Layer;
  params: Values<Params>;
  types: NodeTypes;
  weights: { [name: string]: WeightPlan };
};

/** A graph with errors was handed to something that needs one without. */
export class GraphInvalid extends Error {
  readonly code = "GRAPH_INVALID";
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super(`This graph cannot run: ${problems[0]?.message ?? "it has problems"}${problems.length > 1 ? ` (and ${problems.length - 1} more)` : ""}`);
    this.name = "GraphInvalid";
    this.problems = problems;
  }
}

/** The graph as it predicts, and what is said of it. @throws GraphInvalid where the whole graph has errors. */
export function requirePredicting(graph: Graph): { graph: Graph; checked: Checked } {
  const checked = requireValid(graph);
  const rest = predicting(graph);
  return { graph: rest, checked: rest === graph ? checked : requireValid(rest) };
}

/** @throws GraphInvalid with the errors, if there are any. */
export function requireValid(graph: Graph): Checked {
  const checked = checkGraph(graph);
  if (hasErrors(checked)) throw new GraphInvalid(checked.problems.filter(({ severity }) => severity === "error"));
  return checked;
}

/**
 * Runs through a checked body in order, with a value of some kind on every wire: program values, ONNX names, Python variables.
 * `args` are the values of its input nodes by name; the answer holds those of its output nodes by name. `visit` is given a
 * node's inputs and gives its outputs; nodes on which no output depends, and those that only hand on what comes, are left out.
 */
export function foldBody<T>(
  checked: Checked,
  body: Body,
  steps: readonly BodyStep[],
  args: { [name: string]: T },
  visit: (step: Step, inputs: Inputs<T>) => { [port: string]: T },
): { [name: string]: T } {
  const nodes = new Map(body.nodes.map((node) => [node.id, node]));
  const inputNames = new Map(bodyInputs(body).map(({ name, node }) => [node.id, name]));
  const outputNames = new Map(bodyOutputs(body).map(({ name, node }) => [node.id, name]));
  const wires = group(body.edges, ({ to }) => to.node);
  const values = new Map<string, { [port: string]: T }>();
  const results: [string, T][] = [];
  for (const path of ordersOf(checked).get(pathOf(steps, "")) ?? []) {
    const node = nodes.get(path.slice(path.lastIndexOf("/") + 1));
    const layer = node && layerOf(node);
    const types = checked.types.get(path);
    if (!node || !layer || !types) throw new Error(`Node ${path} of a checked graph has gone; check it again after an edit.`);
    const inputs: Inputs<T> = Object.create(null);
    const inputName = inputNames.get(node.id);
    if (inputName !== undefined) inputs.x = args[inputName];
    else if (layer.boundary?.kind === "target") inputs.x = args[TARGET_ARGUMENT];
    for (const [port, { many }] of Object.entries(portsOf(layer, node).inputs)) {
      const arrived = (wires.get(node.id) ?? []).filter(({ to }) => to.port === port).flatMap(({ from }) => values.get(from.node)?.[from.port] ?? []);
      if (many) inputs[port] = arrived;
      else if (arrived[0] !== undefined) inputs[port] = arrived[0];
    }
    if (layer.passes) {
      values.set(node.id, pass(layer.passes, node, inputs));
      continue;
    }
    values.set(node.id, visit({ path, steps, node, layer, params: paramsOf(layer, node), types, weights: checked.weights.get(path) ?? {} }, inputs));
    const outputName = outputNames.get(node.id);
    if (outputName !== undefined && inputs.x !== undefined && !Array.isArray(inputs.x)) results.push([outputName, inputs.x]);
  }
  return Object.fromEntries(results);
}

/** The body with this role that a node of a checked graph runs, drawn or composed. */
export function bodyOf(checked: Checked, { path, node }: Pick<Step, "path" | "node">, role: string): Body {
  const bodies = checked.composed.get(path) ?? node.bodies;
  const body = bodies && Object.hasOwn(bodies, role) ? bodies[role] : undefined;
  if (!body) throw new Error(`Node ${path} of a checked graph has a body ${role}.`);
  return body;
}

const orders = new WeakMap<Checked, Map<string, NodePath[]>>();

/** The checked order, body by body. */
function ordersOf(checked: Checked): Map<string, NodePath[]> {
  let order = orders.get(checked);
  if (!order) {
    order = group(checked.order, (path) => path.slice(0, path.lastIndexOf("/") + 1));
    orders.set(checked, order);
  }
  return order;
}

function group<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const members = groups.get(key);
    if (members) members.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
