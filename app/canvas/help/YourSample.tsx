"use client";

import { ArrowRight } from "lucide-react";
import type { Node } from "../../../core/graph/document.ts";
import { pathOf } from "../../../core/graph/path.ts";
import { say } from "../../../core/language/say.ts";
import type { Picture } from "../../../core/preview/picture.ts";
import { useNames } from "../preview/NodePreview.tsx";
import { usePreview } from "../preview/usePreview.ts";
import { ValueView } from "../preview/ValueView.tsx";
import { bodyAt, useGraph } from "../useGraph.ts";

type Flow = { before: Picture | undefined; after: Picture | undefined };

/** What of the chosen sample arrives at a node's first wire, and what it gives. */
export function useSample(node: Node | undefined): Flow | null {
  const scope = useGraph((s) => s.scope);
  const wire = useGraph((s) => bodyAt(s.graph, s.scope).edges.find(({ to }) => to.node === node?.id)?.from);
  const before = usePreview((s) => (wire ? s.values.get(pathOf(scope, wire.node))?.find(({ port }) => port === wire.port)?.small : undefined));
  const after = usePreview((s) => (node ? s.values.get(pathOf(scope, node.id))?.[0]?.small : undefined));
  return before || after ? { before, after } : null;
}

/** The chosen sample before and behind the layer. */
export function YourSample({ flow }: { flow: Flow | null }) {
  const names = useNames();
  if (!flow) return null;
  return (
    <section aria-label={say("Your sample")} className="rounded-md border border-line bg-bg px-2 py-1.5">
      <h3 className="section-name pb-1">{say("Your sample")}</h3>
      <div className="flex items-center justify-between gap-2">
        {flow.before ? <ValueView picture={flow.before} names={names} size="small" label={say("What comes in")} /> : <span className="text-ink3">{say("nothing")}</span>}
        <ArrowRight size={14} aria-hidden className="shrink-0 text-ink3" />
        {flow.after ? <ValueView picture={flow.after} names={names} size="small" label={say("What goes out")} /> : <span className="text-ink3">{say("nothing")}</span>}
      </div>
    </section>
  );
}
