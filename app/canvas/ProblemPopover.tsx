"use client";

import { NodeToolbar, Position, useStore } from "@xyflow/react";
import { pathOf } from "../../core/graph/path.ts";
import { useChecked } from "./checked.ts";
import { ProblemNote } from "./ProblemNote.tsx";
import { useGraph } from "./useGraph.ts";
import { useStudio } from "./useStudio.ts";

/** Tells a node's first problem beside the node, on the side where there is room. Keeps its size whatever the zoom. */
export function ProblemPopover() {
  const id = useStudio((s) => s.problemAt);
  const scope = useGraph((s) => s.scope);
  const { problems } = useChecked();
  const path = id === null ? null : pathOf(scope, id);
  const problem = problems.find((p) => p.node === path) ?? problems.find((p) => path !== null && p.node?.startsWith(`${path}/`));
  const left = useStore((s) => {
    const node = id === null ? undefined : s.nodeLookup.get(id);
    return node ? node.internals.positionAbsolute.x * s.transform[2] + s.transform[0] > 290 : true;
  });
  if (id === null || !problem) return null;
  return (
    <NodeToolbar nodeId={id} isVisible position={left ? Position.Left : Position.Right} align="start" offset={14} className="z-10">
      <div className="appear w-[252px] rounded-lg bg-raise shadow-float">
        <ProblemNote problem={problem} tabFixes />
      </div>
    </NodeToolbar>
  );
}
