import type { Body, Tuning } from "./document.ts";
import { type NodePath, splitPath } from "./path.ts";

/** What training does with the weights of one node, all told. */
export type Tuned = Required<Tuning>;

export const UNTUNED: Tuned = { frozen: false, evaluates: false, lrScale: 1, fromEpoch: 0 };

/**
 * How the node at `path` is trained: what it says itself, and for the rest what the nodes around it say, the nearest first. Parts that
 * are composed and not drawn are trained as what they were composed in.
 */
export function tuningAt(graph: Body, path: NodePath): Tuned {
  const { steps, id } = splitPath(path);
  let tuned = UNTUNED;
  let body: Body | undefined = graph;
  for (const { node: at, role } of [...steps, { node: id, role: "" }]) {
    const node: Body["nodes"][number] | undefined = body?.nodes.find((one) => one.id === at);
    if (!node) break;
    tuned = { ...tuned, ...node.tuning };
    // The copies of a stack are one body, drawn once.
    body = node.bodies?.[role] ?? (Object.keys(node.bodies ?? {}).length === 1 ? Object.values(node.bodies ?? {})[0] : undefined);
  }
  return tuned.frozen ? { ...tuned, evaluates: true } : tuned;
}

/** The same graph, all of which learns at the full rate from the start. */
export function untuned<B extends Body>(body: B): B {
  return {
    ...body,
    nodes: body.nodes.map(({ tuning: _, bodies, ...node }) => ({
      ...node,
      ...(bodies ? { bodies: Object.fromEntries(Object.entries(bodies).map(([role, inner]) => [role, untuned(inner)])) } : {}),
    })),
  };
}

/** Whether anything in this body, or inside its nodes, is trained in another way than the rest. */
export function isTuned(body: Body): boolean {
  return body.nodes.some((node) => (node.tuning && Object.keys(node.tuning).length > 0) || Object.values(node.bodies ?? {}).some(isTuned));
}
