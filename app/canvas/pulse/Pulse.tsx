"use client";

import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import Link from "next/link";
import { useEffect } from "react";
import { pathOf } from "../../../core/graph/path.ts";
import { say } from "../../../core/language/say.ts";
import { glowOf, measures, sizesOf } from "../../../core/training/look.ts";
import { IconButton } from "../../ui/Button.tsx";
import { formatCount } from "../../ui/format.ts";
import { useTRPC } from "../../ui/trpc.ts";
import { useChecked } from "../checked.ts";
import { bodyAt, useGraph } from "../useGraph.ts";
import { GlowChoice, GlowLegend } from "./GlowChoice.tsx";
import { readShown, writeShown } from "./shown.ts";
import { usePulse } from "./usePulse.ts";

/** While a run of this model trains: how it stands, and by what of it the nodes glow. */
export default function Pulse({ modelId }: { modelId: string }) {
  useFollow(modelId);
  useGlow();
  const { run, look, shown } = usePulse();
  if (!run || !look) return null;
  const measure = measures.find(({ id }) => id === shown);
  return (
    <section aria-label={say("The run on the canvas")} className="flex min-h-[30px] flex-wrap items-center gap-x-2.5 gap-y-1 rounded-lg border border-line bg-panel px-2.5 py-px">
      <Link href={`/runs/${run.id}`} className="flex items-center gap-1.5 font-medium hover:underline">
        <span aria-hidden className={run.live ? "breathe size-1.5 rounded-full bg-accent" : "size-1.5 rounded-full bg-line2"} />
        {say("Run {number}", { number: run.number })}
      </Link>
      <span className="figures text-ink2">{run.live ? say("step {step}", { step: formatCount(look.step) }) : say("ended, step {step}", { step: formatCount(look.step) })}</span>
      <GlowChoice
        shown={shown}
        onShown={(next) => {
          writeShown(next);
          usePulse.setState({ shown: next });
        }}
      />
      {measure && <GlowLegend measure={measure} />}
      {!run.live && (
        <IconButton label={say("Put the run away")} onClick={() => usePulse.setState({ run: null, look: null })}>
          <X size={14} />
        </IconButton>
      )}
    </section>
  );
}

const LIVE_MS = 1_000;
const IDLE_MS = 8_000;

/** Asks for the model's run, often while there is one. */
function useFollow(modelId: string): void {
  const trpc = useTRPC();
  const { data } = useQuery(trpc.runs.pulse.queryOptions({ modelId }, { refetchInterval: ({ state }) => (state.data ? LIVE_MS : IDLE_MS) }));
  useEffect(() => {
    usePulse.setState({ run: null, look: null, shown: readShown(), glow: new Map(), sizes: {} });
    return () => usePulse.setState({ run: null, look: null, glow: new Map(), sizes: {} });
  }, []);
  useEffect(() => {
    if (data) usePulse.setState({ run: { id: data.runId, number: data.number, live: true }, look: data.look });
    else if (data === null) usePulse.setState(({ run }) => (run ? { run: { ...run, live: false } } : {}));
  }, [data]);
}

/** Works out the glow of the nodes of the open body, and the sizes of the last batch. */
function useGlow(): void {
  const look = usePulse((s) => s.look);
  const shown = usePulse((s) => s.shown);
  const graph = useGraph((s) => s.graph);
  const scope = useGraph((s) => s.scope);
  const checked = useChecked();
  useEffect(() => {
    const measure = measures.find(({ id }) => id === shown);
    const body = bodyAt(graph, scope);
    const ids = new Map(body.nodes.map(({ id }) => [pathOf(scope, id), id]));
    const glow = look && measure ? glowOf(look, [...ids.keys()], measure) : new Map();
    usePulse.setState({ glow: new Map([...glow].map(([path, one]) => [ids.get(path) ?? path, one])), sizes: look ? sizesOf(look, graph, checked) : {} });
  }, [look, shown, graph, scope, checked]);
}
