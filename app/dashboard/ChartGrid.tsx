"use client";

import { memo, useCallback, useEffect, useMemo, useState } from "react";
import { type ChartLayout, type ChartPlace, mergeCharts, moveChart, placeCharts } from "../../core/runs/charts.ts";
import { ELAPSED, MACHINE_METRICS } from "../../core/runs/machine.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { Button } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { Select } from "../ui/Field.tsx";
import { formatCount } from "../ui/format.ts";
import { Menu } from "../ui/Menu.tsx";
import { MarkLegend } from "./ChartMarks.tsx";
import { ChartTools, TALLER } from "./ChartTools.tsx";
import { OverlayChart, type ShownRun } from "./compare/OverlayChart.tsx";
import { type Along, type Curve as PlacedCurve, secondsAt } from "./compare/overlay.ts";
import { type Curve, MetricChart, type StepRange } from "./MetricChart.tsx";
import type { ChartMark } from "./marks.ts";
import type { MetricStore, Metrics } from "./metricStore.ts";
import { isActive, metricName, metricTitle, type Run, unitOf } from "./run.ts";
import { emptySeries, lastStep, nearestBucket, type Series } from "./series.ts";
import { useAddress, useCharts } from "./useCharts.ts";
import { useMetrics, useZoomedMetrics } from "./useRun.ts";

const SMOOTHING_KEY = "tensorloom.smoothing";
/** Pixels of a chart's picture, where nobody made it taller. */
const HEIGHT = 196;

type Chart = { id: string; title: string; unit: ReturnType<typeof unitOf>; curves: Curve[]; canLog?: boolean; fromZero?: boolean; note?: string };

/**
 * The run's charts, two by two, all over the same steps, epochs, time or metric: pointing at one reads them all, zooming one zooms them all. They can be put in
 * another order, made larger and put away. Metrics this page does not know by name get a chart too.
 */
