import { paramsOf } from "../../core/graph/check.ts";
import type { Node } from "../../core/graph/document.ts";
import { boxOf, readFurniture } from "../../core/graph/furniture.ts";
import { NODE_SIZE } from "../../core/graph/layout.ts";
import { findLayer } from "../../core/layers/index.ts";
import { bodiesOf, portsOf } from "../../core/layers/kit.ts";
import { drawInsides, heightWith, widthWith } from "./insideDrawing.ts";

type Size = { width: number; height: number };

/** Of the dot on a wire, by canvas.css. */
const DOT_SIZE: Size = { width: 16, height: 16 };
/** By canvas.css: a node with its name; the line below that; the names of several ports above and below. */
const LINES = { name: 35, summary: NODE_SIZE.height - 35, above: 9, below: 10 };

const sizes = new Map<string, Size>();
/** Nodes never change, and every frame of a drag asks for the sizes of all. */
const expected = new WeakMap<Node, Size>();
let current = "";
const listeners = new Set<() => void>();

/** How large nodes turned out on the canvas. React Flow measures them, and wants each size back with its node. */
export const measured = {
  get: (id: string): Size | undefined => sizes.get(id),
  /** A size to reckon with, also before a node was drawn. */
  sizeOf: (node: Node): Size => readFurniture(node) ?? sizes.get(node.id) ?? expected.get(node) ?? expectSize(node),
  /** Its upper left corner: wider nodes stand with their middle where a plain node's would be. */
  cornerOf(node: Node): { x: number; y: number } {
    const { left, top } = boxOf(node, measured.sizeOf);
    return { x: left, y: top };
  },
  remember(entries: readonly (readonly [string, Size])[]): void {
    for (const [id, size] of entries) sizes.set(id, size);
    for (const listener of listeners) listener();
  },
  /** Another body may use the same ids for other nodes: sizes hold for one drawing. */
  forget(drawing: string): void {
    if (drawing !== current) sizes.clear();
    current = drawing;
  },
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};

/** The names of many ports need more room than a plain node has. Grows evenly at both sides, on the grid. */
export function widthFor(ports: number): number | undefined {
  return ports > 4 ? NODE_SIZE.width + 16 * Math.ceil((ports * 50 - NODE_SIZE.width) / 16) : undefined;
}

function expectSize(node: Node): Size {
  const size = reckonSize(node);
  expected.set(node, size);
  return size;
}

/** How large the page will draw a node, by canvas.css; about so large, where bodies stand open in it. */
function reckonSize(node: Node): Size {
  const layer = findLayer(node.type);
  if (!layer) return NODE_SIZE;
  if (layer.dot) return DOT_SIZE;
  const { inputs, outputs } = portsOf(layer, node);
  const [above, below] = [Object.keys(inputs).length, Object.keys(outputs).length];
  const named = (above > 1 ? LINES.above : 0) + (below > 1 ? LINES.below : 0);
  const roles = Object.keys(bodiesOf(layer, node));
  if (roles.length === 0) {
    const isSaid = node.bypass || layer.summary(paramsOf(layer, node)) !== "";
    const height = LINES.name + (isSaid ? LINES.summary : 0) + named;
    return { width: widthFor(Math.max(above, below)) ?? NODE_SIZE.width, height: isTouched() ? Math.max(height, NODE_SIZE.height) : height };
  }
  const drawn = drawInsides(
    roles.flatMap((role) =>
      node.bodies?.[role] ? [{ body: node.bodies[role], asked: { definitions: undefined, carries: [], shapeOf: () => null, severityOf: () => undefined } }] : [],
    ),
    Number.POSITIVE_INFINITY,
  );
  return { width: widthWith(drawn), height: heightWith(drawn) + named };
}

let coarse: MediaQueryList | null = null;

/** A finger gets a node to take hold of that is no lower than this. */
function isTouched(): boolean {
  if (typeof matchMedia === "undefined") return false;
  coarse ??= matchMedia("(pointer: coarse)");
  return coarse.matches;
}
