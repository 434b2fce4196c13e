import { checkGraph } from "../graph/check.ts";
import type { Graph } from "../graph/document.ts";
import { addNode, connect, freshId, removeNodes } from "../graph/edit.ts";
import { findLayer } from "../layers/index.ts";
import { portsOf } from "../layers/kit.ts";

/** Mending one mistake may show another behind it; nobody draws more of them in a row. */
const MOST_ROUNDS = 12;

/**
 * As much of a drawing as can run: without the nodes that have errors, `without` others, and what depends on them. What then leads nowhere
 * gets an Output of its own, so that it runs too. Null where nothing is left.
 */
export function runnablePart(graph: Graph, without: Iterable<string> = []): Graph | null {
  let part = withoutDependents(graph, new Set(without));
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const closed = closeEnds(part);
    const errors = checkGraph(closed).problems.filter(({ severity }) => severity === "error");
    if (errors.length === 0) return closed;
    const edges = new Map(closed.edges.map((edge) => [edge.id, edge.to.node]));
    const wrong = new Set(errors.flatMap(({ node, edge }) => (node ?? (edge === undefined ? undefined : edges.get(edge)))?.split("/")[0] ?? []));
    const fewer = withoutDependents(part, wrong);
    if (fewer.nodes.length === part.nodes.length) return null;
    part = fewer;
  }
  return null;
}

function withoutDependents(graph: Graph, ids: ReadonlySet<string>): Graph {
  if (ids.size === 0) return graph;
  const gone = new Set(ids);
  for (let before = -1; before !== gone.size; ) {
    before = gone.size;
    for (const { from, to } of graph.edges) if (gone.has(from.node)) gone.add(to.node);
  }
  return removeNodes(graph, gone);
}

/** With an Output at every end that has none. */
function closeEnds(graph: Graph): Graph {
  const used = new Set(graph.edges.map(({ from }) => from.node));
  let closed = graph;
  for (const node of graph.nodes) {
    const layer = findLayer(node.type);
    const [port] = layer ? Object.keys(portsOf(layer, node).outputs) : [];
    if (port === undefined || used.has(node.id)) continue;
    const id = freshId(closed, "output");
    closed = connect(addNode(closed, { type: "output", at: node.at, id, name: `end of ${node.id}` }), { node: node.id, port }, { node: id, port: "x" });
  }
  return closed;
}
