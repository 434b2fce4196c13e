"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { decodeText } from "../../core/data/text.ts";
import { printFixed } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
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
import { decodeTensor } from "../ui/tensorBytes.ts";
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
  const things = run.data?.dataset.text ? say("texts") : say("pictures");
  return (
    <>
      <TopBar place={[{ label: say("Fine-tune"), href: "/finetune" }, { label: result.data?.model ?? "…" }]} />
      <main className="mx-auto max-w-5xl space-y-6 px-4 py-6">
        {result.isPending && <Loading label={say("Loading the result")} className="h-64" />}
        {result.isError && <Failing what={say("This result")} error={result.error} onRetry={() => void result.refetch()} />}
        {result.data && (
          <>
            <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
              <Verdict result={result.data} things={things} />
              <div className="flex gap-2">
                <ButtonLink href={`/models/${result.data.modelId}`}>{say("Open the network")}</ButtonLink>
                {status === "finished" && (
                  <ButtonLink kind="primary" href={`/models/${result.data.modelId}/ship?run=${runId}`}>
                    {say("Try it or download it")}
                  </ButtonLink>
                )}
              </div>
            </div>
            <Underway run={run.data} status={result.data.status} thing={things.slice(0, -1)} />
            <Compared result={result.data} />
            {run.data?.evaluation && <Mistakes run={run.data} things={things} />}
            <Lineage runId={runId} />
            <p>
              <Link href={`/runs/${runId}`} className="underline">
                {say("All curves and settings of this run")}
              </Link>
            </p>
          </>
        )}
      </main>
    </>
  );
}

/** The one sentence. */
function Verdict({ result: { accuracy, checkedOn, status, dataset }, things }: { result: Result; things: string }) {
  const sure = accuracy === null ? null : wilsonInterval(Math.round(accuracy * checkedOn), checkedOn);
  return (
    <header>
      <h1 className="text-title font-semibold">
        {accuracy === null
          ? isActive(status)
            ? say("It is learning")
            : say("It has learned nothing yet")
          : isActive(status)
            ? say("Right {accuracy} times out of 100 so far", { accuracy: whole(accuracy) })
            : say("Right {accuracy} times out of 100", { accuracy: whole(accuracy) })}
      </h1>
      <p className="mt-1 max-w-prose text-ink2">
        {sure
          ? say("Checked on {checkedOn} {things} of {name} that it has not learned from. With as many others like them it would be between {low} and {high} (95 % interval).", {
              checkedOn: formatCount(checkedOn),
              things,
              name: dataset.name,
              low: whole(sure.low),
              high: whole(sure.high),
            })
          : say("It is checked on {checkedOn} {things} of {name} after each epoch.", { checkedOn: formatCount(checkedOn), things, name: dataset.name })}
      </p>
    </header>
  );
}

