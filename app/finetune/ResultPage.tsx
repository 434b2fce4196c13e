"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { wilsonInterval } from "../../core/training/interval.ts";
import { argmax, toProbabilities } from "../../core/training/probability.ts";
import { Lineage } from "../dashboard/Lineage.tsx";
import { isActive } from "../dashboard/run.ts";
import { useRun } from "../dashboard/useRun.ts";
import { ButtonLink } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { formatCount, formatDuration } from "../ui/format.ts";
import { Panel } from "../ui/Panel.tsx";
import { SampleImage } from "../ui/SampleImage.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { type Answers, useTRPC } from "../ui/trpc.ts";

type Result = Answers["tuning"]["result"];

/** What came of a fine-tuning, for somebody who decides whether to use it. */
export function ResultPage({ runId }: { runId: string }) {
  const trpc = useTRPC();
  const { run } = useRun(runId);
  const status = run.data?.status;
  const result = useQuery(
    trpc.tuning.result.queryOptions(
      { runId },
      {
        refetchInterval: (query) =>
          query.state.data && (isActive(query.state.data.status) || (query.state.data.scratch && isActive(query.state.data.scratch.status))) ? 1500 : false,
      },
    ),
  );
  return (
    <>
      <TopBar place={[{ label: "Fine-tune", href: "/finetune" }, { label: result.data?.model ?? "…" }]} />
      <main className="mx-auto max-w-5xl space-y-6 px-4 py-6">
        {result.isPending && <Loading label="Loading the result" className="h-64" />}
        {result.isError && <Failing what="This result" error={result.error} onRetry={() => void result.refetch()} />}
        {result.data && (
          <>
            <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
              <Verdict result={result.data} />
              <div className="flex gap-2">
                <ButtonLink href={`/models/${result.data.modelId}`}>Open the network</ButtonLink>
                {status === "finished" && (
                  <ButtonLink kind="primary" href={`/models/${result.data.modelId}/ship?run=${runId}`}>
                    Try it or download it
                  </ButtonLink>
                )}
              </div>
            </div>
            <Underway run={run.data} status={result.data.status} />
            <Compared result={result.data} />
            {run.data?.evaluation && <Mistakes run={run.data} />}
            <Lineage runId={runId} />
            <p>
              <Link href={`/runs/${runId}`} className="underline">
                All curves and settings of this run
              </Link>
            </p>
          </>
        )}
      </main>
    </>
  );
}

/** The one sentence. */
function Verdict({ result: { accuracy, checkedOn, status, dataset } }: { result: Result }) {
  const sure = accuracy === null ? null : wilsonInterval(Math.round(accuracy * checkedOn), checkedOn);
  return (
    <header>
      <h1 className="text-title font-semibold">
        {accuracy === null ? (isActive(status) ? "It is learning" : "It has learned nothing yet") : `Right ${whole(accuracy)} times out of 100${isActive(status) ? " so far" : ""}`}
      </h1>
      <p className="mt-1 max-w-prose text-ink2">
        {sure
          ? `Checked on ${formatCount(checkedOn)} pictures of ${dataset.name} that it has not learned from. With as many others like them it would be between ${whole(sure.low)} and ${whole(sure.high)} (95 % interval).`
          : `It is checked on ${formatCount(checkedOn)} pictures of ${dataset.name} after each epoch.`}
      </p>
    </header>
  );
}

function Underway({ run, status }: { run: Answers["runs"]["get"] | undefined; status: Result["status"] }) {
  if (status === "failed" || status === "cancelled")
    return <p role="alert">{status === "failed" ? `The training failed. ${run?.failure?.message ?? ""}` : "The training was stopped before its end."}</p>;
  if (!isActive(status)) return null;
  const share = run ? run.step / Math.max(1, run.totalSteps) : 0;
  const text = status === "queued" ? "Waiting for its turn" : run && run.step === 0 ? "The frozen part looks at each picture once" : `${Math.round(share * 100)} % done`;
  return (
    <div role="status" className="space-y-1.5">
      <p className="flex justify-between gap-3">
        <span>{text}</span>
        {run && run.elapsedMs > 0 && <span className="figures text-ink2">{formatDuration(run.elapsedMs)}</span>}
      </p>
      <div className="h-1 overflow-hidden rounded-full bg-sunk">
        <div className="h-full bg-accent transition-[width]" style={{ width: `${Math.round(share * 100)}%` }} />
      </div>
    </div>
  );
}

