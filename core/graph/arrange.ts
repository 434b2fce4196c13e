import type { Body, Edge, Graph, Node } from "./document.ts";
import { connect, editBody, nextEdgeId } from "./edit.ts";
import type { BodyStep } from "./path.ts";

/** Boxes on the canvas: how nodes stand to each other. Pure; sizes in the canvas's pixels. */
export type Box = { id: string; left: number; top: number; width: number; height: number };
type Places = Map<string, { left: number; top: number }>;

export const SIDES = ["left", "center", "right", "top", "middle", "bottom"] as const;
export type Side = (typeof SIDES)[number];

/** New corners for boxes that are to share a side, or a middle; those that have it already are not named. */
export function alignBoxes(boxes: readonly Box[], side: Side): Places {
  const lines = boxes.map((box) => lineOf(box, side));
  const at = side === "left" || side === "top" ? Math.min(...lines) : side === "right" || side === "bottom" ? Math.max(...lines) : (Math.min(...lines) + Math.max(...lines)) / 2;
  const places: Places = new Map();
  for (const box of boxes) {
    const by = Math.round(at - lineOf(box, side));
    if (by !== 0) places.set(box.id, isAcross(side) ? { left: box.left + by, top: box.top } : { left: box.left, top: box.top + by });
  }
  return places;
}

/** New corners for three boxes or more, with the same gap between each and the next; the outermost stay. */
export function distributeBoxes(boxes: readonly Box[], axis: "x" | "y"): Places {
  const [start, size] = axis === "x" ? (["left", "width"] as const) : (["top", "height"] as const);
  const sorted = [...boxes].sort((a, b) => a[start] - b[start]);
  const [first, last] = [sorted[0], sorted.at(-1)];
  const places: Places = new Map();
  if (!first || !last || sorted.length < 3) return places;
  const filled = sorted.reduce((sum, box) => sum + box[size], 0);
  const gap = (last[start] + last[size] - first[start] - filled) / (sorted.length - 1);
  let at = first[start];
  for (const box of sorted) {
    const place = Math.round(at);
    if (place !== box[start]) places.set(box.id, axis === "x" ? { left: place, top: box.top } : { left: box.left, top: place });
    at += box[size] + gap;
  }
  return places;
}

/** A line that a dragged box comes to stand on, from end to end over the boxes that share it. */
export type SnapLine = { axis: "x" | "y"; at: number; from: number; to: number };

/** How far a dragged box is to be moved to stand in line with others, where one is within `reach`, and the lines that say so. */
export function snapBox(box: Box, others: readonly Box[], reach: number): { by: { x: number; y: number }; lines: SnapLine[] } {
  const lines: SnapLine[] = [];
  const best = (sides: readonly Side[]) => {
    let found: { by: number; at: number; other: Box } | null = null;
    for (const side of sides) {
      const own = lineOf(box, side);
      for (const other of others) {
        const by = lineOf(other, side) - own;
        if (Math.abs(by) <= reach && (!found || Math.abs(by) < Math.abs(found.by))) found = { by, at: own + by, other };
      }
    }
    return found;
  };
  const across = best(["center", "left", "right"]);
  const down = best(["middle", "top", "bottom"]);
  if (across) {
    const { other } = across;
    lines.push({ axis: "x", at: across.at, from: Math.min(box.top, other.top), to: Math.max(box.top + box.height, other.top + other.height) });
  }
  if (down) {
    const { other } = down;
    lines.push({ axis: "y", at: down.at, from: Math.min(box.left, other.left), to: Math.max(box.left + box.width, other.left + other.width) });
  }
  return { by: { x: across?.by ?? 0, y: down?.by ?? 0 }, lines };
}

const isAcross = (side: Side) => side === "left" || side === "center" || side === "right";

function lineOf({ left, top, width, height }: Box, side: Side): number {
  switch (side) {
    case "left":
      return left;
    case "center":
      return left + width / 2;
    case "right":
      return left + width;
    case "top":
      return top;
    case "middle":
      return top + height / 2;
    case "bottom":
      return top + height;
  }
}

