"use client";

import { useMutation } from "@tanstack/react-query";
import { memo, type ReactNode, useState } from "react";
import { nameOfNode } from "../../core/graph/find.ts";
import { currentSettings, type RunKnob } from "../../core/training/knobs.ts";
import { useMayChange } from "../account/useRole.ts";
import { Button } from "../ui/Button.tsx";
import { NumberInput, printNumber, Select, Switch } from "../ui/Field.tsx";
import { formatCount } from "../ui/format.ts";
import { notify } from "../ui/Notices.tsx";
import { type Questions, useTRPC } from "../ui/trpc.ts";
import { type Run, summaryOf } from "./run.ts";

type Turn = Questions["runs"]["turn"]["turn"];

/**
 * Settings that can be changed while the run trains, or before it goes on. Each change is kept with the run and marked on its curves; what
 * has not taken hold yet is said below.
 */
export function Knobs({ run }: { run: Run }) {
  const trpc = useTRPC();
  const turn = useMutation(trpc.runs.turn.mutationOptions({ onError: (error) => notify(`Nothing was changed. ${error.message}`, { tone: "bad" }) }));
  const mayChange = useMayChange();
  if (!mayChange || run.status === "finished") return null;
  const set = (one: Turn) => turn.mutateAsync({ runId: run.id, turn: one });
  const { dropouts, rows, oneBatch } = run.turnable;
  const now = currentSettings({ lr: summaryOf(run, "lr")?.last ?? run.settings.lr, batchSize: run.settings.batchSize, dropouts }, run.knobs);
  const waiting = run.knobs.filter(({ step }) => step === null);
  const isLastEpoch = run.epoch + 1 >= run.epochs;
  return (
    <section aria-label="Settings to change" className="rounded-xl border border-line bg-raise px-3.5 py-2.5">
      <h2 className="text-sm text-ink2">
        {run.status === "running" ? "Change while it trains" : run.status === "queued" ? "Change before it starts" : "Change before it goes on"}
      </h2>
      <div className="flex flex-wrap items-end gap-x-6 gap-y-2 pt-1">
        <LearningRate now={now.lr} hasSchedule={run.settings.schedule !== "constant"} busy={turn.isPending} onSet={set} />
        {dropouts.length > 0 && <Dropout run={run} now={now.dropouts} busy={turn.isPending} onSet={set} />}
        {!oneBatch && <BatchSize now={now.batchSize} rows={rows} isLastEpoch={isLastEpoch} busy={turn.isPending} onSet={set} />}
      </div>
      {waiting.length > 0 && (
        <ul aria-label="Waiting" className="pt-2 text-sm text-ink2">
          {waiting.map((knob) => (
            <li key={knob.id}>
              <Waiting knob={knob} run={run} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

type ControlProps = { busy: boolean; onSet: (turn: Turn) => Promise<unknown> };

const LearningRate = memo(function LearningRate({ now, hasSchedule, busy, onSet }: ControlProps & { now: number; hasSchedule: boolean }) {
  const [draft, setDraft] = useState<number | null>(null);
  const [hold, setHold] = useState(false);
  return (
    <Control
      label="Learning rate"
      canSet={draft !== null && !busy}
      onSet={() => draft !== null && onSet({ kind: "lr", lr: draft, hold: hold && hasSchedule }).then(() => setDraft(null))}
      input={<NumberInput aria-label="New learning rate" className="w-24" min={1e-12} max={100} value={draft ?? Number(now.toPrecision(3))} onValue={setDraft} />}
      note={`now ${printNumber(Number(now.toPrecision(3)))}`}
    >
      {hasSchedule && (
        <span className="flex h-7 items-center gap-1.5 text-sm whitespace-nowrap text-ink2" title="On: stays at this rate. Off: the schedule goes on from this rate in proportion.">
          <Switch checked={hold} onChecked={setHold} aria-label="Hold the learning rate" />
          <span aria-hidden>hold it there</span>
        </span>
      )}
    </Control>
  );
});

/** All dropout at once, or that of one layer. */
function Dropout({ run, now, busy, onSet }: ControlProps & { run: Run; now: { node: string; p: number }[] }) {
  const [node, setNode] = useState("");
  const [draft, setDraft] = useState<number | null>(null);
  const chosen = now.filter((one) => node === "" || one.node === node);
  const first = chosen[0]?.p ?? 0;
  const alike = chosen.every(({ p }) => p === first);
  return (
    <Control
      label="Dropout"
      canSet={draft !== null && !busy}
      onSet={() => draft !== null && onSet({ kind: "dropout", p: draft, node: node === "" ? null : node }).then(() => setDraft(null))}
      input={
        <>
          {now.length > 1 && (
            <Select
              aria-label="Layer whose dropout changes"
              className="max-w-40"
              value={node}
              onChange={(event) => {
                setNode(event.target.value);
                setDraft(null);
              }}
            >
              <option value="">All {now.length} layers</option>
              {now.map((one) => (
                <option key={one.node} value={one.node}>
                  {nodeLabel(run, one.node)}
                </option>
              ))}
            </Select>
          )}
          <NumberInput aria-label="New dropout" className="w-16" min={0} max={1} step={0.05} value={draft ?? first} onValue={setDraft} />
        </>
      }
      note={alike ? `now ${printNumber(first)}` : `now ${printNumber(Math.min(...chosen.map(({ p }) => p)))} to ${printNumber(Math.max(...chosen.map(({ p }) => p)))}`}
    />
  );
}

const BatchSize = memo(function BatchSize({ now, rows, isLastEpoch, busy, onSet }: ControlProps & { now: number; rows: number; isLastEpoch: boolean }) {
  const [draft, setDraft] = useState<number | null>(null);
  return (
    <Control
      label="Batch size"
      canSet={draft !== null && !busy && !isLastEpoch}
      onSet={() => draft !== null && onSet({ kind: "batch-size", batchSize: draft }).then(() => setDraft(null))}
      input={<NumberInput aria-label="New batch size" className="w-20" whole min={1} max={Math.min(rows, 65_536)} value={draft ?? now} onValue={setDraft} disabled={isLastEpoch} />}
      note={isLastEpoch ? "no epoch begins any more" : `now ${formatCount(now)}; from the next epoch on`}
    />
  );
});

function Control({ label, input, note, canSet, onSet, children }: { label: string; input: ReactNode; note: string; canSet: boolean; onSet: () => unknown; children?: ReactNode }) {
  return (
    <form
      aria-label={label}
      className="min-w-0"
      onSubmit={(event) => {
        event.preventDefault();
        // A refusal has been said already.
        if (canSet) void Promise.resolve(onSet()).catch(() => {});
      }}
    >
      <p className="flex items-baseline gap-2">
        <span className="font-medium">{label}</span>
        <span className="text-sm whitespace-nowrap text-ink2 tabular-nums">{note}</span>
      </p>
      <div className="flex flex-wrap items-center gap-1.5 pt-0.5">
        {input}
        <Button type="submit" disabled={!canSet}>
          Set
        </Button>
        {children}
      </div>
    </form>
  );
}

function Waiting({ knob: { turn, by }, run }: { knob: RunKnob; run: Run }) {
  const what =
    turn.kind === "lr"
      ? `Learning rate ${printNumber(turn.lr)}${turn.hold ? ", held" : ""}`
      : turn.kind === "dropout"
        ? `Dropout ${printNumber(turn.p)}${turn.node === null ? "" : ` in ${nodeLabel(run, turn.node)}`}`
        : `Batch size ${formatCount(turn.batchSize)}`;
  const when = run.status !== "running" ? "takes hold when the run goes on" : turn.kind === "batch-size" ? "takes hold with the next epoch" : "takes hold with the next step";
  return (
    <>
      <span className="text-ink">{what}</span>, set by {by}, {when}.
    </>
  );
}

/** The layer's name, and where it is one of several inside a layer, which. */
export function nodeLabel({ graph, turnable }: Pick<Run, "graph" | "turnable">, path: string): string {
  const name = nameOfNode(graph, path);
  const alike = turnable.dropouts.filter(({ node }) => nameOfNode(graph, node) === name);
  return alike.length > 1
    ? `${name} (${path
        .split("/")
        .filter((part) => part !== "body")
        .join(" / ")})`
    : name;
}
