"use client";

import { memo, useCallback, useEffect, useMemo, useState } from "react";
import { taskNamed } from "../../core/tasks/index.ts";
import { Button } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { formatCount } from "../ui/format.ts";
import { Segments } from "../ui/Segments.tsx";
import { MarkLegend } from "./ChartMarks.tsx";
import { type Curve, MetricChart, type StepRange } from "./MetricChart.tsx";
import type { ChartMark } from "./marks.ts";
import type { MetricStore } from "./metricStore.ts";
import { isActive, metricName, type Run, unitOf } from "./run.ts";
import { emptySeries, lastStep } from "./series.ts";
import { useMetrics, useZoomedMetrics } from "./useRun.ts";

const SMOOTHING_KEY = "tensorloom.smoothing";

/**
 * The run's charts, two by two, all over the same steps: pointing at one reads them all, zooming one zooms them all.
 * Metrics this page does not know by name get a chart too.
 */
export const ChartGrid = memo(function ChartGrid({
  runId,
  store,
  status,
  totalSteps,
  stepsPerEpoch,
  rate,
  task,
  bestStep,
  events,
}: {
  runId: string;
  store: MetricStore;
  status: Run["status"];
  totalSteps: number;
  /** Steps of one pass over the training rows; 0: not known. */
  stepsPerEpoch: number;
  /** What the learning rate follows. */
  rate: string;
  task: Run["dataset"]["task"];
  /** Where the best checkpoint stands. */
  bestStep: number | null;
  /** What befell the run. */
  events: Run["marks"];
}) {
  const live = useMetrics(store);
  const [zoom, setZoom] = useState<StepRange | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const [smoothing, setSmoothing] = useState(0);
  const [along, setAlong] = useState<"steps" | "epochs">("steps");
  const metrics = useZoomedMetrics(runId, live, zoom);
  const reset = useCallback(() => setZoom(null), []);

  useEffect(() => {
    const kept = Number(localStorage.getItem(SMOOTHING_KEY));
    if (kept > 0 && kept < 1) setSmoothing(kept);
  }, []);

  const lastAny = Math.max(0, ...[...live.values()].map(lastStep));
  // The frame grows in large steps, so that a live curve does not shrink under the eye at every point.
  const whole: StepRange = [0, lastAny === 0 ? Math.max(10, totalSteps) : status === "running" ? Math.min(Math.max(totalSteps, lastAny), roundUp(lastAny)) : lastAny];
  const range = zoom ?? whole;

  const judge = task && taskNamed(task).judgedBy;
  const charts = useMemo(() => {
    const judges = judge === null ? [] : [judge];
    const curve = (key: string, name: string, color: Curve["color"], noisy: boolean): Curve => ({ name, color, series: metrics.get(key) ?? emptySeries, noisy });
    const pair = (name: string) => [curve(`train/${name}`, "train", "series-1", true), curve(`validation/${name}`, "validation", "series-2", false)];
    const names = [...new Set([...metrics.keys()].flatMap((key) => (key.includes("/") ? [key.slice(key.indexOf("/") + 1)] : [])))];
    const others = names.filter((name) => name !== "loss").sort();
    const together = TOGETHER.flatMap((group) => {
      const there = group.filter((name) => others.includes(name));
      return there.length > 1 ? [there] : [];
    });
    // Until the first points tell, the frame stands for the metric that the task will bring.
    const shown = others.length > 0 ? others.filter((name) => !together.flat().includes(name)) : judges;
    return [
      { id: "loss", title: "Loss", unit: unitOf("loss"), curves: pair("loss"), canLog: true },
      ...shown.map((name) => ({ id: name, title: metricName(name), unit: unitOf(name), curves: pair(name) })),
      ...together.map((group) => ({
        id: group.join(),
        title: group.map(metricName).join(", "),
        unit: unitOf(group[0] ?? ""),
        curves: group.map((name, i) => curve(`validation/${name}`, metricName(name), COLORS[i] ?? "series-1", false)),
      })),
      { id: "lr", title: "Learning rate", unit: unitOf("lr"), curves: [curve("lr", "", "series-1", false)], fromZero: true, note: rate },
      { id: "samples_per_second", title: "Samples per second", unit: unitOf("samples_per_second"), curves: [curve("samples_per_second", "", "series-1", true)], fromZero: true },
      { id: "grad_norm", title: "Gradient norm", unit: unitOf("grad_norm"), curves: [curve("grad_norm", "", "series-1", true)], canLog: true },
    ].filter(({ id }) => id !== "grad_norm" || metrics.has("grad_norm"));
  }, [metrics, judge, rate]);

  const marks = useMemo(
    (): ChartMark[] => [...events, ...(bestStep === null ? [] : [{ step: bestStep, kind: "best" as const, text: "The best checkpoint so far." }])],
    [events, bestStep],
  );

  return (
    <section aria-label="Charts" className="space-y-2.5">
      <div className="flex min-h-7 flex-wrap items-center gap-x-3 gap-y-1">
        {zoom ? (
          <p className="flex items-center gap-2">
            <span className="text-ink2">
              Steps <span className="figures">{formatCount(zoom[0])}</span> to <span className="figures">{formatCount(zoom[1])}</span>
            </span>
            <Button size="sm" onClick={reset}>
              Show all steps
            </Button>
          </p>
        ) : (
          <p className="text-sm text-ink2 max-md:hidden">Drag across a chart to zoom in.</p>
        )}
        {stepsPerEpoch >= 1 && (
          <span className="ml-auto">
            <Segments
              label="Along the charts"
              options={[
                { id: "steps", title: "Steps" },
                { id: "epochs", title: "Epochs" },
              ]}
              value={along}
              onValue={setAlong}
            />
          </span>
        )}
        <label className={cx("flex items-center gap-2 text-sm text-ink2", stepsPerEpoch < 1 && "ml-auto")}>
          Smoothing
          <input
            type="range"
            min={0}
            max={0.99}
            step={0.01}
            value={smoothing}
            aria-valuetext={smoothing === 0 ? "off" : smoothing.toFixed(2)}
            onChange={(event) => {
              const weight = Number(event.target.value);
              setSmoothing(weight);
              localStorage.setItem(SMOOTHING_KEY, String(weight));
            }}
            className="w-24 accent-accent"
          />
          <span className="figures w-7 text-right text-ink">{smoothing === 0 ? "off" : smoothing.toFixed(2)}</span>
        </label>
      </div>
      <MarkLegend marks={marks} />
      <div className="grid gap-2.5 md:grid-cols-2">
        {charts.map(({ id, curves, ...chart }, index) => (
          <MetricChart
            key={id}
            {...chart}
            curves={curves}
            range={range}
            stepsPerEpoch={along === "epochs" ? stepsPerEpoch : null}
            smoothing={smoothing}
            emptyWords={!store.loaded ? "" : isActive(status) ? "No points yet" : "No points were recorded"}
            marks={marks}
            hover={hover}
            onHover={setHover}
            onZoom={setZoom}
            onReset={reset}
            className={cx(charts.length % 2 === 1 && index === charts.length - 1 && "md:col-span-2")}
          />
        ))}
      </div>
    </section>
  );
});

/** Metrics of the validation rows that are read side by side. */
const TOGETHER: readonly (readonly string[])[] = [
  ["precision", "recall", "f1"],
  ["roc_auc", "pr_auc"],
  ["mean_iou", "mean_dice"],
];
const COLORS: readonly Curve["color"][] = ["series-1", "series-2", "series-3"];

/** The next of 1, 1.5, 2, 3, 5, 7 times a power of ten. */
function roundUp(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return ([1, 1.5, 2, 3, 5, 7, 10].find((factor) => factor * power >= step) ?? 10) * power;
}
