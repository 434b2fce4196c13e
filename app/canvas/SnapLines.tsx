"use client";

import { ViewportPortal } from "@xyflow/react";
import type { SnapLine } from "../../core/graph/arrange.ts";

/** The lines on which a dragged node stands with others. */
export function SnapLines({ lines }: { lines: readonly SnapLine[] }) {
  if (lines.length === 0) return null;
  return (
    <ViewportPortal>
      {lines.map(({ axis, at, from, to }) => (
        <div
          key={`${axis}${at}`}
          aria-hidden
          className="snap-line pointer-events-none absolute bg-accent"
          style={
            axis === "x" ? { width: 1, height: to - from, transform: `translate(${at}px, ${from}px)` } : { height: 1, width: to - from, transform: `translate(${from}px, ${at}px)` }
          }
        />
      ))}
    </ViewportPortal>
  );
}
