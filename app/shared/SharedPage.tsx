"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { say } from "../../core/language/say.ts";
import { isOfMachine } from "../../core/runs/machine.ts";
import { InLink } from "../account/Door.tsx";
import { GraphDrawing } from "../canvas/GraphDrawing.tsx";
import { MetricChart, type StepRange } from "../dashboard/MetricChart.tsx";
import { RunBadge } from "../dashboard/RunBadge.tsx";
import { bucketsOf, metricName, metricTitle, unitOf } from "../dashboard/run.ts";
import { lastStep, seriesOf } from "../dashboard/series.ts";
import { Button } from "../ui/Button.tsx";
import { formatCount, formatDuration, formatMetric, formatPercent } from "../ui/format.ts";
import { Logo } from "../ui/Logo.tsx";
import { notify } from "../ui/Notices.tsx";
import { Line, Panel } from "../ui/Panel.tsx";
import { Say } from "../ui/Say.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { type Answers, useTRPC } from "../ui/trpc.ts";

type Shown = Answers["shares"]["open"];

/** What a link shows to whoever holds it. Nothing here can be changed. */
export function SharedPage({ secret }: { secret: string }) {
  const trpc = useTRPC();
  const shown = useQuery(trpc.shares.open.queryOptions({ secret }));
  const doors = useQuery(trpc.account.doors.queryOptions());
  const fork = useMutation(
    trpc.shares.fork.mutationOptions({ onSuccess: ({ modelId }) => window.location.assign(`/models/${modelId}`), onError: (error) => notify(error.message, { tone: "bad" }) }),
  );
  return (
    <main className="mx-auto max-w-5xl space-y-4 px-4 py-6">
      <header className="flex items-center gap-3">
        <Logo />
        <span className="text-ink2">{say("shared by link")}</span>
      </header>
      {shown.isPending && <Loading label={say("Loading what is shared")} className="h-80" />}
      {shown.isError && <Failing what={say("What this link shows")} error={shown.error} onRetry={() => void shown.refetch()} />}
      {shown.data && (
        <>
          <div className="flex flex-wrap items-center gap-3">
            <h1 className="min-w-0 flex-1 truncate text-title font-semibold">
              {shown.data.name}
              {shown.data.kind !== "model" && <span className="text-ink2"> · {say("run {number}", { number: shown.data.number })}</span>}
            </h1>
            {shown.data.mayFork &&
              (doors.data?.signedIn ? (
                <Button kind="primary" disabled={fork.isPending} onClick={() => fork.mutate({ secret })}>
                  {say("Take a copy")}
                </Button>
              ) : (
                <span className="text-ink2">
                  <Say text="<link>Sign in</link> to take a copy." with={{ link: <InLink href="/sign-in" /> }} />
                </span>
              ))}
          </div>
          {shown.data.kind !== "chart" && (
            <Panel title={shown.data.kind === "model" ? say("The model as it is now") : say("What was trained")}>
              <div className="h-56 px-3.5 pb-3.5">
                <GraphDrawing graph={shown.data.graph} label={say("Drawing of {name}", { name: shown.data.name })} width={900} height={210} />
              </div>
            </Panel>
          )}
          {shown.data.kind === "run" && <Figures run={shown.data} />}
          {shown.data.kind !== "model" && <Curves run={shown.data} />}
        </>
      )}
    </main>
  );
}

function Figures({ run }: { run: Extract<Shown, { kind: "run" }> }) {
  return (
    <Panel title={say("Figures")}>
      <dl className="grid gap-x-8 px-3.5 pb-3 sm:grid-cols-2">
        <Line name={say("State")} plain>
          <RunBadge status={run.status} />
        </Line>
        <Line name={say("Data")} plain>
          {run.datasetName}
        </Line>
        <Line name={say("Steps")}>{say("{step} of {totalSteps}", { step: formatCount(run.step), totalSteps: formatCount(run.totalSteps) })}</Line>
        <Line name={say("Time")}>{formatDuration(run.elapsedMs)}</Line>
        {Object.entries(run.summary)
          .filter(([key]) => !isOfMachine(key))
          .map(([key, { last }]) => (
            <Line key={key} name={metricTitle(key)}>
              {unitOf(key) === "share" ? formatPercent(last) : formatMetric(last)}
            </Line>
          ))}
      </dl>
    </Panel>
  );
}

function Curves({ run }: { run: Extract<Shown, { kind: "run" | "chart" }> }) {
  const [zoom, setZoom] = useState<StepRange | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const series = new Map(run.series.filter(({ key }) => !isOfMachine(key)).map(({ key, points }) => [key, seriesOf(bucketsOf(points))]));
  const last = Math.max(10, ...[...series.values()].map(lastStep));
  const names = [...new Set([...series.keys()].map((key) => key.slice(key.indexOf("/") + 1)))].sort((a, b) => (a === "loss" ? -1 : b === "loss" ? 1 : a.localeCompare(b)));
  return (
    <section aria-label={say("Charts")} className="grid gap-3 md:grid-cols-2">
      {names.map((name) => (
        <MetricChart
          key={name}
          title={metricName(name)}
          unit={unitOf(name)}
          curves={[["train", `train/${name}`, "series-1"] as const, ["validation", `validation/${name}`, "series-2"] as const, ["", name, "series-1"] as const].flatMap(
            ([label, key, color]) => {
              const found = series.get(key);
              return found ? [{ name: label, color, series: found, noisy: label === "train" }] : [];
            },
          )}
          range={zoom ?? [0, last]}
          emptyWords={say("No points yet")}
          smoothing={0}
          hover={hover}
          onHover={setHover}
          onZoom={setZoom}
          onReset={() => setZoom(null)}
        />
      ))}
    </section>
  );
}
