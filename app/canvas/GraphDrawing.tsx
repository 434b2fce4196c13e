"use client";

import { memo } from "react";
import type { Graph } from "../../core/graph/document.ts";
import { withoutFurniture } from "../../core/graph/furniture.ts";
import { findLayer } from "../../core/layers/index.ts";
import { categoryColor } from "./categories.ts";
import { checked } from "./checked.ts";
import { drawSilhouette } from "./silhouette.ts";

/** A small drawing of a whole graph, made from the graph itself: slabs as large as what each node gives, in its category's colour. */
export const GraphDrawing = memo(function GraphDrawing({ graph, label, width = 320, height = 96 }: { graph: Graph; label: string; width?: number; height?: number }) {
  const { types } = checked(graph);
  const { slabs, wires } = drawSilhouette(withoutFurniture(graph), (id) => Object.values(types.get(id)?.outputs ?? types.get(id)?.inputs ?? {}).flat()[0]?.shape ?? null, {
    width,
    height,
  });
  const categories = new Map(graph.nodes.map((node) => [node.id, findLayer(node.type)?.category ?? null]));
  return (
    <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} className="block h-full w-full">
      {wires.map((wire) => (
        <path key={wire.id} d={wire.path} fill="none" stroke={wire.skip ? "var(--ink3)" : "var(--line2)"} strokeWidth={1} />
      ))}
      {slabs.map((slab) => (
        <rect key={slab.id} x={slab.x} y={slab.y} width={slab.width} height={slab.height} rx={1} fill={categoryColor(categories.get(slab.id) ?? null)} />
      ))}
    </svg>
  );
});
