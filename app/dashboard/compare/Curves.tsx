"use client";

import { keepPreviousData, useQueries } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { printFixed } from "../../../core/language/numbers.ts";
import { say } from "../../../core/language/say.ts";
import { ELAPSED } from "../../../core/runs/machine.ts";
import { Button } from "../../ui/Button.tsx";
import { Select } from "../../ui/Field.tsx";
import { Failing } from "../../ui/States.tsx";
import { useTRPC } from "../../ui/trpc.ts";
import { isActive, metricTitle, unitOf } from "../run.ts";
import type { Compared } from "./ComparePage.tsx";
import { OverlayChart, type ShownRun, valueBefore } from "./OverlayChart.tsx";
import { type Along, type Curve, decodeOverlay, secondsAt } from "./overlay.ts";

/** So many stretches are asked for of all curves of a chart together; each gets at least enough for its shape. */
const STRETCHES = 60_000;
/** Charts that are asked for at once; the others when they are wanted. */
const FIRST_CHARTS = 6;
const NO_CURVES: readonly Curve[] = [];

/** Every metric that any of the runs has, its curves laid over each other. */
export function Curves({
  runs,
  shown,
  chosen,
  onChosen,
}: {
  runs: readonly Compared[];
  shown: ReadonlyMap<string, ShownRun>;
  chosen: string | null;
  onChosen: (id: string | null) => void;
}) {
  const trpc = useTRPC();
  const keys = useMemo(() => orderKeys(runs), [runs]);
  const [more, setMore] = useState(FIRST_CHARTS);
  const [along, setAlong] = useState("step");
  const [smoothing, setSmoothing] = useState(0);
  const [zoom, setZoom] = useState<[number, number] | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const runIds = useMemo(() => runs.map(({ id }) => id), [runs]);
  const active = runs.some(({ status }) => isActive(status));
  const asked = keys.slice(0, more);
  const wanted = along.includes("/") && !asked.includes(along) ? [...asked, along] : along === "time" ? [...asked, ELAPSED] : asked;
  // Of another axis than the steps the server knows nothing: then all steps are asked for.
  const steps = zoom && along === "step" ? { fromStep: Math.max(0, Math.floor(zoom[0])), toStep: Math.ceil(zoom[1]) } : {};
  const answers = useQueries({
    queries: wanted.map((key) =>
      trpc.runs.overlay.queryOptions(
        { runIds, key, ...steps, mostStretches: Math.min(700, Math.max(100, Math.round(STRETCHES / Math.max(1, runIds.length)))) },
        { placeholderData: keepPreviousData, staleTime: active ? 2_000 : Number.POSITIVE_INFINITY, refetchInterval: active ? 3_000 : false, select: decodeOverlay },
      ),
    ),
  });
  const byKey = new Map(wanted.map((key, at) => [key, answers[at]?.data ?? NO_CURVES]));
  const error = answers.find((answer) => answer.error)?.error;
  const xCurves = byKey.get(along === "time" ? ELAPSED : along);
  const place = useMemo((): Along => {
    const of = new Map(runs.map((run) => [run.id, run]));
    if (along === "epoch") return ({ runId, steps }, at) => ((steps[at] ?? 0) / Math.max(1, of.get(runId)?.totalSteps ?? 1)) * (of.get(runId)?.epochs ?? 1);
    if (along === "time") {
      const clocks = new Map(xCurves?.map((curve) => [curve.runId, curve]));
      return ({ runId, steps }, at) => {
        const [clock, step] = [clocks.get(runId), steps[at] ?? 0];
        // Of older releases only the mean pace is known.
        return clock ? secondsAt(clock.steps, (i) => clock.values[i * 3] ?? 0, step) : (step / Math.max(1, of.get(runId)?.step ?? 1)) * ((of.get(runId)?.elapsedMs ?? 0) / 1000);
      };
    }
    if (along.includes("/")) {
      const other = new Map(xCurves?.map((curve) => [curve.runId, curve]));
      return ({ runId, steps }, at) => valueBefore(other.get(runId), steps[at] ?? 0);
    }
    return ({ steps }, at) => steps[at] ?? 0;
  }, [along, runs, xCurves]);
  const onHover = useCallback(
    (x: number | null, runId: string | null) => {
      setHover(x);
      onChosen(runId);
    },
    [onChosen],
  );
  const reset = useCallback(() => setZoom(null), []);
  // Another axis has other places.
  useEffect(() => {
    setZoom(null);
    setHover(null);
  }, [along]);
  const alongWord = along.includes("/") ? metricTitle(along) : along === "time" ? "second" : along;

  return (
    <section aria-label={say("Curves")} className="space-y-2.5">
      <div className="flex flex-wrap items-center gap-3">
        <div className="flex items-center gap-2 text-sm text-ink2">
          <span aria-hidden>{say("Along")}</span>
          <Select aria-label={say("Along")} className="w-44" value={along} onChange={(event) => setAlong(event.target.value)}>
            <option value="step">{say("steps")}</option>
            <option value="epoch">{say("epochs")}</option>
            <option value="time">{say("training time")}</option>
            <optgroup label={say("Another metric")}>
              {keys
                .filter((key) => key.includes("/"))
                .map((key) => (
                  <option key={key} value={key}>
                    {metricTitle(key)}
                  </option>
                ))}
            </optgroup>
          </Select>
        </div>
        {zoom ? (
          <Button size="sm" onClick={reset}>
            {say("Show everything")}
          </Button>
        ) : (
          <p className="text-sm text-ink2 max-md:hidden">{say("Drag across a chart to zoom in.")}</p>
        )}
        <label className="ml-auto flex items-center gap-2 text-sm text-ink2">
          {say("Smoothing")}
          <input type="range" min={0} max={0.99} step={0.01} value={smoothing} onChange={(event) => setSmoothing(Number(event.target.value))} className="w-24 accent-accent" />
          <span className="figures w-7 text-right text-ink">{smoothing === 0 ? say("off") : printFixed(smoothing, 2)}</span>
        </label>
      </div>
      {error && <Failing what={say("The curves")} error={error} onRetry={() => answers.forEach((answer) => void answer.refetch())} />}
      <div className="grid gap-2.5 lg:grid-cols-2">
        {asked.map((key, at) => (
          <OverlayChart
            key={key}
            title={metricTitle(key)}
            unit={unitOf(key)}
            curves={byKey.get(key) ?? NO_CURVES}
            runs={shown}
            along={place}
            alongWord={alongWord}
            window={zoom}
            smoothing={key.startsWith("validation/") ? 0 : smoothing}
            chosen={chosen}
            hover={hover}
            onHover={onHover}
            onZoom={setZoom}
            onReset={reset}
            emptyWords={answers[at]?.isPending ? "" : shown.size === 0 ? say("Every run is hidden") : say("None of these runs has points of it")}
          />
        ))}
      </div>
      {keys.length > more && (
        <Button onClick={() => setMore(keys.length)}>{say("{count} more {count, plural, one {metric} other {metrics}}", { count: keys.length - more })}</Button>
      )}
    </section>
  );
}

/** What is asked for first: what the validation rows say, the losses, then the rest. */
function orderKeys(runs: readonly Compared[]): string[] {
  const counts = new Map<string, number>();
  for (const { summary } of runs) for (const key of Object.keys(summary)) counts.set(key, (counts.get(key) ?? 0) + 1);
  const rank = (key: string) => (key === "validation/loss" ? 0 : key === "train/loss" ? 1 : key.startsWith("validation/") ? 2 : key.startsWith("train/") ? 3 : 4);
  counts.delete(ELAPSED);
  return [...counts.keys()].sort((a, b) => rank(a) - rank(b) || (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || (a < b ? -1 : 1));
}
