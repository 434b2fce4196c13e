import { type EdgeChange, type NodeChange, type ReactFlowState, useStoreApi } from "@xyflow/react";
import { type RefObject, useEffect } from "react";
import { boxOf } from "../../core/graph/furniture.ts";
import { here } from "./edits.ts";
import type { AnyNode } from "./flow.ts";
import { nodesMeeting, type Picture } from "./overview.ts";
import { select, useGraph } from "./useGraph.ts";
import type { FlowEdge } from "./WireEdge.tsx";

type Marquee = { left: number; top: number; right: number; bottom: number };

/** The rectangle that is being drawn over the canvas to select what it meets. */
export function marqueeOf({ userSelectionActive, userSelectionRect: rect, transform: [x, y, zoom] }: ReactFlowState<AnyNode, FlowEdge>): Marquee | null {
  if (!userSelectionActive || !rect) return null;
  const [left, top] = [(rect.x - x) / zoom, (rect.y - y) / zoom];
  return { left, top, right: left + rect.width / zoom, bottom: top + rect.height / zoom };
}

/** A marquee over the picture selects what it meets there; React Flow knows only of nodes that are in the page. */
export function useMarqueeInPicture(shown: RefObject<Picture | null>): void {
  const store = useStoreApi<AnyNode, FlowEdge>();
  useEffect(() => {
    let kept: ReadonlySet<string> | null = null;
    let before = store.getState().userSelectionRect;
    return store.subscribe((state) => {
      if (state.userSelectionRect === before) return;
      before = state.userSelectionRect;
      const marquee = marqueeOf(state);
      if (!marquee || !shown.current) {
        kept = null;
        return;
      }
      kept ??= state.multiSelectionActive ? useGraph.getState().selection.nodes : new Set();
      select({ nodes: new Set([...kept, ...nodesMeeting(shown.current, marquee)]), edges: new Set() });
    });
  }, [store, shown]);
}

/** Brings React Flow's changes of selection into the store. */
export function applySelection(changes: (NodeChange<AnyNode> | EdgeChange<FlowEdge>)[], of: "nodes" | "edges", marquee: Marquee | null = null): void {
  const { selection } = useGraph.getState();
  const ids = new Set(selection[of]);
  let changed = false;
  for (const change of changes) {
    if (change.type !== "select" || (change.selected && marquee && !mayTake(change.id, marquee))) continue;
    changed = true;
    if (change.selected) ids.add(change.id);
    else ids.delete(change.id);
  }
  if (changed) select({ ...selection, [of]: ids });
}

/** Whether a marquee means this node: a frame only where it goes all around it, since whoever selects in a frame begins inside it. */
function mayTake(id: string, marquee: Marquee): boolean {
  const node = here().body.nodes.find((other) => other.id === id);
  if (node?.type !== "frame") return true;
  const box = boxOf(node);
  return box.left >= marquee.left && box.top >= marquee.top && box.right <= marquee.right && box.bottom <= marquee.bottom;
}
