import { Position } from "@xyflow/react";
import { useMemo, useRef } from "react";
import type { Node } from "../../core/graph/document.ts";
import { isFurniture } from "../../core/graph/furniture.ts";
import { NODE_SIZE } from "../../core/graph/layout.ts";
import { here } from "./edits.ts";
import type { FlowFurniture } from "./Furniture.tsx";
import type { FlowNode } from "./LayerNode.tsx";
import { measured } from "./measured.ts";
import type { Point } from "./useStudio.ts";
import type { EdgeView, FurnitureView, NodeView } from "./view.ts";
import type { FlowEdge } from "./WireEdge.tsx";

export type AnyNode = FlowNode | FlowFurniture;

const { width: WIDTH, height: HEIGHT } = NODE_SIZE;
/** Of a port, by canvas.css. */
const PORT = 8;
/** What is selected is raised by 1,000, and a frame stays behind even then. */
const BEHIND = -2000;

/** A node's place in the document is the left corner of a plain node; React Flow is told the middle. Notes and frames stand by their corner. */
const toFlow = ({ x, y }: Point): Point => ({ x: x + WIDTH / 2, y });
export const fromFlow = (id: string, { x, y }: Point): Point => {
  const node = here().body.nodes.find((other) => other.id === id);
  return { x: Math.round(node && isFurniture(node) ? x : x - WIDTH / 2), y: Math.round(y) };
};

/** The same node at another place of the document. */
export function moveTo(node: AnyNode, at: Point | undefined): AnyNode {
  return at ? { ...node, position: node.type === "layer" ? toFlow(at) : at } : node;
}

/** Where the ports of a node are, as the style sheet places them. */
function handlesOf(view: NodeView, size: { width: number; height: number }): NonNullable<AnyNode["handles"]> {
  const side = (ports: NodeView["inputs"], type: "source" | "target") =>
    ports.map(({ id }, i) => ({
      id,
      type,
      position: type === "target" ? Position.Top : Position.Bottom,
      x: ((i + 0.5) / ports.length) * size.width - PORT / 2,
      y: (type === "target" ? 0 : size.height) - PORT / 2,
      width: PORT,
      height: PORT,
    }));
  return [...side(view.inputs, "target"), ...side(view.outputs, "source")];
}

/** The nodes as React Flow wants them; what did not change stays the same object. `isLarge`: sizes and ports are said, not measured. */
export function useFlowNodes(
  views: readonly NodeView[],
  furniture: readonly FurnitureView[],
  places: readonly Node[],
  selected: ReadonlySet<string>,
  sizes: number,
  isLarge: boolean,
): AnyNode[] {
  const before = useRef(new Map<string, AnyNode>());
  return useMemo(() => {
    void sizes;
    const placed = new Map(places.map((node) => [node.id, node]));
    const next = new Map<string, AnyNode>();
    for (const view of furniture) {
      const old = before.current.get(view.id);
      const position = placed.get(view.id)?.at ?? { x: 0, y: 0 };
      const size = measured.get(view.id);
      const isSelected = selected.has(view.id);
      const same = old && old.data === view && old.position === position && old.selected === isSelected && old.measured === size;
      next.set(
        view.id,
        same
          ? old
          : {
              id: view.id,
              type: view.type,
              position,
              data: view,
              selected: isSelected,
              measured: size,
              origin: [0, 0],
              initialWidth: view.width,
              initialHeight: view.height,
              ariaLabel: view.label,
              // A frame lies behind wires and nodes, and only its title and grip can be taken.
              ...(view.type === "frame" ? { zIndex: BEHIND, style: { pointerEvents: "none" } } : {}),
            },
      );
    }
    for (const view of views) {
      const old = before.current.get(view.id);
      const node = placed.get(view.id);
      const position = toFlow(node?.at ?? { x: 0, y: 0 });
      const known = measured.get(view.id);
      // What is not said is measured, and for that React Flow would draw all of a large body once.
      const size = known ?? (isLarge && node ? measured.sizeOf(node) : undefined);
      const isSelected = selected.has(view.id);
      const same = old && old.data === view && old.position.x === position.x && old.position.y === position.y && old.selected === isSelected && old.measured?.width === size?.width && old.measured?.height === size?.height; // biome-ignore format: one line
      next.set(
        view.id,
        same
          ? old
          : {
              id: view.id,
              type: "layer",
              position,
              data: view,
              selected: isSelected,
              measured: size,
              initialWidth: WIDTH,
              initialHeight: HEIGHT,
              ariaLabel: view.label,
              ...(isLarge && size ? { handles: handlesOf(view, size) } : {}),
            },
      );
    }
    before.current = next;
    return [...next.values()];
  }, [views, furniture, places, selected, sizes, isLarge]);
}

/** The wires as React Flow wants them. */
export function useFlowEdges(views: readonly EdgeView[], selected: ReadonlySet<string>): FlowEdge[] {
  const before = useRef(new Map<string, FlowEdge>());
  return useMemo(() => {
    const next = new Map<string, FlowEdge>();
    for (const view of views) {
      const old = before.current.get(view.id);
      const isSelected = selected.has(view.id);
      const same = old && old.data === view && old.selected === isSelected;
      next.set(
        view.id,
        same
          ? old
          : {
              id: view.id,
              type: "wire",
              source: view.from,
              sourceHandle: view.fromPort,
              target: view.to,
              targetHandle: view.toPort,
              data: view,
              selected: isSelected,
              ariaLabel: view.label,
            },
      );
    }
    before.current = next;
    return [...next.values()];
  }, [views, selected]);
}
