"use client";

import { useQuery } from "@tanstack/react-query";
import { useRouter, useSearchParams } from "next/navigation";
import { say } from "../../core/language/say.ts";
import { TryIt } from "../try/TryIt.tsx";
import { ButtonLink } from "../ui/Button.tsx";
import { Select } from "../ui/Field.tsx";
import { Panel } from "../ui/Panel.tsx";
import { Empty, Failing, Loading } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { onnxObstacle } from "./DownloadOnnx.tsx";
import { Exports } from "./Exports.tsx";
import { formatClock, formatFigure } from "./figures.ts";
import { mainMetric, metricTitle, type RunSummary, summaryOf, unitOf } from "./run.ts";
import { useRuns } from "./useRuns.ts";

/** What a model can be taken along as: the exports of its latest run that came to results, or of another that is chosen. */
export function ShipPage({ modelId }: { modelId: string }) {
  const trpc = useTRPC();
  const router = useRouter();
  const chosen = useSearchParams().get("run");
  const model = useQuery(trpc.models.record.queryOptions({ modelId }));
  const { runs, error, refetch } = useRuns(modelId);
  const ended = runs?.filter(({ status, summary }) => status === "finished" || (status === "cancelled" && "validation/loss" in summary)) ?? [];
  const shown = ended.find(({ id }) => id === chosen) ?? ended[0];
  const run = useQuery(
    trpc.runs.get.queryOptions({ runId: shown?.id ?? "" }, { enabled: shown !== undefined, refetchInterval: ({ state }) => (state.data?.exporting ? 1_000 : false) }),
  );
  const active = runs?.find(({ status }) => status === "running" || status === "queued");
  const data = run.data?.id === shown?.id ? run.data : undefined;

  return (
    <div className="flex min-h-dvh flex-col">
      <TopBar
        place={[{ label: model.data?.project.name ?? "…", href: "/" }, { label: model.data?.name ?? "…", href: `/models/${modelId}` }, { label: say("Ship") }]}
        modelId={modelId}
        room="ship"
      />
      <main className="mx-auto w-full max-w-6xl space-y-4 p-3 md:p-5">
        <header className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <h1 className="text-title font-semibold">{say("Ship")}</h1>
          {shown && ended.length > 0 && (
            <Select aria-label={say("Run to ship")} className="w-auto" value={shown.id} onChange={(event) => router.replace(`/models/${modelId}/ship?run=${event.target.value}`)}>
              {ended.map((item) => (
                <option key={item.id} value={item.id}>
                  {runLine(item)}
                </option>
              ))}
            </Select>
          )}
          {shown && (
            <ButtonLink kind="quiet" size="sm" href={`/runs/${shown.id}`}>
              {say("Open the run")}
            </ButtonLink>
          )}
        </header>
        {(error && !runs) || model.error ? (
          <Failing what={say("The runs of this model")} error={error ?? model.error} onRetry={() => void refetch()} />
        ) : !runs ? (
          <Loading label={say("Loading runs")} className="h-72" />
        ) : !shown ? (
          <Empty
            title={active ? say("Run {number} is still training", { number: active.number }) : say("Nothing to ship yet")}
            action={
              <ButtonLink kind="primary" href={active ? `/runs/${active.id}` : `/models/${modelId}`}>
                {active ? say("Watch the run") : say("Open the studio")}
              </ButtonLink>
            }
          >
            {say(
              "When a run has finished, its network stands here as an ONNX file that ONNX Runtime agrees with, as PyTorch code, and as weights; and it can be tried in this browser.",
            )}
          </Empty>
        ) : run.error ? (
          <Failing what={say("This run")} error={run.error} onRetry={() => void run.refetch()} />
        ) : !data ? (
          <Loading label={say("Loading the exports")} className="h-72" />
        ) : (
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_360px]">
            <Exports run={data} />
            {onnxObstacle(data) === null && (
              <Panel title={say("Try it")}>
                <div className="px-3.5 pb-3.5">
                  <TryIt key={data.id} run={data} />
                </div>
              </Panel>
            )}
          </div>
        )}
      </main>
    </div>
  );
}

/** `Run 7, accuracy 99.1%, 14:32`. */
function runLine(run: RunSummary): string {
  const main = mainMetric(run);
  const best = main === null ? null : summaryOf(run, main)?.best;
  return [
    say("Run {number}", { number: run.number }),
    main && `${metricTitle(main).replace("Validation ", "")} ${formatFigure(best, unitOf(main))}`,
    run.endedAt && formatClock(run.endedAt),
  ]
    .filter(Boolean)
    .join(", ");
}
