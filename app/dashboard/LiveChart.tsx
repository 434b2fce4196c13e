"use client";

import { memo, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { say } from "../../core/language/say.ts";
import { ELAPSED } from "../../core/runs/machine.ts";
import { cx } from "../ui/cx.ts";
import { OverlayChart, type ShownRun } from "./compare/OverlayChart.tsx";
import { type Along, type Curve as PlacedCurve, secondsAt } from "./compare/overlay.ts";
import type { Unit } from "./figures.ts";
import { type Curve, MetricChart, type StepRange } from "./MetricChart.tsx";
import type { ChartMark } from "./marks.ts";
import type { MetricStore } from "./metricStore.ts";
import { metricTitle } from "./run.ts";
import { emptySeries, lastStep, nearestBucket, type Series } from "./series.ts";
import { useMetrics, useZoomedMetrics } from "./useRun.ts";

/** Which metric a curve shows, and how. */
export type CurvePlan = Pick<Curve, "name" | "color" | "noisy"> & { key: string };

/** What a chart shows, whatever its points are. */
export type ChartPlan = { id: string; title: string; unit: Unit; curves: readonly CurvePlan[]; canLog?: boolean; fromZero?: boolean; note?: string };

/** What of a chart's width is no picture, in pixels. */
const ASIDE = 68;

/** How long a chart keeps its picture while a finer one is on its way. */
const PATIENCE_MS = 250;

/** So far outside the window a chart is drawn already: it is there when it is scrolled to. */
const AHEAD = "120px";

/**
 * A chart that follows its metrics by itself, so that new points draw this chart and not the page. While the run trains, one that is not on the screen stays as it
 * was last drawn, and catches up when it is scrolled to.
 */
export const LiveChart = memo(function LiveChart({
  chart: { id, curves: plans, ...chart },
  runId,
  store,
  live,
  wide,
  along,
  range,
  zoom,
  stepsPerEpoch,
  elapsedMs,
  marks,
  ...shared
}: {
  chart: ChartPlan;
  runId: string;
  store: MetricStore;
  /** Points come all the time. */
  live: boolean;
  /** As wide as two. */
  wide: boolean;
  /** `step`, `epoch`, `time`, or a metric. */
  along: string;
  range: StepRange;
  zoom: StepRange | null;
  stepsPerEpoch: number | null;
  /** How long it trained; null while that still grows. */
  elapsedMs: number | null;
  smoothing: number;
  emptyWords: string;
  marks: readonly ChartMark[];
  hover: number | null;
  onHover: (x: number | null) => void;
  onZoom: (range: StepRange) => void;
  onReset: () => void;
  height: number;
  tools: ReactNode;
}) {
  const ref = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(true);
  useEffect(() => {
    if (!ref.current) return;
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting ?? true), { rootMargin: AHEAD });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  const rests = !seen && (live || zoom !== null);
  const metrics = useMetrics(store, !rests);
  const keys = useMemo(() => [...plans.map(({ key }) => key), ...(along === "step" || along === "epoch" || along === "time" ? [] : [along])], [plans, along]);
  // Charts on the screen ask first; others when they are scrolled to.
  const [zoomed, isComing] = useZoomedMetrics(runId, store, keys, zoom, seen, (ref.current?.clientWidth ?? 0) - ASIDE);
  const [late, setLate] = useState<StepRange | null>(null);
  useEffect(() => {
    if (!isComing) return;
    const timer = setTimeout(() => setLate(zoom), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isComing, zoom]);
  const drawn = useRef<ReactNode>(null);
  // What comes at once is waited for: drawing the coarse curve in between would only hold it up.
  if (!rests && !(isComing && late !== zoom && drawn.current !== null)) {
    const seriesOf = (key: string): Series => zoomed?.get(key) ?? metrics.get(key) ?? emptySeries;
    const curves = plans.map(({ key, ...plan }): Curve => ({ ...plan, series: seriesOf(key) }));
    const last = elapsedMs === null ? 0 : Math.max(0, ...[...metrics.values()].map(lastStep));
    drawn.current =
      along === "step" || along === "epoch" ? (
        <MetricChart {...chart} {...shared} curves={curves} range={range} stepsPerEpoch={stepsPerEpoch} marks={marks} />
      ) : (
        <PlacedChart
          title={chart.title}
          unit={chart.unit}
          {...shared}
          curves={curves}
          along={along}
          clock={metrics.get(ELAPSED) ?? emptySeries}
          pace={elapsedMs === null || last === 0 ? null : elapsedMs / 1_000 / last}
          other={seriesOf(along)}
          zoom={zoom}
        />
      );
  }
  return (
    <div ref={ref} data-chart={id} className={cx("min-w-0", wide && "md:col-span-2")}>
      {drawn.current}
    </div>
  );
});

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
  unit: Unit;
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
  tools: ReactNode;
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
      alongWord={along === "time" ? say("second") : metricTitle(along)}
      noun={say("curves")}
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
