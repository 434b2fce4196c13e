import type { Point } from "./useStudio.ts";

const MARK = "drop-here";

/** The wire under a point of the screen, marked as the place where something would be dropped; every other mark goes. Null clears all. */
export function markWireAt(screen: Point | null): string | null {
  const wire = screen
    ? document
        .elementsFromPoint(screen.x, screen.y)
        .find((element) => element.closest(".react-flow__edge"))
        ?.closest(".react-flow__edge")
    : null;
  for (const marked of document.querySelectorAll(`.${MARK}`)) if (marked !== wire) marked.classList.remove(MARK);
  wire?.classList.add(MARK);
  return wire?.getAttribute("data-id") ?? null;
}

/** The node under a point of the screen. */
export function nodeAt(screen: Point): string | null {
  const node = document
    .elementsFromPoint(screen.x, screen.y)
    .find((element) => element.closest(".react-flow__node"))
    ?.closest(".react-flow__node");
  return node?.getAttribute("data-id") ?? null;
}
