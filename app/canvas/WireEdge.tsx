"use client";

import { BaseEdge, type Edge, type EdgeProps, getSmoothStepPath } from "@xyflow/react";
import { memo } from "react";
import { pathOf } from "../../core/graph/path.ts";
import { usePreview } from "./preview/usePreview.ts";
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
  const real = useRealShape(source, sourceHandleId ?? "");
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

/** The shape with the sizes that the previewed sample really has; null where none is shown. */
function useRealShape(node: string, port: string): string | null {
  const scope = useGraph((s) => s.scope);
  return usePreview((s) =>
    s.on
      ? (s.values
          .get(pathOf(scope, node))
          ?.find((value) => value.port === port)
          ?.small?.shape.join("×") ?? null)
      : null,
  );
}
