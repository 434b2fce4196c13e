"use client";

import { BaseEdge, type Edge, type EdgeProps, getSmoothStepPath } from "@xyflow/react";
import { memo } from "react";
import { bind } from "../../core/graph/dims.ts";
import { pathOf } from "../../core/graph/path.ts";
import { usePreview } from "./preview/usePreview.ts";
import { usePulse } from "./pulse/usePulse.ts";
import { useGraph } from "./useGraph.ts";
import type { EdgeView } from "./view.ts";

export type FlowEdge = Edge<EdgeView, "wire">;

/** A wire with its shape beside the end it leads to, where no other wire's label can stand. */
export const WireEdge = memo(function WireEdge({
  sourceX,
  sourceY,
  targetX,
  targetY,
  source,
  sourceHandleId,
  sourcePosition,
  targetPosition,
  data,
  selected,
}: EdgeProps<FlowEdge>) {
  const real = useRealShape(source, sourceHandleId ?? "", data?.shape ?? "");
  const straight = Math.abs(sourceX - targetX) < 1 && targetY > sourceY;
  const path = straight
    ? `M${sourceX} ${sourceY}L${targetX} ${targetY}`
    : getSmoothStepPath({ sourceX, sourceY, sourcePosition, targetX, targetY, targetPosition, borderRadius: 10, offset: 16 })[0];
  return (
    <g className="wire" data-bad={data?.bad || undefined} data-selected={selected || undefined}>
      <BaseEdge path={path} interactionWidth={18} />
      {data && data.shape !== "" && (
        <text x={targetX + 10} y={targetY - 14} className="wire-label">
          {real ?? data.shape}
          {data.dtype !== "float32" && <tspan className="wire-dtype"> {data.dtype}</tspan>}
        </text>
      )}
    </g>
  );
});

/** The shape with the sizes that the previewed sample really has, or the last batch of a run that trains; null where neither is there. */
function useRealShape(node: string, port: string, shape: string): string | null {
  const scope = useGraph((s) => s.scope);
  const inBatch = usePulse((s) => (Object.keys(s.sizes).length > 0 ? bindShape(shape, s.sizes) : null));
  const previewed = usePreview((s) =>
    s.on
      ? (s.values
          .get(pathOf(scope, node))
          ?.find((value) => value.port === port)
          ?.small?.shape.join("×") ?? null)
      : null,
  );
  return previewed ?? inBatch;
}

/** The batch keeps its letter: it is the size that everybody expects to be any. */
function bindShape(shape: string, sizes: { readonly [symbol: string]: number }): string {
  return shape
    .split("×")
    .map((dim) => (dim === "B" || /^\d*$/.test(dim) ? dim : bind(dim, sizes)))
    .join("×");
}
