import type { Body, Graph } from "../../../core/graph/document.ts";
import { addNode, connect, copy, disconnect, moveNodes, paste, removeNodes, renameNode, setParams } from "../../../core/graph/edit.ts";
import type { BodyStep } from "../../../core/graph/path.ts";

/** Numbers in [0, 1) that are the same in every run with the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const TYPES = ["linear", "relu", "conv2d", "concat", "repeat", "dropout"];

/** One edit as a person makes them, somewhere in the graph. */
export function randomEdit(graph: Graph, random: () => number): Graph {
  const steps: BodyStep[] = [];
  let body: Body = graph;
  for (;;) {
    const zone = body.nodes.find((node) => Object.keys(node.bodies ?? {}).length > 0);
    const [role, inner] = Object.entries(zone?.bodies ?? {})[0] ?? [];
    if (!zone || role === undefined || !inner || random() < 0.7 || steps.length > 2) break;
    steps.push({ node: zone.id, role });
    body = inner;
  }
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  const at = { x: Math.round(random() * 100) * 8, y: Math.round(random() * 100) * 8 };
  const [one, other] = [pick(body.nodes), pick(body.nodes)];
  const dice = random();
  if (dice < 0.35 || !one || !other) return addNode(graph, { type: pick(TYPES) ?? "relu", at }, steps);
  if (dice < 0.55) return connect(graph, { node: one.id, port: "y" }, { node: other.id, port: random() < 0.8 ? "x" : "other" }, steps);
  if (dice < 0.65) return moveNodes(graph, new Map([[one.id, at]]), steps);
  if (dice < 0.75) return setParams(graph, one.id, { out_features: Math.ceil(random() * 100), kernel_size: random() < 0.5 ? 5 : undefined }, steps);
  if (dice < 0.8) return renameNode(graph, one.id, random() < 0.5 ? "" : `Name ${Math.round(random() * 9)}`, steps);
  if (dice < 0.86) return paste(graph, copy(graph, [one.id, other.id], steps), at, steps).graph;
  if (dice < 0.94) return removeNodes(graph, [one.id], steps);
  const wire = pick(body.edges);
  return wire ? disconnect(graph, [wire.id], steps) : graph;
}
