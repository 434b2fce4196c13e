"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useMemo } from "react";
import type { Body, Node } from "../../core/graph/document.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";
import { useMayChange } from "../account/useRole.ts";
import { Button } from "../ui/Button.tsx";
import { formatCount, formatDuration } from "../ui/format.ts";
import { notify } from "../ui/Notices.tsx";
import { useTRPC } from "../ui/trpc.ts";
import type { Run } from "./run.ts";

/** What stands between a run and its results: why it waits, why it ended before its last epoch, what came of one batch, or why it failed, where, and what to do about it. */
export function RunNotice({ run }: { run: Run }) {
  if (run.status === "queued") return <Waiting run={run} />;
  if (run.status === "running") return <Silent run={run} />;
  if (run.status === "failed" && run.failure) return <Failed run={run} failure={run.failure} />;
  const halt = run.status === "paused" ? run.marks.at(-1) : undefined;
  if (halt?.kind === "breakpoint")
    return (
      <section role="status" className="rounded-xl border border-line2 bg-raise px-4 py-3">
        <p className="font-semibold">{say("Paused after step {step}", { step: formatCount(halt.step) })}</p>
        <p className="text-ink2">{say("{text} Resume goes on; the breakpoint pauses again once this has ceased and comes back.", { text: halt.text })}</p>
      </section>
    );
  const end = run.status === "finished" ? run.marks.findLast(({ kind }) => kind === "early-stop" || kind === "stop" || kind === "one-batch") : undefined;
  return end ? <p className="rounded-xl border border-line bg-raise px-4 py-3 text-ink2">{end.text}</p> : null;
}

/** Says so where nothing is heard any more of the trainer: its machine is off, cut off, or stands still. */
function Silent({ run }: { run: Run }) {
  const trpc = useTRPC();
  const { data } = useQuery(trpc.runs.trainer.queryOptions({ runId: run.id }, { refetchInterval: 2_000 }));
  if (data?.silentMs == null) return null;
  return (
    <section role="alert" className="rounded-xl border border-warn bg-warn-soft px-4 py-3">
      <p className="font-semibold">{say("Nothing heard of its trainer for {silentMs}", { silentMs: formatDuration(data.silentMs) })}</p>
      <p className="text-ink2">
        {say("The figures below are the last that came. If it stays silent, the run goes back into the queue and goes on from its last checkpoint as soon as a machine is free.")}
      </p>
    </section>
  );
}

function Waiting({ run }: { run: Run }) {
  const trpc = useTRPC();
  const { data } = useQuery(trpc.workspace.status.queryOptions(undefined, { refetchInterval: 2_000 }));
  const resumed = run.step > 0 ? say(" It goes on from step {step}.", { step: formatCount(run.step) }) : "";
  return (
    <section role="status" className="rounded-xl border border-line2 bg-raise px-4 py-3">
      <p className="font-semibold">{say("Waiting for its turn")}</p>
      <p className="text-ink2">
        {!data
          ? say("Asking the agent.")
          : !data.agentAlive
            ? say("No agent is running, so nothing can be trained now. It starts again with the server; this run keeps its place.")
            : data.running > 0
              ? say(
                  "{running, plural, one {Another run is} other {# other runs are}} training{ahead, plural, =0 {} one {, and # more waits} other {, and # more wait}}. This one starts as soon as there is room.",
                  { running: data.running, ahead: Math.max(0, data.queued - 1) },
                )
              : say("The agent is about to start it.")}
        {resumed}
      </p>
    </section>
  );
}

function Failed({ run, failure }: { run: Run; failure: NonNullable<Run["failure"]> }) {
  const node = useMemo(() => (failure.node ? findNode(run.graph, failure.node) : null), [run.graph, failure.node]);
  const name = node && (node.name || findLayer(node.type)?.title || node.type);
  return (
    <section role="alert" className="rounded-xl border border-bad bg-bad-soft px-4 py-3">
      <p className="font-semibold text-bad">
        {failure.step !== undefined ? say("Failed at step {step}", { step: formatCount(failure.step) }) : say("Failed")}
        {name ? say(" in {name}", { name }) : ""}
      </p>
      <p>{failure.message}</p>
      {run.fittingBatch !== null && <SmallerBatch run={run} batchSize={run.fittingBatch} />}
      {ADVICE[failure.code] && <p className="text-ink2">{ADVICE[failure.code]}</p>}
      <p className="flex flex-wrap items-baseline gap-x-4 gap-y-1 pt-1.5">
        {failure.node && (
          <Link href={`/models/${run.modelId}?node=${encodeURIComponent(failure.node)}`} className="font-medium text-accent hover:underline">
            {say("Show {name} in the studio", { name: name ?? say("the node") })}
          </Link>
        )}
        {failure.shapes && failure.shapes.length > 0 && <span className="figures text-ink2">{failure.shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ")}</span>}
        <span className="figures text-ink2">{failure.code}</span>
      </p>
    </section>
  );
}

/** Orders the run anew with a batch that ought to fit. */
function SmallerBatch({ run, batchSize }: { run: Run; batchSize: number }) {
  const trpc = useTRPC();
  const router = useRouter();
  const shrink = useMutation(
    trpc.runs.shrink.mutationOptions({
      onSuccess: ({ runId }) => router.push(`/runs/${runId}`),
      onError: (error) => notify(say("Training did not start. {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  const mayChange = useMayChange();
  const times = Math.round(run.settings.batchSize / batchSize);
  if (!mayChange) return null;
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1 py-1.5">
      <Button kind="primary" size="sm" disabled={shrink.isPending} onClick={() => shrink.mutate({ runId: run.id, batchSize, idempotencyKey: `shrink-${run.id}-${batchSize}` })}>
        {say("Train with batch {batchSize}", { batchSize })}
      </Button>
      {times > 1 && <span className="text-ink2">{say("{times} batches are accumulated for each step, so that it learns from as many rows as before.", { times })}</span>}
    </p>
  );
}

/** What usually helps, by the stable code of a failure. */
const ADVICE: { [code: string]: string } = {
  RUN_NONFINITE: say("A learning rate that is too high is the usual cause: divide it by ten, or clip gradients to norm 1, and start again."),
  OUT_OF_MEMORY: say("A smaller batch needs less; so does bf16. MEMORY_LIMIT_MB says what a run may take."),
  LOOP_LIMIT: say("A While ran past its limit: its condition never became false for some batch."),
  ENGINE_CRASHED: say("The trainer process ended by itself; nothing else was touched. Resume goes on from the last checkpoint."),
  CHECKPOINT_CORRUPT: say("Fork from an older checkpoint."),
  DEVICE_MISSING: say("Choose the device cpu in the Train panel, or start on a machine that has the one it asks for."),
};

/** The node at a path of ids through bodies: `loop1/body/linear3`. */
function findNode(body: Body, path: string): Node | null {
  const [id, role, ...rest] = path.split("/");
  const node = body.nodes.find((candidate) => candidate.id === id);
  if (!node) return null;
  const inner = role === undefined ? undefined : node.bodies?.[role];
  return inner && rest.length > 0 ? (findNode(inner, rest.join("/")) ?? node) : node;
}