/**
 * Takes nodes out of the wires they sit in, and leaves them where they are: what fed the first of a chain feeds what the last fed.
 * Wires among the nodes stay.
 */
export function detachNodes(graph: Graph, ids: ReadonlySet<string>, steps: readonly BodyStep[] = []): Graph {
  return editBody(graph, steps, (body) => {
    const isIn = (id: string) => ids.has(id);
    const incoming = incomingOf(body, ids);
    const outgoing = body.edges.filter(({ from, to }) => isIn(from.node) && !isIn(to.node));
    if (incoming.length + outgoing.length === 0) return body;
    const cut = new Set([...incoming, ...outgoing].map(({ id }) => id));
    const [source] = incoming;
    const edges = body.edges.flatMap((edge): Edge[] => {
      if (!cut.has(edge.id)) return [edge];
      return isIn(edge.from.node) && source ? [{ ...edge, from: source.from }] : [];
    });
    return { nodes: body.nodes, edges };
  });
}

/** Puts a node that is on the canvas already into a wire; its own wires there are let go. The same graph where it cannot sit there. */
export function insertNode(graph: Graph, edgeId: string, id: string, ports: { input: string; output: string }, steps: readonly BodyStep[] = []): Graph {
  return editBody(graph, steps, (body) => {
    const edge = body.edges.find((one) => one.id === edgeId);
    if (!edge || edge.from.node === id || edge.to.node === id) return body;
    const edges = body.edges.filter((one) => one !== edge && !(one.to.node === id && one.to.port === ports.input));
    edges.push({ id: nextEdgeId(body.edges), from: edge.from, to: { node: id, port: ports.input } });
    edges.splice(Math.min(body.edges.indexOf(edge), edges.length), 0, { ...edge, from: { node: id, port: ports.output } });
    return { nodes: body.nodes, edges };
  });
}

/** Wires pasted nodes to what fed their originals, where that is in this body. `ids`: the copy of each original, by id. */
export function wireLikeOriginals(graph: Graph, outside: readonly Edge[], ids: ReadonlyMap<string, string>, steps: readonly BodyStep[] = []): Graph {
  let wired = graph;
  for (const { from, to } of outside) {
    const copy = ids.get(to.node);
    if (copy !== undefined) wired = connect(wired, from, { node: copy, port: to.port }, steps);
  }
  return wired;
}

/** The wires that lead into these nodes from others of the same body. */
export function incomingOf(body: Body, ids: ReadonlySet<string>): Edge[] {
  return body.edges.filter(({ from, to }) => !ids.has(from.node) && ids.has(to.node));
}

/** The nodes of a body, each after those that feed it, otherwise from top to bottom; loops are cut at their highest node. */
export function inFlow(body: Body): Node[] {
  const waiting = new Map(body.nodes.map((node) => [node.id, 0]));
  const next = new Map<string, string[]>();
  for (const { from, to } of body.edges) {
    if (!waiting.has(from.node)) continue;
    waiting.set(to.node, (waiting.get(to.node) ?? 0) + 1);
    next.set(from.node, [...(next.get(from.node) ?? []), to.node]);
  }
  const left = [...body.nodes].sort((a, b) => a.at.y - b.at.y || a.at.x - b.at.x || (a.id < b.id ? -1 : 1));
  const sorted: Node[] = [];
  const ready: Node[] = left.filter(({ id }) => waiting.get(id) === 0);
  const taken = new Set(ready);
  const byId = new Map(body.nodes.map((node) => [node.id, node]));
  while (sorted.length < left.length) {
    const node = ready.shift() ?? left.find((one) => !taken.has(one));
    if (!node) break;
    taken.add(node);
    sorted.push(node);
    for (const id of next.get(node.id) ?? []) {
      const count = (waiting.get(id) ?? 0) - 1;
      waiting.set(id, count);
      const follower = byId.get(id);
      if (count === 0 && follower && !taken.has(follower)) {
        taken.add(follower);
        ready.push(follower);
      }
    }
  }
  return sorted;
}
