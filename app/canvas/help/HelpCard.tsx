"use client";

import { useStore } from "@xyflow/react";
import { X } from "lucide-react";
import { pathOf } from "../../../core/graph/path.ts";
import { say } from "../../../core/language/say.ts";
import { findLayer } from "../../../core/layers/index.ts";
import { IconButton } from "../../ui/Button.tsx";
import { useChecked } from "../checked.ts";
import { bodyAt, useGraph } from "../useGraph.ts";
import { useStudio } from "../useStudio.ts";
import { LayerHelp } from "./LayerHelp.tsx";
import { useSample, YourSample } from "./YourSample.tsx";

const WIDTH = 308;
const GAP = 14;

/** Help on the layer of a node, beside the node and wholly in view. The Help tab holds the whole page. */
export default function HelpCard() {
  const id = useStudio((s) => s.helpAt);
  const drawer = useStudio((s) => s.drawer);
  const graph = useGraph((s) => s.graph);
  const scope = useGraph((s) => s.scope);
  const { types } = useChecked();
  const node = id === null ? undefined : bodyAt(graph, scope).nodes.find((other) => other.id === id);
  const layer = node && findLayer(node.type);
  const left = useStore((s) => {
    const drawn = id === null ? undefined : s.nodeLookup.get(id);
    if (!drawn) return GAP;
    const start = drawn.internals.positionAbsolute.x * s.transform[2] + s.transform[0];
    const end = start + (drawn.measured.width ?? 184) * s.transform[2];
    const wanted = end + GAP + WIDTH < s.width || start < WIDTH + GAP ? end + GAP : start - GAP - WIDTH;
    return Math.round(Math.max(8, Math.min(s.width - WIDTH - 8, wanted)));
  });
  const top = useStore((s) => {
    const drawn = id === null ? undefined : s.nodeLookup.get(id);
    return drawn ? Math.round(Math.max(0, drawn.internals.positionAbsolute.y * s.transform[2] + s.transform[1] - 12)) : 0;
  });
  const flow = useSample(node);
  if (!node || !layer) return null;
  const below = drawer ? (document.getElementById("before-you-train")?.offsetHeight ?? 0) : 0;
  const close = () => useStudio.setState({ helpAt: null });
  return (
    // The space above gives way where the card would not fit below it.
    <div className="pointer-events-none absolute top-3 z-20 flex flex-col" style={{ left, bottom: below + 24 }}>
      <div className="min-h-0" style={{ flex: `0 1 ${top}px` }} />
      <div
        role="dialog"
        aria-label={say("About {title}", { title: layer.title })}
        className="appear nowheel pointer-events-auto max-h-full shrink-0 overflow-y-auto rounded-xl border border-line2 bg-panel px-4 py-3 shadow-float"
        style={{ width: WIDTH }}
      >
        <div className="flex items-center justify-between pb-1">
          <h2 className="text-lg font-semibold">{layer.title}</h2>
          <IconButton label={say("Close help")} className="-mr-2" onClick={close}>
            <X size={15} />
          </IconButton>
        </div>
        <LayerHelp layer={layer} node={node} types={types.get(pathOf(scope, node.id))} brief spread={flow?.before}>
          <YourSample flow={flow} />
        </LayerHelp>
        <button
          type="button"
          className="mt-2.5 block text-accent hover:underline"
          onClick={() => {
            close();
            useStudio.setState({ panel: "inspect", tab: "help", sheet: "panel" });
          }}
        >
          {say("All about {title}", { title: layer.title })}
        </button>
      </div>
    </div>
  );
}
