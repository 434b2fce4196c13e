import type { Node } from "../../core/graph/document.ts";
import { measured } from "./measured.ts";
import type { Point } from "./useStudio.ts";
import type { EdgeView, NodeView } from "./view.ts";

/** Below this zoom only the drawing counts: nobody reads figures or takes hold of ports. */
export const FAR_ZOOM = 0.42;
/** Seen from far, a drawing of more nodes than this is one picture: a part of the page for each would cost every frame. */
export const PICTURE_FROM = 150;
/** So many nodes of a selection stay parts of the page, which screen readers and the keyboard know. */
const LIVE = 20;
/** So near, in pixels of the screen, a pointer means a wire. */
const WIRE_REACH = 6;

export type Box = { left: number; top: number; width: number; height: number };
type PaintedNode = { view: NodeView; at: Point; box: Box };
/** From port to port, in the canvas's own coordinates. */
export type PaintedWire = { view: EdgeView; from: Point; to: Point };

/** A body as one picture: where its nodes and wires are, without the page. */
export type Picture = { nodes: ReadonlyMap<string, PaintedNode>; wires: readonly PaintedWire[]; bounds: Box };

/** Places everything. */
export function pictureOf(
  nodes: readonly NodeView[],
  edges: readonly EdgeView[],
  placed: ReadonlyMap<string, Node>,
  sizeOf: (node: Node) => { width: number; height: number } = measured.sizeOf,
  cornerOf: (node: Node) => Point = measured.cornerOf,
): Picture {
  const painted = new Map<string, PaintedNode>();
  let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const view of nodes) {
    const node = placed.get(view.id);
    if (!node) continue;
    const { x, y } = cornerOf(node);
    const { width, height } = sizeOf(node);
    painted.set(view.id, { view, at: node.at, box: { left: x, top: y, width, height } });
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  const wires: PaintedWire[] = [];
  for (const view of edges) {
    const [source, target] = [painted.get(view.from), painted.get(view.to)];
    if (source && target) wires.push({ view, from: portAt(source, view.fromPort, "outputs"), to: portAt(target, view.toPort, "inputs") });
  }
  return { nodes: painted, wires, bounds: painted.size === 0 ? { left: 0, top: 0, width: 0, height: 0 } : { left, top, width: right - left, height: bottom - top } };
}

function portAt({ view, box }: PaintedNode, port: string, side: "inputs" | "outputs"): Point {
  const ports = view[side];
  const index = Math.max(
    0,
    ports.findIndex(({ id }) => id === port),
  );
  return { x: box.left + (box.width * (index + 0.5)) / Math.max(1, ports.length), y: side === "inputs" ? box.top : box.top + box.height };
}

/** The way of a wire: down, across in the middle, down; where it leads back up, around below and above. */
export function wayOf({ from, to }: Pick<PaintedWire, "from" | "to">): Point[] {
  if (Math.abs(from.x - to.x) < 1 && to.y > from.y) return [from, to];
  if (to.y - from.y >= 8) {
    const middle = (from.y + to.y) / 2;
    return [from, { x: from.x, y: middle }, { x: to.x, y: middle }, to];
  }
  const across = (from.x + to.x) / 2;
  return [from, { x: from.x, y: from.y + 16 }, { x: across, y: from.y + 16 }, { x: across, y: to.y - 16 }, { x: to.x, y: to.y - 16 }, to];
}

/** How far each dragged node is from where it stands in the document. */
export function shiftsOf({ nodes }: Picture, dragged: ReadonlyMap<string, Point>): Map<string, Point> {
  return new Map(
    [...dragged].flatMap(([id, { x, y }]) => {
      const node = nodes.get(id);
      return node ? [[id, { x: x - node.at.x, y: y - node.at.y }] as const] : [];
    }),
  );
}

/** The uppermost node at a place. */
export function nodeIn({ nodes }: Picture, { x, y }: Point): string | null {
  let found: string | null = null;
  for (const [id, { box }] of nodes) if (x >= box.left && y >= box.top && x <= box.left + box.width && y <= box.top + box.height) found = id;
  return found;
}

/** The wire nearest to a place, if a pointer at this zoom means one. */
export function wireIn({ wires }: Picture, at: Point, zoom: number): string | null {
  let best: { id: string; away: number } | null = null;
  for (const wire of wires) {
    const way = wayOf(wire);
    for (let i = 1; i < way.length; i++) {
      const [a, b] = [way[i - 1], way[i]];
      if (!a || !b) continue;
      const away = awayFrom(at, a, b);
      if (away <= WIRE_REACH / zoom && (best === null || away < best.away)) best = { id: wire.view.id, away };
    }
  }
  return best?.id ?? null;
}

function awayFrom({ x, y }: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const long = dx * dx + dy * dy;
  const part = long === 0 ? 0 : Math.max(0, Math.min(1, ((x - a.x) * dx + (y - a.y) * dy) / long));
  return Math.hypot(x - a.x - part * dx, y - a.y - part * dy);
}

/** The nodes that a rectangle meets. */
export function nodesMeeting({ nodes }: Picture, rect: { left: number; top: number; right: number; bottom: number }): string[] {
  return [...nodes].flatMap(([id, { box }]) =>
    box.left <= rect.right && box.top <= rect.bottom && box.left + box.width >= rect.left && box.top + box.height >= rect.top ? [id] : [],
  );
}

/** Which nodes stay parts of the page beside the picture: the one under the pointer, those that are edited, and a selection that is not large. */
export function liveNodes(selected: ReadonlySet<string>, ...others: (string | null)[]): ReadonlySet<string> {
  return new Set([...(selected.size <= LIVE ? selected : []), ...others.filter((id) => id !== null)]);
}

/** Brings the rest of a selection along when one node of it is dragged that is alone in the page. */
export function carrySelection(moves: ReadonlyMap<string, Point>, selected: ReadonlySet<string>, placed: ReadonlyMap<string, Node>): ReadonlyMap<string, Point> {
  const [lead] = moves;
  const start = lead && placed.get(lead[0]);
  if (!lead || !start || selected.size <= moves.size || !selected.has(lead[0])) return moves;
  const by = { x: lead[1].x - start.at.x, y: lead[1].y - start.at.y };
  const all = new Map(moves);
  for (const id of selected) {
    const node = placed.get(id);
    if (node && !all.has(id)) all.set(id, { x: node.at.x + by.x, y: node.at.y + by.y });
  }
  return all;
}