function Underway({ run, status, thing }: { run: Answers["runs"]["get"] | undefined; status: Result["status"]; thing: string }) {
  if (status === "failed" || status === "cancelled")
    return (
      <p role="alert">{status === "failed" ? say("The training failed. {message}", { message: run?.failure?.message ?? "" }) : say("The training was stopped before its end.")}</p>
    );
  if (!isActive(status)) return null;
  const share = run ? run.step / Math.max(1, run.totalSteps) : 0;
  const text =
    status === "queued"
      ? say("Waiting for its turn")
      : run && run.step === 0
        ? say("The frozen part looks at each {thing} once", { thing })
        : say("{percent} % done", { percent: Math.round(share * 100) });
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

/** The same rows, told apart by other means. */
function Compared({ result: { accuracy, baseline, scratch } }: { result: Result }) {
  const bars = [
    { name: say("This network"), value: accuracy, note: accuracy === null ? say("not checked yet") : "", isOurs: true },
    ...(scratch
      ? [
          {
            name: say("The same, from scratch"),
            value: scratch.accuracy,
            note: scratch.accuracy === null ? (scratch.status === "queued" ? say("waits for its turn") : say("learning")) : isActive(scratch.status) ? say("still learning") : "",
            isOurs: false,
          },
        ]
      : []),
    ...(baseline ? [{ name: say("Always “{className}”", { className: baseline.className }), value: baseline.accuracy, note: "", isOurs: false }] : []),
  ];
  return (
    <Panel title={say("Compared with")}>
      <ul className="space-y-2.5 px-3.5 pt-1 pb-3.5">
        {bars.map(({ name, value, note, isOurs }) => (
          <li key={name}>
            <p className="flex justify-between gap-3">
              <span className="min-w-0 truncate">{name}</span>
              <span className={cx("shrink-0", value === null ? "text-ink2" : "figures")}>
                {value === null ? note : `${printFixed(value * 100, 1)} %${note ? `, ${note}` : ""}`}
              </span>
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

/** Those of the checked ones that it takes for something else. */
function Mistakes({ run: { evaluation, dataset }, things }: { run: Answers["runs"]["get"]; things: string }) {
  const trpc = useTRPC();
  const looked = evaluation?.samples ?? [];
  const wrong = looked.flatMap(({ row, output, target: [truth = -1] }) => {
    const chances = toProbabilities(output, dataset.classes.length);
    const taken = chances ? argmax(chances) : -1;
    return taken === truth ? [] : [{ row, taken: dataset.classes[taken] ?? say("not a number"), truth: dataset.classes[truth] ?? String(truth) }];
  });
  const rows = wrong.slice(0, MOST_MISTAKES).map(({ row }) => row);
  const samples = useQuery(
    trpc.datasets.samples.queryOptions({ datasetId: dataset.id, split: "validation", rows }, { enabled: rows.length > 0, staleTime: Number.POSITIVE_INFINITY }),
  );
  const inputs = new Map(samples.data?.samples.map(({ row, input }) => [row, input]));
  const { text } = dataset;
  return (
    <Panel title={say("What it gets wrong")}>
      <div className="space-y-2.5 px-3.5 pt-1 pb-3.5">
        <p className="text-ink2">
          {wrong.length === 0
            ? say("None of the {count} {things} looked at here.", { count: looked.length, things })
            : say("{count} of {count2} {things} looked at here, after epoch {epoch}: what it takes each for, and what it is.", {
                count: wrong.length,
                count2: looked.length,
                things,
                epoch: evaluation?.epoch ?? 0,
              })}
        </p>
        {samples.isError && <Failing what={say("The {things}", { things })} error={samples.error} onRetry={() => void samples.refetch()} />}
        <ul className={cx("grid gap-2", text ? "sm:grid-cols-2" : "grid-cols-2 sm:grid-cols-4 lg:grid-cols-6")}>
          {wrong.slice(0, MOST_MISTAKES).map(({ row, taken, truth }) => {
            const bytes = inputs.get(row);
            if (text)
              return (
                <li key={row} className="min-w-0 rounded-md border border-line2 bg-raise px-2.5 py-2">
                  <p className="line-clamp-3 wrap-anywhere">{bytes !== undefined && samples.data ? decodeText(decodeTensor(bytes, samples.data.dtype), text) : "…"}</p>
                  <p className="mt-1 truncate">
                    <span className="text-bad">{taken}</span> <span className="text-ink2">{say("is {truth}", { truth })}</span>
                  </p>
                </li>
              );
            return (
              <li key={row} className="min-w-0 overflow-hidden rounded-md border border-line2 bg-raise">
                {bytes !== undefined && samples.data ? (
                  <SampleImage bytes={bytes} dtype={samples.data.dtype} shape={samples.data.shape} label={say("Validation row {row}", { row })} />
                ) : (
                  <div className="aspect-square bg-sunk" />
                )}
                <p className="truncate px-2 pt-1 text-bad" title={taken}>
                  {taken}
                </p>
                <p className="truncate px-2 pb-1 text-ink2" title={truth}>
                  {say("is {truth}", { truth })}
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
