import type { Node } from "../../core/graph/document.ts";
import { boxOf, readFurniture } from "../../core/graph/furniture.ts";
import { NODE_SIZE } from "../../core/graph/layout.ts";
import { findLayer } from "../../core/layers/index.ts";
import { bodiesOf, portsOf } from "../../core/layers/kit.ts";
import { drawInsides, heightWith, widthWith } from "./insideDrawing.ts";

type Size = { width: number; height: number };

/** Of the dot on a wire, by canvas.css. */
const DOT_SIZE: Size = { width: 16, height: 16 };

const sizes = new Map<string, Size>();
let current = "";
const listeners = new Set<() => void>();

/** How large nodes turned out on the canvas. React Flow measures them, and wants each size back with its node. */
export const measured = {
  get: (id: string): Size | undefined => sizes.get(id),
  /** A size to reckon with, also before a node was drawn. */
  sizeOf: (node: Node): Size => readFurniture(node) ?? sizes.get(node.id) ?? expectSize(node),
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

/** How large a node will be about, by canvas.css: the bodies drawn open, and a line for the names of several ports. */
function expectSize(node: Node): Size {
  const layer = findLayer(node.type);
  if (!layer) return NODE_SIZE;
  if (layer.dot) return DOT_SIZE;
  const { inputs, outputs } = portsOf(layer, node);
  const named = [inputs, outputs].filter((ports) => Object.keys(ports).length > 1).length * 11;
  const roles = Object.keys(bodiesOf(layer, node));
  if (roles.length === 0) return { width: NODE_SIZE.width, height: NODE_SIZE.height + named };
  const drawn = drawInsides(
    roles.flatMap((role) =>
      node.bodies?.[role] ? [{ body: node.bodies[role], asked: { definitions: undefined, carries: [], shapeOf: () => null, severityOf: () => undefined } }] : [],
    ),
    Number.POSITIVE_INFINITY,
  );
  return { width: widthWith(drawn), height: heightWith(drawn) + named };
}
