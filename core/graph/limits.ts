import { say } from "../language/say.ts";
import type { Body, Graph } from "./document.ts";
import type { NodePath } from "./path.ts";

/** How much one graph may hold. Beyond it, checks answer GRAPH_LIMIT and stop, so that their time stays bounded. */
export const LIMITS = {
  nodeCount: 2000,
  edgeCount: 10_000,
  /** With the copies in stacks and the insides of composed layers. */
  composedNodeCount: 20_000,
  /** Bodies within bodies. */
  nesting: 16,
  jsonBytes: 2 * 1024 * 1024,
  /** Brackets within brackets in the saved text. */
  jsonDepth: 64,
  /** Numbers in one tensor, for one sample where the batch is symbolic. */
  tensorElements: 2 ** 31 - 1,
  /** All weights together. */
  weightBytes: 2 * 1024 ** 3,
} as const;

/** The limit that a graph goes beyond, if it does. */
export function findExcess(graph: Graph): { message: string; node?: NodePath; hint: string } | null {
  let nodeCount = 0;
  let edgeCount = 0;
  let level: Body[] = [graph];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > LIMITS.nesting) return { message: say("Zones and blocks are nested deeper than {nesting}.", { nesting: LIMITS.nesting }), hint: say("Take some out of others.") };
    for (const { nodes, edges } of level) {
      nodeCount += nodes.length;
      edgeCount += edges.length;
    }
    if (nodeCount > LIMITS.nodeCount)
      return { message: say("The graph has more than {nodeCount} nodes.", { nodeCount: LIMITS.nodeCount }), hint: say("Use Repeat for what recurs.") };
    if (edgeCount > LIMITS.edgeCount)
      return { message: say("The graph has more than {edgeCount} wires.", { edgeCount: LIMITS.edgeCount }), hint: say("Use Repeat for what recurs.") };
    level = level.flatMap(({ nodes }) => nodes.flatMap(({ bodies }) => (bodies ? Object.values(bodies) : [])));
  }
  return null;
}
