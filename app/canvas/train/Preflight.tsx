"use client";

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useDeferredValue, useMemo, useState } from "react";
import { say } from "../../../core/language/say.ts";
import { planSteps, writesEvery } from "../../../core/training/build.ts";
import { balancedWeights } from "../../../core/training/classWeights.ts";
import { lossNamed } from "../../../core/training/losses/index.ts";
import { fittingBatch } from "../../../core/training/memory.ts";
import { whyNoMixup } from "../../../core/training/mixup.ts";
import { epochMs } from "../../../core/training/probe.ts";
import type { RunSettings } from "../../../core/training/settings.ts";
import { Button } from "../../ui/Button.tsx";
import { cx } from "../../ui/cx.ts";
import { formatBytes, formatDuration } from "../../ui/format.ts";
import { Line } from "../../ui/Panel.tsx";
import { useTRPC, useTRPCClient } from "../../ui/trpc.ts";
import { currentChecked, useChecked, usePurpose } from "../checked.ts";
import { fixProblem } from "../edits.ts";
import { saveNow } from "../useAutosave.ts";
import { useGraph } from "../useGraph.ts";
import { useMemoryModel } from "./useMemoryModel.ts";
import { changeSettings } from "./useTraining.ts";

/** Besides the latest two there are the best one and the one being written. */
const CHECKPOINTS_HELD = 4;
/** A class this many times rarer than another is worth a word. */
const UNEVEN = 4;

type Remedy = { message: string; label: string; mend: () => void; bad: boolean };

