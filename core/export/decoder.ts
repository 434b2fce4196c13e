import { checkGraph } from "../graph/check.ts";
import type { Graph, Node } from "../graph/document.ts";
import { mainOutput, predicting } from "../graph/predicting.ts";
import { bodyOutputs } from "../layers/output.ts";

/** The Input of a decoder. */
export const DECODER_INPUT = "z";

/**
 * The second half of an autoencoder: what stands between its Output `latent` and its prediction, with an Input in the place of the first half. Null where there
 * is no such Output, or the prediction depends on more than it.
 */
export function decoderOf(whole: Graph, latent = "latent"): { graph: Graph; shape: number[] } | null {
  const graph = predicting(whole);
  const middle = bodyOutputs(graph).find(({ name }) => name === latent)?.node;
  const main = mainOutput(graph);
  const source = graph.edges.find(({ to }) => to.node === middle?.id)?.from;
  const type = middle && checkGraph(graph).types.get(middle.id)?.inputs.x;
  if (!middle || !main || main.node.id === middle.id || !source || !type || Array.isArray(type)) return null;
  const shape = type.shape.slice(1).filter((size) => typeof size === "number");
  if (shape.length !== type.shape.length - 1) return null;

  const input: Node = { id: freshId(graph), type: "input", name: DECODER_INPUT, params: { shape }, at: { x: 0, y: 0 } };
  const edges = graph.edges.map((edge) => (edge.from.node === source.node && edge.from.port === source.port ? { ...edge, from: { node: input.id, port: "y" } } : edge));
  const needed = new Set([main.node.id]);
  for (const id of needed) for (const { from, to } of edges) if (to.node === id) needed.add(from.node);
  if (!needed.has(input.id)) return null;
  const nodes = [...graph.nodes, input].filter(({ id }) => needed.has(id));
  if (nodes.some(({ id, type }) => type === "input" && id !== input.id)) return null;
  return { graph: { ...graph, nodes, edges: edges.filter(({ from, to }) => needed.has(from.node) && needed.has(to.node)) }, shape };
}

function freshId(graph: Graph): string {
  const taken = new Set(graph.nodes.map(({ id }) => id));
  let id = DECODER_INPUT;
  while (taken.has(id)) id += "_";
  return id;
}
