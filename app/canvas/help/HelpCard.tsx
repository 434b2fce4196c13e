"use client";

import { NodeToolbar, Position, useStore } from "@xyflow/react";
import { X } from "lucide-react";
import { pathOf } from "../../../core/graph/path.ts";
import { findLayer } from "../../../core/layers/index.ts";
import { IconButton } from "../../ui/Button.tsx";
import { useChecked } from "../checked.ts";
import { bodyAt, useGraph } from "../useGraph.ts";
import { useStudio } from "../useStudio.ts";
import { LayerHelp } from "./LayerHelp.tsx";

/** Help on the layer of a node, beside the node. The Help tab holds the whole page. */
export function HelpCard() {
  const id = useStudio((s) => s.helpAt);
  const graph = useGraph((s) => s.graph);
  const scope = useGraph((s) => s.scope);
  const { types } = useChecked();
  const node = id === null ? undefined : bodyAt(graph, scope).nodes.find((other) => other.id === id);
  const layer = node && findLayer(node.type);
  const toRight = useStore((s) => {
    const drawn = id === null ? undefined : s.nodeLookup.get(id);
    if (!drawn) return true;
    const right = (drawn.internals.positionAbsolute.x + (drawn.measured.width ?? 184)) * s.transform[2] + s.transform[0];
    return right + 330 < s.width;
  });
  if (!node || !layer) return null;
  const close = () => useStudio.setState({ helpAt: null });
  return (
    <NodeToolbar nodeId={node.id} isVisible position={toRight ? Position.Right : Position.Left} align="start" offset={14} className="z-20">
      <div
        role="dialog"
        aria-label={`About ${layer.title}`}
        className="appear nowheel max-h-[60dvh] w-[308px] overflow-y-auto rounded-xl border border-line2 bg-panel px-4 py-3 shadow-float"
      >
        <div className="flex items-center justify-between pb-1">
          <h2 className="text-lg font-semibold">{layer.title}</h2>
          <IconButton label="Close help" className="-mr-2" onClick={close}>
            <X size={15} />
          </IconButton>
        </div>
        <LayerHelp layer={layer} node={node} types={types.get(pathOf(scope, node.id))} brief />
        <button
          type="button"
          className="mt-2.5 block text-accent hover:underline"
          onClick={() => {
            close();
            useStudio.setState({ panel: "inspect", tab: "help", sheet: "panel" });
          }}
        >
          All about {layer.title}
        </button>
      </div>
    </NodeToolbar>
  );
}
