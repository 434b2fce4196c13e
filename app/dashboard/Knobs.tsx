"use client";

import { useMutation } from "@tanstack/react-query";
import { memo, type ReactNode, useState } from "react";
import { nameOfNode } from "../../core/graph/find.ts";
import { say } from "../../core/language/say.ts";
import { currentSettings, type RunKnob } from "../../core/training/knobs.ts";
import { useMayChange } from "../account/useRole.ts";
import { Button } from "../ui/Button.tsx";
import { NumberInput, printNumber, Select, Switch } from "../ui/Field.tsx";
import { formatCount } from "../ui/format.ts";
import { notify } from "../ui/Notices.tsx";
import { Say } from "../ui/Say.tsx";
import { type Questions, useTRPC } from "../ui/trpc.ts";
import { type Run, summaryOf } from "./run.ts";

type Turn = Questions["runs"]["turn"]["turn"];

/**
 * Settings that can be changed while the run trains, or before it goes on. Each change is kept with the run and marked on its curves; what
 * has not taken hold yet is said below.
 */
export function Knobs({ run }: { run: Run }) {
  const trpc = useTRPC();
  const turn = useMutation(trpc.runs.turn.mutationOptions({ onError: (error) => notify(say("Nothing was changed. {message}", { message: error.message }), { tone: "bad" }) }));
  const mayChange = useMayChange();
  if (!mayChange || run.status === "finished") return null;
  const set = (one: Turn) => turn.mutateAsync({ runId: run.id, turn: one });
  const { dropouts, rows, oneBatch } = run.turnable;
  const now = currentSettings({ lr: summaryOf(run, "lr")?.last ?? run.settings.lr, batchSize: run.settings.batchSize, dropouts }, run.knobs);
  const waiting = run.knobs.filter(({ step }) => step === null);
  const isLastEpoch = run.epoch + 1 >= run.epochs;
  return (
    <section aria-label={say("Settings to change")} className="rounded-xl border border-line bg-raise px-3.5 py-2.5">
      <h2 className="text-sm text-ink2">
        {run.status === "running" ? say("Change while it trains") : run.status === "queued" ? say("Change before it starts") : say("Change before it goes on")}
      </h2>
      <div className="flex flex-wrap items-end gap-x-6 gap-y-2 pt-1">
        <LearningRate now={now.lr} hasSchedule={run.settings.schedule !== "constant"} busy={turn.isPending} onSet={set} />
        {dropouts.length > 0 && <Dropout run={run} now={now.dropouts} busy={turn.isPending} onSet={set} />}
        {!oneBatch && <BatchSize now={now.batchSize} rows={rows} isLastEpoch={isLastEpoch} busy={turn.isPending} onSet={set} />}
      </div>
      {waiting.length > 0 && (
        <ul aria-label={say("Waiting")} className="pt-2 text-sm text-ink2">
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
      label={say("Learning rate")}
      canSet={draft !== null && !busy}
      onSet={() => draft !== null && onSet({ kind: "lr", lr: draft, hold: hold && hasSchedule }).then(() => setDraft(null))}
      input={<NumberInput aria-label={say("New learning rate")} className="w-24" min={1e-12} max={100} value={draft ?? Number(now.toPrecision(3))} onValue={setDraft} />}
      note={say("now {now}", { now: printNumber(Number(now.toPrecision(3))) })}
    >
      {hasSchedule && (
        <span
          className="flex h-7 items-center gap-1.5 text-sm whitespace-nowrap text-ink2"
          title={say("On: stays at this rate. Off: the schedule goes on from this rate in proportion.")}
        >
          <Switch checked={hold} onChecked={setHold} aria-label={say("Hold the learning rate")} />
          <span aria-hidden>{say("hold it there")}</span>
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
      label={say("Dropout")}
      canSet={draft !== null && !busy}
      onSet={() => draft !== null && onSet({ kind: "dropout", p: draft, node: node === "" ? null : node }).then(() => setDraft(null))}
      input={
        <>
          {now.length > 1 && (
            <Select
              aria-label={say("Layer whose dropout changes")}
              className="max-w-40"
              value={node}
              onChange={(event) => {
                setNode(event.target.value);
                setDraft(null);
              }}
            >
              <option value="">{say("All {count} layers", { count: now.length })}</option>
              {now.map((one) => (
                <option key={one.node} value={one.node}>
                  {nodeLabel(run, one.node)}
                </option>
              ))}
            </Select>
          )}
          <NumberInput aria-label={say("New dropout")} className="w-16" min={0} max={1} step={0.05} value={draft ?? first} onValue={setDraft} />
        </>
      }
      note={
        alike
          ? say("now {first}", { first: printNumber(first) })
          : say("now {number} to {number2}", { number: printNumber(Math.min(...chosen.map(({ p }) => p))), number2: printNumber(Math.max(...chosen.map(({ p }) => p))) })
      }
    />
  );
}

const BatchSize = memo(function BatchSize({ now, rows, isLastEpoch, busy, onSet }: ControlProps & { now: number; rows: number; isLastEpoch: boolean }) {
  const [draft, setDraft] = useState<number | null>(null);
  return (
    <Control
      label={say("Batch size")}
      canSet={draft !== null && !busy && !isLastEpoch}
      onSet={() => draft !== null && onSet({ kind: "batch-size", batchSize: draft }).then(() => setDraft(null))}
      input={
        <NumberInput
          aria-label={say("New batch size")}
          className="w-20"
          whole
          min={1}
          max={Math.min(rows, 65_536)}
          value={draft ?? now}
          onValue={setDraft}
          disabled={isLastEpoch}
        />
      }
      note={isLastEpoch ? say("no epoch begins any more") : say("now {now}; from the next epoch on", { now: formatCount(now) })}
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
          {say("Set")}
        </Button>
        {children}
      </div>
    </form>
  );
}

function Waiting({ knob: { turn, by }, run }: { knob: RunKnob; run: Run }) {
  const what =
    turn.kind === "lr"
      ? turn.hold
        ? say("Learning rate {lr}, held", { lr: printNumber(turn.lr) })
        : say("Learning rate {lr}", { lr: printNumber(turn.lr) })
      : turn.kind === "dropout"
        ? turn.node === null
          ? say("Dropout {p}", { p: printNumber(turn.p) })
          : say("Dropout {p} in {run}", { p: printNumber(turn.p), run: nodeLabel(run, turn.node) })
        : say("Batch size {batchSize}", { batchSize: formatCount(turn.batchSize) });
  const when =
    run.status !== "running" ? say("takes hold when the run goes on") : turn.kind === "batch-size" ? say("takes hold with the next epoch") : say("takes hold with the next step");
  return <Say text="{what}, set by {by}, {when}." with={{ what: <span className="text-ink">{what}</span>, by, when }} />;
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