export const ChartGrid = memo(function ChartGrid({
  runId,
  project,
  store,
  status,
  totalSteps,
  stepsPerEpoch,
  elapsedMs,
  rate,
  task,
  bestStep,
  events,
}: {
  runId: string;
  /** Whose runs share a layout. */
  project: { id: string; charts: ChartLayout | null };
  store: MetricStore;
  status: Run["status"];
  totalSteps: number;
  /** Steps of one pass over the training rows; 0: not known. */
  stepsPerEpoch: number;
  /** How long it trained; null while that still grows. */
  elapsedMs: number | null;
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
  const [address, setAlong] = useAddress("x");
  const [layout, setLayout] = useCharts(runId, project.id, project.charts);
  const metrics = useZoomedMetrics(runId, live, zoom);
  const reset = useCallback(() => setZoom(null), []);
  const others = [...live.keys()].filter((key) => key.includes("/") || key === "lr").sort();
  // What an address says of another run may not be there.
  const along = address === "epoch" ? (stepsPerEpoch >= 1 ? "epoch" : "step") : address === "time" || (address !== null && others.includes(address)) ? address : "step";

  useEffect(() => {
    const kept = Number(localStorage.getItem(SMOOTHING_KEY));
    if (kept > 0 && kept < 1) setSmoothing(kept);
  }, []);

  const lastAny = Math.max(0, ...[...live.values()].map(lastStep));
  // The frame grows in large steps, so that a live curve does not shrink under the eye at every point.
  const whole: StepRange = [0, lastAny === 0 ? Math.max(10, totalSteps) : status === "running" ? Math.min(Math.max(totalSteps, lastAny), roundUp(lastAny)) : lastAny];
  const range = zoom ?? whole;

  const judge = task && taskNamed(task).judgedBy;
  const charts = useMemo(() => chartsOf(metrics, judge, rate), [metrics, judge, rate]);
  const places = placeCharts(
    charts.map(({ id }) => id),
    layout,
  );
  const shown = places.flatMap((place) => {
    const chart = place.hidden ? undefined : charts.find(({ id }) => id === place.id);
    return chart ? [{ chart, place }] : [];
  });
  const away = places.flatMap((place) => (place.hidden ? (charts.find(({ id }) => id === place.id) ?? []) : []));
  const put = (next: readonly ChartPlace[]) => setLayout(mergeCharts(layout, next));
  const change = (id: string, part: Partial<ChartPlace>) => put(places.map((place) => (place.id === id ? { ...place, ...part } : place)));

  const marks = useMemo(
    (): ChartMark[] => [...events, ...(bestStep === null ? [] : [{ step: bestStep, kind: "best" as const, text: "The best checkpoint so far." }])],
    [events, bestStep],
  );
  const emptyWords = !store.loaded ? "" : isActive(status) ? "No points yet" : "No points were recorded";
  const bySteps = along === "step" || along === "epoch";
  const columns = shown.reduce((taken, { place }) => taken + (place.wide ? 2 : 1), 0);

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
          <p className="text-sm text-ink2 max-md:hidden">{bySteps || along === "time" ? "Drag across a chart to zoom in." : "Each place is a value of the metric below."}</p>
        )}
        <span className="ml-auto flex flex-wrap items-center gap-x-3 gap-y-1">
          {(away.length > 0 || layout.length > 0) && (
            <Menu
              align="end"
              items={[
                ...(away.length > 0
                  ? [{ label: "Put away", items: away.map(({ id, title }) => ({ label: title, run: () => change(id, { hidden: false }) })) }, "rule" as const]
                  : []),
                { label: "As they were", run: () => setLayout(null) },
              ]}
            >
              <Button size="sm">{away.length > 0 ? `${away.length} put away` : "Layout"}</Button>
            </Menu>
          )}
          <Select
            aria-label="Along the charts"
            className="w-36 max-w-36"
            value={along}
            onChange={(event) => {
              setAlong(event.target.value === "step" ? null : event.target.value);
              setZoom(null);
              setHover(null);
            }}
          >
            <option value="step">Steps</option>
            {stepsPerEpoch >= 1 && <option value="epoch">Epochs</option>}
            <option value="time">Training time</option>
            <optgroup label="Another metric">
              {others.map((key) => (
                <option key={key} value={key}>
                  {metricTitle(key)}
                </option>
              ))}
            </optgroup>
          </Select>
          <label className="flex items-center gap-2 text-sm text-ink2">
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
        </span>
      </div>
      <MarkLegend marks={marks} />
      <div className="grid gap-2.5 md:grid-cols-2">
        {shown.map(({ chart: { id, ...chart }, place }, index) => {
          const isAlone = columns % 2 === 1 && index === shown.length - 1;
          const height = HEIGHT + place.tall * TALLER;
          const tools = (
            <ChartTools
              title={chart.title}
              place={place}
              onMove={(to) => put(moveChart(places, id, to))}
              onStep={(by) => {
                const to = shown[index + by]?.place.id;
                if (to !== undefined) put(moveChart(places, id, to));
              }}
              onSize={(size) => change(id, size)}
            />
          );
          return (
            <div key={id} data-chart={id} className={cx("min-w-0", (place.wide || isAlone) && "md:col-span-2")}>
              {bySteps ? (
                <MetricChart
                  {...chart}
                  range={range}
                  stepsPerEpoch={along === "epoch" ? stepsPerEpoch : null}
                  smoothing={smoothing}
                  emptyWords={emptyWords}
                  marks={marks}
                  hover={hover}
                  onHover={setHover}
                  onZoom={setZoom}
                  onReset={reset}
                  height={height}
                  tools={tools}
                />
              ) : (
                <PlacedChart
                  title={chart.title}
                  unit={chart.unit}
                  curves={chart.curves}
                  along={along}
                  clock={live.get(ELAPSED) ?? emptySeries}
                  pace={elapsedMs === null || lastAny === 0 ? null : elapsedMs / 1_000 / lastAny}
                  other={metrics.get(along) ?? emptySeries}
                  zoom={zoom}
                  smoothing={smoothing}
                  hover={hover}
                  onHover={setHover}
                  onZoom={setZoom}
                  onReset={reset}
                  emptyWords={emptyWords}
                  height={height}
                  tools={tools}
                />
              )}
            </div>
          );
        })}
      </div>
    </section>
  );
});

