"use client";

import { ViewportPortal } from "@xyflow/react";
import { useMemo } from "react";
import { diffGraphs } from "../../core/graph/diff.ts";
import type { Node } from "../../core/graph/document.ts";
import { isFurniture } from "../../core/graph/furniture.ts";
import { pathOf } from "../../core/graph/path.ts";
import { say } from "../../core/language/say.ts";
import { measured } from "./measured.ts";
import { titleOf } from "./names.ts";
import { bodyAt, useGraph } from "./useGraph.ts";
import { useStudio } from "./useStudio.ts";

const LOOK = {
  added: { color: "var(--accent)", word: say("added") },
  changed: { color: "var(--warn)", word: say("changed") },
  removed: { color: "var(--bad)", word: say("removed") },
} as const;

/** Draws what a comparison found on the canvas: frames round nodes that are new or differ, and those that are gone where they stood. */
export default function CompareMarks() {
  const compare = useStudio((s) => s.compare);
  const graph = useGraph((s) => s.graph);
  const scope = useGraph((s) => s.scope);
  const marks = useMemo(() => {
    if (!compare) return [];
    const found: { node: Node; state: keyof typeof LOOK }[] = [];
    const isHere = (path: string) => pathOf(scope, path.slice(path.lastIndexOf("/") + 1)) === path;
    const placed = new Map(bodyAt(graph, scope).nodes.map((node) => [node.id, node]));
    for (const one of diffGraphs(compare.graph, graph).nodes) {
      if (one.state === "same") continue;
      const node = one.state === "removed" ? one.before : placed.get(one.after.id);
      const path = one.state === "removed" ? one.beforePath : one.afterPath;
      if (node && !isFurniture(node) && isHere(path)) found.push({ node, state: one.state });
    }
    return found;
  }, [compare, graph, scope]);
  if (marks.length === 0) return null;
  return (
    <ViewportPortal>
      {marks.map(({ node, state }) => {
        const { x, y } = measured.cornerOf(node);
        const { width, height } = measured.sizeOf(node);
        const { color, word } = LOOK[state];
        const isGone = state === "removed";
        return (
          <div
            key={`${state} ${node.id}`}
            data-diff={state}
            className="pointer-events-none absolute rounded-lg border-2"
            style={{
              borderColor: color,
              borderStyle: isGone ? "dashed" : "solid",
              background: isGone ? "var(--bad-soft)" : undefined,
              opacity: isGone ? 0.8 : 1,
              width: width + 8,
              height: height + 8,
              transform: `translate(${x - 4}px, ${y - 4}px)`,
            }}
          >
            {isGone && <span className="block truncate px-3 py-2 text-ink2">{titleOf(node, compare?.graph.definitions)}</span>}
            <span className="absolute -top-2.5 left-2 rounded px-1 text-bg text-xs" style={{ background: color }}>
              {word}
            </span>
          </div>
        );
      })}
    </ViewportPortal>
  );
}
