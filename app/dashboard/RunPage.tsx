"use client";

import { memo, useState } from "react";
import { evaluationTensors } from "../../core/export/evaluationTensors.ts";
import { say } from "../../core/language/say.ts";
import { heldRate } from "../../core/training/knobs.ts";
import { findSchedule } from "../../core/training/schedules/index.ts";
import { TryIt } from "../try/TryIt.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { Tabs } from "../ui/Tabs.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { ChartGrid } from "./ChartGrid.tsx";
import { Checkpoints } from "./Checkpoints.tsx";
import { DownloadOnnx, onnxObstacle } from "./DownloadOnnx.tsx";
import { ForecastTable } from "./ForecastTable.tsx";
import { FrozenGraph } from "./FrozenGraph.tsx";
import { FrozenSettings } from "./FrozenSettings.tsx";
import { Histograms } from "./Histograms.tsx";
import { KeyFigures } from "./KeyFigures.tsx";
import { Knobs } from "./Knobs.tsx";
import { LayerNumbers } from "./LayerNumbers.tsx";
import { Lineage } from "./Lineage.tsx";
import type { MetricStore } from "./metricStore.ts";
import { ReadingNote } from "./ReadingNote.tsx";
import { RunHeader, useFork, useOpenCheckpoint } from "./RunHeader.tsx";
import { RunLog } from "./RunLog.tsx";
import { RunNotice } from "./RunNotice.tsx";
import { RunTags } from "./RunTags.tsx";
import { canExplain, Explain } from "./results/Explain.tsx";
import { TaskResults } from "./results/index.tsx";
import { isActive, type Run, stepsPerEpoch } from "./run.ts";
import { usePageTitle } from "./usePageTitle.ts";
import { type Connection, useCalm, useRun } from "./useRun.ts";
import { DownloadNpz } from "./WeightFiles.tsx";

/** One run: how it stands, its curves, and what came of it. Everything on it follows the run live. */
export function RunPage({ runId }: { runId: string }) {
  const { run: query, store, connection, historyError } = useRun(runId);
  const run = query.data;
  const calm = useCalm(run);
  usePageTitle(run);
  return (
    <div className="flex min-h-dvh flex-col">
      <Top run={calm} />
      {query.error ? (
        <main className="mx-auto w-full max-w-2xl p-5">
          <Failing what={say("This run")} error={query.error} onRetry={() => void query.refetch()} />
        </main>
      ) : !run || !calm ? (
        <Skeleton />
      ) : (
        <div className="flex flex-1 flex-col lg:grid lg:grid-cols-[minmax(0,1fr)_330px]">
          <main className="min-w-0 space-y-3 p-3 md:p-5">
            <Head run={calm} connection={connection} />
            <KeyFigures run={run} />
            <Knobs run={run} />
            {historyError !== null && <Failing what={say("The history of the curves")} error={historyError} />}
            <ChartGrid
              runId={run.id}
              project={run.project}
              elapsedMs={isActive(run.status) ? null : run.elapsedMs}
              store={store}
              status={run.status}
              totalSteps={run.totalSteps}
              stepsPerEpoch={stepsPerEpoch(run)}
              rate={rateOf(run)}
              task={run.dataset.task}
              events={run.marks}
              bestStep={run.checkpoints.find(({ isBest }) => isBest)?.step ?? null}
            />
            <Inside run={calm} />
          </main>
          <aside aria-label={say("Results")} className="border-line bg-panel max-lg:border-t lg:sticky lg:top-12 lg:h-[calc(100dvh-48px)] lg:border-l">
            <Side run={calm} store={store} />
          </aside>
        </div>
      )}
    </div>
  );
}

// What does not show the figures that grow at every step is drawn when something else changes.
const Top = memo(function Top({ run }: { run: Run | undefined }) {
  return (
    <TopBar
      place={
        run
          ? [{ label: run.project.name, href: "/" }, { label: run.modelName, href: `/models/${run.modelId}` }, { label: say("Run {number}", { number: run.number }) }]
          : [{ label: say("Run") }]
      }
      modelId={run?.modelId}
      room="runs"
      actions={run && <DownloadOnnx run={run} />}
    />
  );
});

const Head = memo(function Head({ run, connection }: { run: Run; connection: Connection }) {
  return (
    <>
      <RunHeader run={run} connection={connection} />
      <RunTags run={run} />
      <RunNotice run={run} />
    </>
  );
});

