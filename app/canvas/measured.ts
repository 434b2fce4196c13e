import { NODE_SIZE } from "../../core/graph/layout.ts";

type Size = { width: number; height: number };

const sizes = new Map<string, Size>();
const listeners = new Set<() => void>();

/** How large nodes turned out on the canvas. React Flow measures them, and wants each size back with its node. */
export const measured = {
  get: (id: string): Size | undefined => sizes.get(id),
  /** A size to reckon with, also before a node was drawn. */
  sizeOf: ({ id }: { id: string }): Size => sizes.get(id) ?? NODE_SIZE,
  remember(entries: readonly (readonly [string, Size])[]): void {
    for (const [id, size] of entries) sizes.set(id, size);
    for (const listener of listeners) listener();
  },
  /** Another body may use the same ids for other nodes. */
  forget(): void {
    sizes.clear();
  },
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};