/** What a run will take before it is started: memory, time and disk; and what stands in its way, with a button that mends it. */
export function Preflight({ modelId, settings, cuda, whyNot }: { modelId: string; settings: RunSettings; cuda: boolean | null; whyNot: string | null }) {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const graph = useDeferredValue(useGraph((s) => s.graph));
  const data = usePurpose((s) => s.data);
  const { problems } = useChecked();
  const status = useQuery(trpc.workspace.status.queryOptions(undefined, { refetchInterval: 15_000 })).data;
  const [asked, setAsked] = useState(false);
  const model = useMemoryModel(settings);
  const memory = model?.(settings.batchSize) ?? null;
  const limitBytes = settings.device === "cpu" ? (status?.memoryLimitBytes ?? null) : null;

  const order = useMemo(() => JSON.stringify([graph, { ...settings, epochs: 1, lr: 1e-3, seed: 0 }]), [graph, settings]);
  const probe = useQuery({
    queryKey: ["measure", modelId, order],
    enabled: whyNot === null && (asked || status?.running === 0),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
    queryFn: async ({ signal }) => {
      // Whoever types a number changes it several times.
      await new Promise((done) => setTimeout(done, 1_200));
      signal.throwIfAborted();
      if (!(await saveNow())) throw new Error(say("The drawing could not be saved."));
      return client.runs.measure.mutate({ modelId, settings }, { signal });
    },
  });
  const measured = whyNot === null ? probe.data : undefined;
  const plan = data ? planSteps(data.splits.train.rows, settings) : null;
  const epoch = measured && plan ? epochMs(measured, plan.stepsPerEpoch, writesEvery(settings)) : null;
  const peakBytes = measured?.peakBytes ?? memory?.peakBytes ?? null;
  const isTooMuch = limitBytes !== null && peakBytes !== null && peakBytes > limitBytes;
  const checkpointBytes = memory ? memory.weightBytes + memory.optimizerBytes : null;
  const diskBytes = checkpointBytes === null ? null : checkpointBytes * CHECKPOINTS_HELD;
  const isDiskFull = diskBytes !== null && status?.diskFreeBytes != null && diskBytes > status.diskFreeBytes;

  const remedies: Remedy[] = [];
  const firstFix = problems.find(({ severity, fixes }) => severity === "error" && fixes.length > 0);
  const [fix] = firstFix?.fixes ?? [];
  if (firstFix && fix)
    remedies.push({
      message: firstFix.message,
      label: fix.label,
      mend: () => fixProblem(currentChecked().problems.find(({ message }) => message === firstFix.message) ?? firstFix, fix),
      bad: true,
    });
  const lookahead = problems.find(({ code }) => code === "GRAPH_LOOKAHEAD");
  const [causal] = lookahead?.fixes ?? [];
  if (lookahead && causal) remedies.push({ message: lookahead.message, label: causal.label, mend: () => fixProblem(lookahead, causal), bad: true });
  if (isTooMuch && model && limitBytes !== null) {
    const fits = fittingBatch(model, settings.batchSize, limitBytes, measured?.peakBytes);
    if (fits !== null)
      remedies.push({
        message: say("A batch of {batchSize} takes more memory than a run may.", { batchSize: settings.batchSize }),
        label: say("Use a batch of {fits}", { fits }),
        mend: () => changeSettings({ batchSize: fits }),
        bad: true,
      });
  }
  if (data && settings.batchSize > data.splits.train.rows) {
    const { rows } = data.splits.train;
    remedies.push({
      message: say("A batch of {batchSize} is larger than the {rows} training rows.", { batchSize: settings.batchSize, rows }),
      label: say("Use a batch of {rows}", { rows }),
      mend: () => changeSettings({ batchSize: rows }),
      bad: true,
    });
  }
  if (settings.device === "cuda" && cuda === false)
    remedies.push({ message: say("This machine has no CUDA device."), label: say("Train on the CPU"), mend: () => changeSettings({ device: "cpu" }), bad: true });
  const unmixable = settings.mixup > 0 && data ? whyNoMixup(data, graph) : null;
  if (unmixable) remedies.push({ message: unmixable, label: say("Switch mixup off"), mend: () => changeSettings({ mixup: 0 }), bad: true });
  const counts = (data?.splits.train.classCounts ?? []).filter((count) => count > 0);
  const { classWeights } = lossNamed(settings.loss);
  if (classWeights && settings.lossParams[classWeights] === undefined && counts.length > 1 && Math.max(...counts) >= UNEVEN * Math.min(...counts))
    remedies.push({
      message: say("The rarest class has {least} rows, the commonest {most}.", { least: Math.min(...counts), most: Math.max(...counts) }),
      label: say("Balance the classes"),
      mend: () => changeSettings({ lossParams: { ...settings.lossParams, [classWeights]: balancedWeights(data?.splits.train.classCounts ?? []) } }),
      bad: false,
    });

  // What stands in the way and has a button that mends it is said once, beside that.
  const isKnown = remedies.some(({ message }) => message === probe.error?.message);
  return (
    <section aria-label={say("Before the run")} className="space-y-1.5">
      <dl>
        <Line name={say("Memory")} plain>
          <Figure bad={isTooMuch}>
            {peakBytes === null ? "–" : measured ? formatBytes(peakBytes) : say("about {memory}", { memory: formatBytes(peakBytes) })}
            {limitBytes !== null && <span className="text-ink2"> {say("of {limitBytes}", { limitBytes: formatBytes(limitBytes) })}</span>}
          </Figure>
        </Line>
        {memory && limitBytes !== null && (
          <MemoryBar
            parts={[
              ["weights", memory.weightBytes],
              ["gradients", memory.gradientBytes],
              ["optimizer", memory.optimizerBytes],
              ["batch", memory.batchBytes],
              [say("results kept for the backward pass"), memory.activationBytes],
            ]}
            limitBytes={limitBytes}
          />
        )}
        <Line name={say("An epoch")} plain>
          {epoch !== null ? (
            formatDuration(epoch)
          ) : probe.isFetching ? (
            <span className="text-ink2">{say("measuring")}</span>
          ) : (
            <span className="text-ink2">{say("not measured")}</span>
          )}
        </Line>
        <Line name={say("All {epochs} epochs", { epochs: settings.epochs })} plain>
          {epoch === null ? "–" : formatDuration(epoch * settings.epochs)}
        </Line>
        <Line name={say("Checkpoints on disk")} plain>
          <Figure bad={isDiskFull}>{diskBytes === null ? "–" : say("up to {diskBytes}", { diskBytes: formatBytes(diskBytes) })}</Figure>
        </Line>
      </dl>
      {probe.error && whyNot === null && !isKnown && <p className="text-sm text-bad">{probe.error.message}</p>}
      {whyNot === null && !measured && !probe.isFetching && !isKnown && (
        <Button size="sm" title={say("Takes some real steps of a throw-away copy. Nothing of it is kept.")} onClick={() => (asked ? void probe.refetch() : setAsked(true))}>
          {say("Measure")}
        </Button>
      )}
      {remedies.map(({ message, label, mend, bad }) => (
        <p key={label} className="flex items-baseline justify-between gap-3 text-sm">
          <span className={bad ? "text-bad" : "text-warn"}>{message}</span>
          <button type="button" className="shrink-0 text-accent hover:underline" onClick={mend}>
            {label}
          </button>
        </p>
      ))}
    </section>
  );
}

function Figure({ bad, children }: { bad: boolean; children: ReactNode }) {
  return <span className={cx(bad && "text-bad")}>{children}</span>;
}

const TONES = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--accent)"];

/** Of what the memory is made up, against what there may be. */
function MemoryBar({ parts, limitBytes }: { parts: [name: string, bytes: number][]; limitBytes: number }) {
  const whole = Math.max(
    limitBytes,
    parts.reduce((sum, [, bytes]) => sum + bytes, 0),
  );
  const words = parts.map(([name, bytes]) => `${name} ${formatBytes(bytes)}`).join(", ");
  return (
    <div role="img" aria-label={say("Memory: {words}", { words })} title={words} className="my-1 flex h-1.5 overflow-hidden rounded-full bg-sunk">
      {parts.map(([name, bytes], i) => (
        <span key={name} style={{ width: `${(100 * bytes) / whole}%`, background: TONES[i] }} />
      ))}
    </div>
  );
}
