import { type NodeChange, type OnNodeDrag, useStoreApi } from "@xyflow/react";
import { type RefObject, useCallback, useRef, useState } from "react";
import type { SnapLine } from "../../core/graph/arrange.ts";
import { carryInside } from "../../core/graph/furniture.ts";
import { detach, insertInto, isLoose, shakeTeller, snapDragged } from "./arranging.ts";
import { markWireAt } from "./dropTarget.ts";
import { here, moveNodes } from "./edits.ts";
import { type AnyNode, fromFlow } from "./flow.ts";
import { measured } from "./measured.ts";
import { carrySelection, type Picture } from "./overview.ts";
import { screenOf } from "./pointer.ts";
import { useGraph } from "./useGraph.ts";
import type { Point } from "./useStudio.ts";
import type { FlowEdge } from "./WireEdge.tsx";

type Drag = {
  /** Where the nodes that are being dragged are drawn; null while none is. */
  dragged: ReadonlyMap<string, Point> | null;
  /** What they line up with. */
  lines: readonly SnapLine[];
  /** Takes in where React Flow would have the nodes. */
  onMoves: (changes: NodeChange<AnyNode>[]) => void;
  onNodeDragStart: OnNodeDrag<AnyNode>;
  onNodeDrag: OnNodeDrag<AnyNode>;
  onNodeDragStop: OnNodeDrag<AnyNode>;
};

/** Nodes in hand: they snap to lines, take frames' contents and the rest of a selection along, leave their wires with Alt or a shake, and sit in a wire they are let go over. */
export function useDrag(shown: RefObject<Picture | null>): Drag {
  const store = useStoreApi<AnyNode, FlowEdge>();
  const [dragged, setDragged] = useState<ReadonlyMap<string, Point> | null>(null);
  const [lines, setLines] = useState<readonly SnapLine[]>([]);
  /** Where lines have drawn the nodes that are being dragged. */
  const snapped = useRef<ReadonlyMap<string, Point>>(new Map());
  const shaken = useRef(shakeTeller());
  const onMoves = useCallback(
    (changes: NodeChange<AnyNode>[]) => {
      const moves = changes.flatMap((change) =>
        change.type === "position" && change.dragging && change.position ? [[change.id, fromFlow(change.id, change.position)] as const] : [],
      );
      if (moves.length > 0) {
        const drawn = snapDragged(new Map(moves), store.getState().transform[2]);
        snapped.current = drawn.moves;
        setLines(drawn.lines);
        const all = shown.current ? carryAlong(drawn.moves) : drawn.moves;
        setDragged((before) => carryInside(here().body, new Map([...(before ?? []), ...all]), measured.sizeOf));
      }
    },
    [store, shown],
  );
  const onNodeDragStart: OnNodeDrag<AnyNode> = useCallback((event, node, moved) => {
    shaken.current = shakeTeller();
    // With Alt the node leaves its wires behind.
    if (event.altKey) detach(new Set(moved.length > 0 ? moved.map(({ id }) => id) : [node.id]));
  }, []);
  const onNodeDrag: OnNodeDrag<AnyNode> = useCallback((event, _, moved) => {
    const screen = screenOf(event);
    if (screen && shaken.current(screen.x, event.timeStamp)) detach(new Set(moved.map(({ id }) => id)));
    markWireAt(screen && moved.length === 1 && isLoose(moved[0]?.id ?? "") ? screen : null);
  }, []);
  const onNodeDragStop: OnNodeDrag<AnyNode> = useCallback(
    (event, _, moved) => {
      setDragged(null);
      setLines([]);
      const screen = screenOf(event);
      const [only] = moved;
      const wire = screen && only && moved.length === 1 && isLoose(only.id) ? markWireAt(screen) : null;
      markWireAt(null);
      if (wire !== null && only && insertInto(wire, only.id)) return;
      const places = new Map(moved.map((node) => [node.id, snapped.current.get(node.id) ?? fromFlow(node.id, node.position)]));
      moveNodes(shown.current ? carryAlong(places) : places);
    },
    [shown],
  );
  return { dragged, lines, onMoves, onNodeDragStart, onNodeDrag, onNodeDragStop };
}

/** Where the rest of the selection goes when one node of it is dragged. */
function carryAlong(moves: ReadonlyMap<string, Point>): ReadonlyMap<string, Point> {
  return carrySelection(moves, useGraph.getState().selection.nodes, new Map(here().body.nodes.map((node) => [node.id, node])));
}
