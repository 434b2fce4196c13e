import { type NodePath, pathOf, splitPath } from "../../core/graph/path.ts";
import { goTo, useGraph } from "./useGraph.ts";
import { useStudio } from "./useStudio.ts";

/** Opens the zones around a node, selects it and brings it into view. False where the drawing has no such node (any more). */
export function showNode(path: NodePath): boolean {
  const { steps, id } = splitPath(path);
  const isOpen = pathOf(useGraph.getState().scope, id) === path;
  goTo(steps, { nodes: new Set([id]), edges: new Set() });
  // Another body opens at what is selected in it.
  if (isOpen) useStudio.getState().canvas?.reveal(id);
  const { scope, selection } = useGraph.getState();
  return pathOf(scope, id) === path && selection.nodes.has(id);
}
