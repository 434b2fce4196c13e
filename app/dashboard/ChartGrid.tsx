"use client";

import { memo, useCallback, useEffect, useMemo, useState } from "react";
import { printFixed } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { type ChartLayout, type ChartPlace, mergeCharts, moveChart, placeCharts } from "../../core/runs/charts.ts";
import { MACHINE_METRICS } from "../../core/runs/machine.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { Button } from "../ui/Button.tsx";
import { Select } from "../ui/Field.tsx";
import { formatCount } from "../ui/format.ts";
import { Menu } from "../ui/Menu.tsx";
import { Say } from "../ui/Say.tsx";
import { useAddress } from "../ui/useAddress.ts";
import { MarkLegend } from "./ChartMarks.tsx";
import { ChartTools, TALLER } from "./ChartTools.tsx";
import { type ChartPlan, type CurvePlan, LiveChart } from "./LiveChart.tsx";
import type { StepRange } from "./MetricChart.tsx";
import type { ChartMark } from "./marks.ts";
import type { MetricStore } from "./metricStore.ts";
import { isActive, metricName, metricTitle, type Run, unitOf } from "./run.ts";
import { lastStep } from "./series.ts";
import { useCharts } from "./useCharts.ts";
import { useFromMetrics } from "./useRun.ts";

const SMOOTHING_KEY = "tensorloom.smoothing";
/** Pixels of a chart's picture, where nobody made it taller. */
const HEIGHT = 196;

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
  // What decides how the page is laid out, and no more: it stays as it is while points come, and only the charts in sight are drawn anew.
  const names = useFromMetrics(store, (metrics) => [...metrics.keys()].join("\n"));
  const loaded = useFromMetrics(store, () => store.loaded);
  const reach = useFromMetrics(store, (metrics) => {
    const last = Math.max(0, ...[...metrics.values()].map(lastStep));
    // The frame grows in large steps, so that a live curve does not shrink under the eye at every point.
    return last === 0 ? 0 : status === "running" ? Math.min(Math.max(totalSteps, last), roundUp(last)) : last;
  });
  const keys = useMemo(() => (names === "" ? [] : names.split("\n")), [names]);
  const [zoom, setZoom] = useState<StepRange | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const [smoothing, setSmoothing] = useState(0);
  const [address, setAlong] = useAddress("x");
  const [layout, setLayout] = useCharts(runId, project.id, project.charts);
  const reset = useCallback(() => setZoom(null), []);
  const others = keys.filter((key) => key.includes("/") || key === "lr").sort();
  // What an address says of another run may not be there.
  const along = address === "epoch" ? (stepsPerEpoch >= 1 ? "epoch" : "step") : address === "time" || (address !== null && others.includes(address)) ? address : "step";

  useEffect(() => {
    const kept = Number(localStorage.getItem(SMOOTHING_KEY));
    if (kept > 0 && kept < 1) setSmoothing(kept);
  }, []);

  const whole = useMemo((): StepRange => [0, reach === 0 ? Math.max(10, totalSteps) : reach], [reach, totalSteps]);
  const range = zoom ?? whole;

  const judge = task && taskNamed(task).judgedBy;
  const charts = useMemo(() => chartsOf(keys, judge, rate), [keys, judge, rate]);
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
    (): ChartMark[] => [...events, ...(bestStep === null ? [] : [{ step: bestStep, kind: "best" as const, text: say("The best checkpoint so far.") }])],
    [events, bestStep],
  );
  const emptyWords = !loaded ? "" : isActive(status) ? say("No points yet") : say("No points were recorded");
  const bySteps = along === "step" || along === "epoch";
  const columns = shown.reduce((taken, { place }) => taken + (place.wide ? 2 : 1), 0);

  return (
    <section aria-label={say("Charts")} className="space-y-2.5">
      <div className="flex min-h-7 flex-wrap items-center gap-x-3 gap-y-1">
        {zoom ? (
          <p className="flex items-center gap-2">
            <span className="text-ink2">
              <Say
                text="Steps {zoom} to {zoom2}"
                with={{ zoom: <span className="figures">{formatCount(zoom[0])}</span>, zoom2: <span className="figures">{formatCount(zoom[1])}</span> }}
              />
            </span>
            <Button size="sm" onClick={reset}>
              {say("Show all steps")}
            </Button>
          </p>
        ) : (
          <p className="text-sm text-ink2 max-md:hidden">
            {bySteps || along === "time" ? say("Drag across a chart to zoom in.") : say("Each place is a value of the metric below.")}
          </p>
        )}
        <span className="ml-auto flex flex-wrap items-center gap-x-3 gap-y-1">
          {(away.length > 0 || layout.length > 0) && (
            <Menu
              align="end"
              items={[
                ...(away.length > 0
                  ? [{ label: say("Put away"), items: away.map(({ id, title }) => ({ label: title, run: () => change(id, { hidden: false }) })) }, "rule" as const]
                  : []),
                { label: say("As they were"), run: () => setLayout(null) },
              ]}
            >
              <Button size="sm">{away.length > 0 ? say("{count} put away", { count: away.length }) : say("Layout")}</Button>
            </Menu>
          )}
          <Select
            aria-label={say("Along the charts")}
            className="w-36 max-w-36"
            value={along}
            onChange={(event) => {
              setAlong(event.target.value === "step" ? null : event.target.value);
              setZoom(null);
              setHover(null);
            }}
          >
            <option value="step">{say("Steps")}</option>
            {stepsPerEpoch >= 1 && <option value="epoch">{say("Epochs")}</option>}
            <option value="time">{say("Training time")}</option>
            <optgroup label={say("Another metric")}>
              {others.map((key) => (
                <option key={key} value={key}>
                  {metricTitle(key)}
                </option>
              ))}
            </optgroup>
          </Select>
          <label className="flex items-center gap-2 text-sm text-ink2">
            {say("Smoothing")}
            <input
              type="range"
              min={0}
              max={0.99}
              step={0.01}
              value={smoothing}
              aria-valuetext={smoothing === 0 ? say("off") : printFixed(smoothing, 2)}
              onChange={(event) => {
                const weight = Number(event.target.value);
                setSmoothing(weight);
                localStorage.setItem(SMOOTHING_KEY, String(weight));
              }}
              className="w-24 accent-accent"
            />
            <span className="figures w-7 text-right text-ink">{smoothing === 0 ? say("off") : printFixed(smoothing, 2)}</span>
          </label>
        </span>
      </div>
      <MarkLegend marks={marks} />
      <div className="grid gap-2.5 md:grid-cols-2">
        {shown.map(({ chart, place }, index) => (
          <LiveChart
            key={chart.id}
            chart={chart}
            runId={runId}
            store={store}
            live={status === "running" && loaded}
            wide={place.wide || (columns % 2 === 1 && index === shown.length - 1)}
            along={along}
            range={range}
            zoom={zoom}
            stepsPerEpoch={along === "epoch" ? stepsPerEpoch : null}
            elapsedMs={elapsedMs}
            smoothing={smoothing}
            emptyWords={emptyWords}
            marks={marks}
            hover={hover}
            onHover={setHover}
            onZoom={setZoom}
            onReset={reset}
            height={HEIGHT + place.tall * TALLER}
            tools={
              <ChartTools
                title={chart.title}
                place={place}
                onMove={(to) => put(moveChart(places, chart.id, to))}
                onStep={(by) => {
                  const to = shown[index + by]?.place.id;
                  if (to !== undefined) put(moveChart(places, chart.id, to));
                }}
                onSize={(size) => change(chart.id, size)}
              />
            }
          />
        ))}
      </div>
    </section>
  );
});