const Inside = memo(Histograms);

const Side = memo(function Side({ run, store }: { run: Run; store: MetricStore }) {
  const [tab, setTab] = useState("results");
  const canTry = onnxObstacle(run) === null;
  const tabs = [
    { id: "results", title: say("Results"), content: <Results run={run} store={store} /> },
    { id: "graph", title: say("Graph"), content: <GraphTab run={run} /> },
    { id: "log", title: say("Log"), content: <RunLog runId={run.id} /> },
    { id: "settings", title: say("Settings"), content: <FrozenSettings run={run} /> },
    ...(canTry ? [{ id: "try", title: say("Try it"), content: <TryIt run={run} /> }] : []),
  ];
  return (
    <Tabs
      label={say("About this run")}
      className="lg:h-full"
      value={tab}
      onValue={setTab}
      tabs={tabs.map(({ content, ...rest }) => ({ ...rest, content: <div className="p-3.5">{content}</div> }))}
    />
  );
});

function GraphTab({ run }: { run: Run }) {
  return (
    <div className="space-y-4">
      <FrozenGraph graph={run.graph} runId={run.id} fault={run.failure?.node} look={run.look} />
      {run.checkpoints.length > 0 && (
        <section className="border-t border-line pt-3">
          <h3 className="section-name pb-1">{say("A layer's numbers, for NumPy")}</h3>
          <LayerNumbers run={run} />
        </section>
      )}
    </div>
  );
}

/** What the learning rate follows: its schedule, or the person who holds it. */
function rateOf({ knobs, settings }: Run): string {
  return heldRate(knobs) === null ? findSchedule(settings.schedule).title.toLowerCase() : say("held by hand");
}

function Results({ run, store }: { run: Run; store: MetricStore }) {
  const { forkFrom, forking } = useFork(run.id);
  const { openModel, opening } = useOpenCheckpoint(run.id);
  const nothingYet = !run.evaluation && run.checkpoints.length === 0;
  return (
    <div className="space-y-4">
      <ReadingNote run={run} store={store} />
      {nothingYet && (
        <p className="text-ink2">
          {isActive(run.status)
            ? say("After the first epoch, what the network gets right and wrong on validation rows stands here.")
            : say("This run ended before its first evaluation.")}
        </p>
      )}
      <TaskResults run={run} />
      {run.evaluation && canExplain(run) && <Explain key={run.id} run={run} />}
      <ForecastTable run={run} />
      {run.evaluation && (run.evaluation.samples.length > 0 || run.evaluation.confusion) && <TakeEvaluation run={run} evaluation={run.evaluation} />}
      <Lineage runId={run.id} />
      <Checkpoints checkpoints={run.checkpoints} onFork={forkFrom} forking={forking} onOpen={openModel} opening={opening} />
    </div>
  );
}

/** The figures behind the panels above, as arrays. */
function TakeEvaluation({ run, evaluation }: { run: Run; evaluation: NonNullable<Run["evaluation"]> }) {
  return (
    <p className="flex items-center justify-between gap-3 text-ink2">
      <span>{say("These results for NumPy")}</span>
      <DownloadNpz
        fileName={`run-${run.number}-epoch-${evaluation.epoch}.npz`}
        label={say("Download the results as npz")}
        make={() => evaluationTensors(evaluation, run.dataset.classes.length > 0)}
      />
    </p>
  );
}

/** The page's outline while the run is on its way. */
function Skeleton() {
  return (
    <div className="flex flex-1 flex-col lg:grid lg:grid-cols-[minmax(0,1fr)_330px]">
      <main className="space-y-3 p-3 md:p-5">
        <Loading label={say("Loading the run")} className="h-8 w-80 max-w-full" />
        <Loading label={say("Loading figures")} className="h-[70px]" />
        <div className="grid gap-2.5 pt-9 md:grid-cols-2">
          {["loss", "accuracy", say("learning rate"), "speed"].map((name) => (
            <Loading key={name} label={say("Loading {name}", { name })} className="h-[238px]" />
          ))}
        </div>
      </main>
      <aside className="space-y-3 border-line bg-panel p-3.5 max-lg:hidden lg:border-l">
        <Loading label={say("Loading results")} className="mt-10 h-20" />
        <Loading label={say("Loading the confusion matrix")} className="h-72" />
      </aside>
    </div>
  );
}
