import type { Node } from "../../core/graph/document.ts";
import { NODE_SIZE } from "../../core/graph/layout.ts";
import { findLayer } from "../../core/layers/index.ts";
import { bodiesOf, portsOf } from "../../core/layers/kit.ts";

type Size = { width: number; height: number };

const sizes = new Map<string, Size>();
let current = "";
const listeners = new Set<() => void>();

/** How large nodes turned out on the canvas. React Flow measures them, and wants each size back with its node. */
export const measured = {
  get: (id: string): Size | undefined => sizes.get(id),
  /** A size to reckon with, also before a node was drawn. */
  sizeOf: (node: Node): Size => sizes.get(node.id) ?? expectSize(node),
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

/** How high a node will be about, by canvas.css: a line for each body, and one for the names of several ports. */
function expectSize(node: Node): Size {
  const layer = findLayer(node.type);
  if (!layer) return NODE_SIZE;
  const { inputs, outputs } = portsOf(layer, node);
  const bodies = Object.keys(bodiesOf(layer, node)).length;
  const named = [inputs, outputs].filter((ports) => Object.keys(ports).length > 1).length;
  return { width: NODE_SIZE.width, height: NODE_SIZE.height + (bodies > 0 ? 10 + 19 * bodies : 0) + named * 11 };
}