function chartsOf(keys: readonly string[], judge: string | null, rate: string): ChartPlan[] {
  const judges = judge === null ? [] : [judge];
  const curve = (key: string, name: string, color: CurvePlan["color"], noisy: boolean): CurvePlan => ({ key, name, color, noisy });
  const pair = (name: string) => [curve(`train/${name}`, "train", "series-1", true), curve(`validation/${name}`, "validation", "series-2", false)];
  const names = [...new Set(keys.flatMap((key) => (key.includes("/") ? [key.slice(key.indexOf("/") + 1)] : [])))];
  const others = names.filter((name) => name !== "loss").sort();
  const together = TOGETHER.flatMap((group) => {
    const there = group.filter((name) => others.includes(name));
    return there.length > 1 ? [there] : [];
  });
  // Until the first points tell, the frame stands for the metric that the task will bring.
  const shown = others.length > 0 ? others.filter((name) => !together.flat().includes(name)) : judges;
  const single = (key: string, more: Partial<ChartPlan> = {}, noisy = true): ChartPlan => ({
    id: key,
    title: metricName(key),
    unit: unitOf(key),
    curves: [curve(key, "", "series-1", noisy)],
    ...more,
  });
  return [
    { id: "loss", title: say("Loss"), unit: unitOf("loss"), curves: pair("loss"), canLog: true },
    ...shown.map((name) => ({ id: name, title: metricName(name), unit: unitOf(name), curves: pair(name) })),
    ...together.map((group) => ({
      id: group.join(),
      title: group.map(metricName).join(", "),
      unit: unitOf(group[0] ?? ""),
      curves: group.map((name, i) => curve(`validation/${name}`, metricName(name), COLORS[i] ?? "series-1", false)),
    })),
    single("lr", { fromZero: true, note: rate }, false),
    single("samples_per_second", { fromZero: true }),
    ...(keys.includes("grad_norm") ? [single("grad_norm", { canLog: true })] : []),
    ...MACHINE_METRICS.filter((key) => keys.includes(key)).map((key) => single(key, { fromZero: true })),
  ];
}

/** Metrics of the validation rows that are read side by side. */
const TOGETHER: readonly (readonly string[])[] = [
  ["precision", "recall", "f1"],
  ["roc_auc", "pr_auc"],
  ["mean_iou", "mean_dice"],
];
const COLORS: readonly CurvePlan["color"][] = ["series-1", "series-2", "series-3"];

/** The next of 1, 1.5, 2, 3, 5, 7 times a power of ten. */
function roundUp(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return ([1, 1.5, 2, 3, 5, 7, 10].find((factor) => factor * power >= step) ?? 10) * power;
}
