import { bodyOutputs } from "../layers/output.ts";
import { bodyTargets } from "../layers/target.ts";
import type { Body, Graph, Node } from "./document.ts";

/** The ids of a body's Targets and of all that depends on them: what is there while training only. */
export function dependsOnTarget(body: Body): ReadonlySet<string> {
  const reached = new Set(bodyTargets(body).map(({ id }) => id));
  if (reached.size === 0) return reached;
  const next = new Map<string, string[]>();
  for (const { from, to } of body.edges) {
    const known = next.get(from.node);
    if (known) known.push(to.node);
    else next.set(from.node, [to.node]);
  }
  for (const id of reached) for (const to of next.get(id) ?? []) reached.add(to);
  return reached;
}

const predictors = new WeakMap<Graph, Graph>();

/** The graph as it predicts: without what depends on a Target, such as losses wired on the canvas. The graph itself where nothing does. */
export function predicting(graph: Graph): Graph {
  const known = predictors.get(graph);
  if (known) return known;
  const gone = dependsOnTarget(graph);
  const rest =
    gone.size === 0
      ? graph
      : { ...graph, nodes: graph.nodes.filter(({ id }) => !gone.has(id)), edges: graph.edges.filter(({ from, to }) => !gone.has(from.node) && !gone.has(to.node)) };
  predictors.set(graph, rest);
  return rest;
}

/** The output that predicts: of those that depend on no Target the one named y, else the first by name. */
export function mainOutput(graph: Body): { name: string; node: Node } | undefined {
  const training = dependsOnTarget(graph);
  const outputs = bodyOutputs(graph)
    .filter(({ node }) => !training.has(node.id))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return outputs.find(({ name }) => name === "y") ?? outputs[0];
}