function chartsOf(metrics: Metrics, judge: string | null, rate: string): Chart[] {
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
  const single = (key: string, more: Partial<Chart> = {}, noisy = true): Chart => ({
    id: key,
    title: metricName(key),
    unit: unitOf(key),
    curves: [curve(key, "", "series-1", noisy)],
    ...more,
  });
  return [
    { id: "loss", title: "Loss", unit: unitOf("loss"), curves: pair("loss"), canLog: true },
    ...shown.map((name) => ({ id: name, title: metricName(name), unit: unitOf(name), curves: pair(name) })),
    ...together.map((group) => ({
      id: group.join(),
      title: group.map(metricName).join(", "),
      unit: unitOf(group[0] ?? ""),
      curves: group.map((name, i) => curve(`validation/${name}`, metricName(name), COLORS[i] ?? "series-1", false)),
    })),
    single("lr", { fromZero: true, note: rate }, false),
    single("samples_per_second", { fromZero: true }),
    ...(metrics.has("grad_norm") ? [single("grad_norm", { canLog: true })] : []),
    ...MACHINE_METRICS.filter((key) => metrics.has(key)).map((key) => single(key, { fromZero: true })),
  ];
}

/** One chart along something else than steps: seconds of training, or another metric's value. */
function PlacedChart({
  curves,
  along,
  clock,
  pace,
  other,
  zoom,
  onZoom,
  onHover,
  smoothing,
  ...chart
}: {
  title: string;
  unit: Chart["unit"];
  curves: readonly Curve[];
  /** `time`, or a metric. */
  along: string;
  clock: Series;
  /** Seconds a step, where no clock was kept. */
  pace: number | null;
  other: Series;
  zoom: StepRange | null;
  smoothing: number;
  hover: number | null;
  onHover: (x: number | null) => void;
  /** In steps: what is asked for anew. */
  onZoom: (range: StepRange) => void;
  onReset: () => void;
  emptyWords: string;
  height: number;
  tools: React.ReactNode;
}) {
  const clockSteps = useMemo(() => clock.buckets.map(({ to }) => to), [clock]);
  const secondsOf = useCallback(
    (step: number) => (clockSteps.length > 0 ? secondsAt(clockSteps, (at) => clock.buckets[at]?.last ?? 0, step) : pace === null ? Number.NaN : pace * step),
    [clock, clockSteps, pace],
  );
  const runs = useMemo(
    () => new Map(curves.map(({ name, color }): [string, ShownRun] => [name, { id: name, name: name || chart.title, colour: `var(--${color})`, dash: [] }])),
    [curves, chart.title],
  );
  const placed = useMemo(
    () =>
      curves
        .filter(({ series }) => series.buckets.length > 0)
        .map(({ name, series: { buckets } }): PlacedCurve & { x: Float64Array } => {
          const inside = zoom ? buckets.filter(({ to, from }) => to >= zoom[0] && from <= zoom[1]) : buckets;
          return {
            runId: name,
            steps: Int32Array.from(inside, ({ to }) => to),
            values: Float32Array.from(inside.flatMap(({ last, min, max }) => [last ?? Number.NaN, min ?? Number.NaN, max ?? Number.NaN])),
            x: Float64Array.from(inside, ({ to }) => (along === "time" ? secondsOf(to) : (nearestBucket(other, to)?.last ?? Number.NaN))),
          };
        }),
    [curves, zoom, along, secondsOf, other],
  );
  const place = useCallback<Along>((curve, at) => (curve as (typeof placed)[number]).x[at] ?? Number.NaN, []);
  const [chosen, setChosen] = useState<string | null>(null);
  return (
    <OverlayChart
      {...chart}
      curves={placed}
      runs={runs}
      along={place}
      alongWord={along === "time" ? "second" : metricTitle(along)}
      noun="curves"
      window={null}
      smoothing={curves.some(({ noisy }) => noisy) ? smoothing : 0}
      chosen={chosen}
      onHover={(x, id) => {
        onHover(x);
        setChosen(id);
      }}
      onZoom={([from, to]) => {
        const steps = placed.flatMap(({ steps, x }) => [...steps].filter((_, at) => (x[at] ?? Number.NaN) >= from && (x[at] ?? Number.NaN) <= to));
        if (steps.length > 1) onZoom([Math.min(...steps), Math.max(...steps)]);
      }}
    />
  );
}

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