/** The same pictures, told apart by other means. */
function Compared({ result: { accuracy, baseline, scratch } }: { result: Result }) {
  const bars = [
    { name: "This network", value: accuracy, note: accuracy === null ? "not checked yet" : "", isOurs: true },
    ...(scratch
      ? [
          {
            name: "The same, from scratch",
            value: scratch.accuracy,
            note: scratch.accuracy === null ? (scratch.status === "queued" ? "waits for its turn" : "learning") : isActive(scratch.status) ? "still learning" : "",
            isOurs: false,
          },
        ]
      : []),
    ...(baseline ? [{ name: `Always “${baseline.className}”`, value: baseline.accuracy, note: "", isOurs: false }] : []),
  ];
  return (
    <Panel title="Compared with">
      <ul className="space-y-2.5 px-3.5 pt-1 pb-3.5">
        {bars.map(({ name, value, note, isOurs }) => (
          <li key={name}>
            <p className="flex justify-between gap-3">
              <span className="min-w-0 truncate">{name}</span>
              <span className={cx("shrink-0", value === null ? "text-ink2" : "figures")}>{value === null ? note : `${(value * 100).toFixed(1)} %${note ? `, ${note}` : ""}`}</span>
            </p>
            <div className="mt-1 h-2 overflow-hidden rounded-full bg-sunk">
              <div className={isOurs ? "h-full bg-accent" : "h-full bg-ink3"} style={{ width: `${(value ?? 0) * 100}%` }} />
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** Pictures of the checked ones that it takes for something else. */
function Mistakes({ run: { evaluation, dataset } }: { run: Answers["runs"]["get"] }) {
  const trpc = useTRPC();
  const looked = evaluation?.samples ?? [];
  const wrong = looked.flatMap(({ row, output, target: [truth = -1] }) => {
    const chances = toProbabilities(output, dataset.classes.length);
    const taken = chances ? argmax(chances) : -1;
    return taken === truth ? [] : [{ row, taken: dataset.classes[taken] ?? "not a number", truth: dataset.classes[truth] ?? String(truth) }];
  });
  const rows = wrong.slice(0, MOST_MISTAKES).map(({ row }) => row);
  const samples = useQuery(
    trpc.datasets.samples.queryOptions({ datasetId: dataset.id, split: "validation", rows }, { enabled: rows.length > 0, staleTime: Number.POSITIVE_INFINITY }),
  );
  const pictures = new Map(samples.data?.samples.map(({ row, input }) => [row, input]));
  return (
    <Panel title="What it gets wrong">
      <div className="space-y-2.5 px-3.5 pt-1 pb-3.5">
        <p className="text-ink2">
          {wrong.length === 0
            ? `None of the ${looked.length} pictures looked at here.`
            : `${wrong.length} of ${looked.length} pictures looked at here, after epoch ${evaluation?.epoch ?? 0}: what it takes each for, and what it is.`}
        </p>
        {samples.isError && <Failing what="The pictures" error={samples.error} onRetry={() => void samples.refetch()} />}
        <ul className="grid grid-cols-2 gap-2 sm:grid-cols-4 lg:grid-cols-6">
          {wrong.slice(0, MOST_MISTAKES).map(({ row, taken, truth }) => {
            const bytes = pictures.get(row);
            return (
              <li key={row} className="min-w-0 overflow-hidden rounded-md border border-line2 bg-raise">
                {bytes !== undefined && samples.data ? (
                  <SampleImage bytes={bytes} dtype={samples.data.dtype} shape={samples.data.shape} label={`Validation row ${row}`} />
                ) : (
                  <div className="aspect-square bg-sunk" />
                )}
                <p className="truncate px-2 pt-1 text-bad" title={taken}>
                  {taken}
                </p>
                <p className="truncate px-2 pb-1 text-ink2" title={truth}>
                  is {truth}
                </p>
              </li>
            );
          })}
        </ul>
      </div>
    </Panel>
  );
}

/** As many as can be looked at in one glance. */
const MOST_MISTAKES = 12;

function whole(share: number): string {
  return String(Math.round(share * 100));
}
