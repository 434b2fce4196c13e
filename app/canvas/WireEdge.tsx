"use client";

import { BaseEdge, type Edge, type EdgeProps, getSmoothStepPath } from "@xyflow/react";
import { memo } from "react";
import type { EdgeView } from "./view.ts";

export type FlowEdge = Edge<EdgeView, "wire">;

/** A wire with its shape beside the end it leads to, where no other wire's label can stand. */
export const WireEdge = memo(function WireEdge({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, data, selected }: EdgeProps<FlowEdge>) {
  const straight = Math.abs(sourceX - targetX) < 1 && targetY > sourceY;
  const path = straight
    ? `M${sourceX} ${sourceY}L${targetX} ${targetY}`
    : getSmoothStepPath({ sourceX, sourceY, sourcePosition, targetX, targetY, targetPosition, borderRadius: 10, offset: 16 })[0];
  return (
    <g className="wire" data-bad={data?.bad || undefined} data-selected={selected || undefined}>
      <BaseEdge path={path} interactionWidth={18} />
      {data && data.shape !== "" && (
        <text x={targetX + 10} y={targetY - 14} className="wire-label">
          {data.shape}
          {data.dtype !== "float32" && <tspan className="wire-dtype"> {data.dtype}</tspan>}
        </text>
      )}
    </g>
  );
});
