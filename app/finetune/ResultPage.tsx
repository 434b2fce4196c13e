"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { wilsonInterval } from "../../core/training/interval.ts";
import { argmax, toProbabilities } from "../../core/training/probability.ts";
import { Samples } from "../dashboard/results/Samples.tsx";
import { isActive } from "../dashboard/run.ts";
import { useRun } from "../dashboard/useRun.ts";
import { ButtonLink } from "../ui/Button.tsx";
import { formatCount, formatDuration } from "../ui/format.ts";
import { Panel } from "../ui/Panel.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { type Answers, useTRPC } from "../ui/trpc.ts";

type Result = Answers["tuning"]["result"];

/** What came of a fine-tuning, for somebody who decides whether to use it. */
export function ResultPage({ runId }: { runId: string }) {
  const trpc = useTRPC();
  const { run } = useRun(runId);
  const status = run.data?.status;
  const epoch = run.data?.evaluation?.epoch;
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
      <TopBar
        place={[{ label: "Fine-tune", href: "/finetune" }, { label: result.data?.model ?? "…" }]}
        actions={
          result.data && (
            <>
              <ButtonLink href={`/models/${result.data.modelId}`}>Open the network</ButtonLink>
              <ButtonLink kind="primary" href={`/models/${result.data.modelId}/ship`}>
                Try it or download it
              </ButtonLink>
            </>
          )
        }
      />
      <main className="mx-auto max-w-5xl space-y-6 px-4 py-6">
        {result.isPending && <Loading label="Loading the result" className="h-64" />}
        {result.isError && <Failing what="This result" error={result.error} onRetry={() => void result.refetch()} />}
        {result.data && (
          <>
            <Verdict key={`${status}-${epoch}`} result={result.data} />
            <Underway run={run.data} status={result.data.status} />
            <Compared result={result.data} />
            {run.data?.evaluation && <Mistakes run={run.data} />}
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
        {accuracy === null ? (isActive(status) ? "It is learning" : "It has learned nothing yet") : `Right ${whole(accuracy)} times out of 100`}
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
              <span className="figures shrink-0">{value === null ? note : `${(value * 100).toFixed(1)} %${note ? `, ${note}` : ""}`}</span>
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
function Mistakes({ run }: { run: Answers["runs"]["get"] }) {
  const { evaluation, dataset } = run;
  if (!evaluation) return null;
  const wrong = evaluation.samples.filter(({ output, target }) => {
    const chances = toProbabilities(output, dataset.classes.length);
    return !chances || argmax(chances) !== target[0];
  });
  return (
    <Panel title="What it gets wrong">
      <div className="px-3.5 pt-1 pb-3.5">
        {wrong.length === 0 ? (
          <p className="text-ink2">None of the {evaluation.samples.length} pictures looked at here.</p>
        ) : (
          <Samples
            run={{ evaluation: { ...evaluation, samples: wrong }, dataset }}
            title={`${wrong.length} of ${evaluation.samples.length} pictures, with what it takes them for`}
          />
        )}
      </div>
    </Panel>
  );
}

function whole(share: number): string {
  return String(Math.round(share * 100));
}
