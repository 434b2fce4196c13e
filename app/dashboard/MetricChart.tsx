"use client";

import { type KeyboardEvent, memo, type PointerEvent, type ReactNode, useMemo, useRef, useState } from "react";
import { CartesianGrid, ComposedChart, XAxis, YAxis } from "recharts";
import { say } from "../../core/language/say.ts";
import { cx } from "../ui/cx.ts";
import { formatCount } from "../ui/format.ts";
import { ChartMarks, MarkWords } from "./ChartMarks.tsx";
import { bandPath, cutOf, linePath, type Row, rowsOf } from "./curvePath.ts";
import { formatExact, formatFigure, formatTick, type Unit } from "./figures.ts";
import { type ChartMark, clusterAt, clusterMarks, type MarkCluster } from "./marks.ts";
import { extent, lastStep, lastValue, nearestBucket, pointCount, type Series } from "./series.ts";
import { logTicks, niceRange, niceTicks } from "./ticks.ts";
import { useSize } from "./useSize.ts";

/** One curve. Only noisy ones (values of single batches) are smoothed. */
export type Curve = { name: string; color: "series-1" | "series-2" | "series-3"; series: Series; noisy: boolean };

/** A range of steps, both ends in it. */
export type StepRange = readonly [from: number, to: number];

type MetricChartProps = {
  title: string;
  unit: Unit;
  curves: readonly Curve[];
  /** Steps the frame spans. */
  range: StepRange;
  /** Steps of an epoch, where the axis counts epochs; null: it counts steps. */
  stepsPerEpoch?: number | null;
  /** The value axis starts at zero. */
  fromZero?: boolean;
  /** Offers a logarithmic value axis. */
  canLog?: boolean;
  /** A word at the right of the title instead of a legend. */
  note?: ReactNode;
  /** What stands in a chart without points. */
  emptyWords: string;
  /** What befell the run, and where its best checkpoint stands. */
  marks?: readonly ChartMark[];
  /** Smoothing of noisy curves, 0 (off) up to 1. */
  smoothing: number;
  /** The step that the pointer is on, in whichever chart. */
  hover: number | null;
  onHover: (step: number | null) => void;
  onZoom: (range: StepRange) => void;
  onReset: () => void;
  className?: string;
  /** Of the picture, in pixels. */
  height?: number;
  /** What moves and sizes the chart. */
  tools?: ReactNode;
};

const NO_MARKS: readonly ChartMark[] = [];
/** Pixels under which marks are drawn as one, and within which a pointer means one. */
const MARK_GAP = 15;
const MARK_REACH = 8;

/** Title and border around the picture, in pixels. */
const HEAD = 38;
const FRAME = { top: 8, right: 16, bottom: 22, left: 46 };

/**
 * A metric over steps. Coarse stretches show their lowest and highest value as a band around the curve, so nothing is
 * lost by drawing less. Pointing reads exact values; dragging along steps zooms; arrow keys do the same reading.
 */
export function MetricChart({
  title,
  unit,
  curves,
  range,
  stepsPerEpoch = null,
  fromZero = false,
  canLog = false,
  note,
  emptyWords,
  marks = NO_MARKS,
  smoothing,
  hover,
  onHover,
  onZoom,
  onReset,
  className,
  height = 196,
  tools,
}: MetricChartProps) {
  const [ref, size] = useSize<HTMLDivElement>();
  const [log, setLog] = useState(false);
  const [drag, setDrag] = useState<StepRange | null>(null);
  const dragFrom = useRef<number | null>(null);
  // Every chart shows where the pointer is; only the one it is on has the box of exact values.
  const [pointed, setPointed] = useState(false);

  const [alone, setAlone] = useState<string | null>(null);
  const known = curves.filter(({ series }) => series.buckets.length > 0);
  // A curve that is gone cannot be the only one shown.
  const drawn = alone !== null && known.some(({ name }) => name === alone) ? known.filter(({ name }) => name === alone) : known;
  const values = valueRange(
    drawn.map(({ series }) => series),
    range,
    unit,
    fromZero,
    log,
  );
  const plot = size && { width: size.width - FRAME.left - FRAME.right, height: size.height - FRAME.top - FRAME.bottom };
  const toX = (step: number) => FRAME.left + ((step - range[0]) / Math.max(1, range[1] - range[0])) * (plot?.width ?? 0);
  const toY = (value: number) => FRAME.top + (1 - share(value, values.domain, log)) * (plot?.height ?? 0);

  function stepAt(event: PointerEvent<HTMLDivElement>): number {
    const box = event.currentTarget.getBoundingClientRect();
    const along = (event.clientX - box.left - FRAME.left) / Math.max(1, box.width - FRAME.left - FRAME.right);
    return Math.round(range[0] + Math.min(1, Math.max(0, along)) * (range[1] - range[0]));
  }

  function read(event: KeyboardEvent<HTMLDivElement>): void {
    const dense = drawn[0]?.series;
    if (event.key === "Escape") {
      if (hover !== null) onHover(null);
      else onReset();
      return;
    }
    if (!dense || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    setPointed(true);
    const inside = dense.buckets.filter(({ to }) => to >= range[0] && to <= range[1]);
    const at = inside.findIndex(({ to }) => to >= (hover ?? range[1]));
    const by = event.shiftKey ? 10 : 1;
    const next =
      event.key === "Home" ? 0 : event.key === "End" ? inside.length - 1 : event.key === "ArrowLeft" ? (at < 0 ? inside.length : at) - by : at < 0 ? inside.length - 1 : at + by;
    onHover(inside[Math.min(inside.length - 1, Math.max(0, next))]?.to ?? null);
  }

  const latest = drawn.map(({ name, series }) => `${name} ${figureOf(lastValue(series), unit)}`.trim()).join(", ");
  const last = Math.max(0, ...curves.map(({ series }) => lastStep(series)));
  const readout =
    hover === null
      ? []
      : drawn.flatMap((curve) => {
          const bucket = nearestBucket(curve.series, hover);
          return bucket ? [{ curve, bucket }] : [];
        });
  const nearest = readout[0]?.bucket;
  const clusters = plot && drawn.length > 0 ? clusterMarks(marks, range, toX, MARK_GAP) : [];
  const meant = hover === null ? null : clusterAt(clusters, toX(hover), MARK_REACH);

  return (
    <section
      // Its size does not follow from what is in it: new figures have this chart laid out again, and not the page.
      style={{ height: height + HEAD, contain: "size layout style" }}
      className={cx("group/chart relative min-w-0 rounded-xl border border-line bg-raise", pointed && "z-10", className)}
      aria-label={title}
    >
      <header className="flex h-9 items-center gap-2 pt-1 pr-3.5 pl-3.5">
        <h2 className="truncate font-semibold">{title}</h2>
        {canLog && (
          <button
            type="button"
            aria-pressed={log}
            aria-label={say("{title} on a log scale", { title })}
            onClick={() => setLog(!log)}
            className={cx(
              "figures rounded-sm border px-1.5 leading-4 transition-colors duration-100",
              log ? "border-accent bg-accent-soft text-accent" : "border-line text-ink2 hover:border-line2 hover:text-ink",
            )}
          >
            {say("log")}
          </button>
        )}
        {tools}
        <div className="ml-auto flex min-w-0 items-center gap-3 text-sm text-ink2">
          {note ??
            known.map(({ name, color, series }) => {
              const figure = figureOf(hover === null ? lastValue(series) : (nearestBucket(series, hover)?.last ?? null), unit);
              const words = (
                <>
                  {name && <span aria-hidden className="size-2 rounded-[2px]" style={{ background: `var(--${color})` }} />}
                  {name} {figure}
                </>
              );
              const look = "flex items-center gap-1.5 whitespace-nowrap tabular-nums";
              return known.length < 2 ? (
                <span key={name} className={look}>
                  {words}
                </span>
              ) : (
                <button
                  key={name}
                  type="button"
                  aria-pressed={alone === name}
                  title={alone === name ? say("Show all curves") : say("Show {name} alone", { name })}
                  onClick={() => setAlone(alone === name ? null : name)}
                  className={cx(look, "hover:text-ink", alone !== null && alone !== name && "opacity-45")}
                >
                  {words}
                </button>
              );
            })}
        </div>
      </header>
      <div
        ref={ref}
        role="img"
        aria-label={drawn.length === 0 ? say("{title}: no points yet", { title }) : say("{title}: {latest} at step {last}", { title, latest, last: formatCount(last) })}
        aria-roledescription={say("chart")}
        data-last-step={last}
        data-point-count={curves.reduce((sum, { series }) => sum + pointCount(series), 0)}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys read the picture's values, as pointing does.
        tabIndex={0}
        onKeyDown={read}
        onBlur={() => {
          setPointed(false);
          onHover(null);
        }}
        onPointerDown={(event) => {
          if (event.button !== 0 || event.pointerType === "touch") return;
          event.currentTarget.setPointerCapture(event.pointerId);
          dragFrom.current = stepAt(event);
        }}
        onPointerMove={(event) => {
          const step = stepAt(event);
          setPointed(true);
          onHover(step);
          if (dragFrom.current !== null && step !== dragFrom.current) setDrag([Math.min(step, dragFrom.current), Math.max(step, dragFrom.current)]);
        }}
        onPointerUp={() => {
          dragFrom.current = null;
          setDrag(null);
          if (drag && drag[1] - drag[0] >= 4 && toX(drag[1]) - toX(drag[0]) > 6) onZoom(drag);
        }}
        onPointerCancel={() => {
          dragFrom.current = null;
          setDrag(null);
        }}
        onPointerLeave={() => {
          setPointed(false);
          onHover(null);
        }}
        onDoubleClick={onReset}
        style={{ height }}
        className="relative cursor-crosshair touch-pan-y select-none rounded-b-xl"
      >
        {size && size.width > 0 && <Frame range={range} stepsPerEpoch={stepsPerEpoch} values={values} unit={unit} log={log} width={size.width} height={size.height} />}
        {plot && plot.width > 0 && (
          <svg
            aria-hidden
            className="pointer-events-none absolute"
            style={{ left: FRAME.left, top: FRAME.top - 2 }}
            width={plot.width}
            height={plot.height + 4}
            viewBox={`0 -2 ${plot.width} ${plot.height + 4}`}
          >
            {drawn.map((curve) => (
              <CurvePaths key={curve.name} curve={curve} range={range} domain={values.domain} log={log} smoothing={smoothing} width={plot.width} height={plot.height} />
            ))}
          </svg>
        )}
        {drawn.length === 0 && <p className="absolute inset-0 grid place-items-center pb-4 text-sm text-ink2">{emptyWords}</p>}
        {plot && nearest && (
          <svg aria-hidden className="pointer-events-none absolute inset-0" width={size.width} height={size.height}>
            <line x1={toX(nearest.to)} x2={toX(nearest.to)} y1={FRAME.top} y2={FRAME.top + plot.height} stroke="var(--line2)" />
            {readout.map(({ curve, bucket }) =>
              bucket.last === null || (log && bucket.last <= 0) ? null : (
                <circle key={curve.name} cx={toX(bucket.to)} cy={toY(bucket.last)} r={3} fill={`var(--${curve.color})`} stroke="var(--raise)" strokeWidth={1.5} />
              ),
            )}
          </svg>
        )}
        {plot && clusters.length > 0 && <ChartMarks clusters={clusters} top={FRAME.top} height={plot.height} width={size.width} pointed={meant} />}
        {plot && drag && (
          <div
            aria-hidden
            className="pointer-events-none absolute border-x border-accent bg-accent-soft opacity-60"
            style={{ left: toX(drag[0]), width: toX(drag[1]) - toX(drag[0]), top: FRAME.top, height: plot.height }}
          />
        )}
        {plot && nearest && pointed && !drag && <Readout x={toX(nearest.to)} width={size.width} readout={readout} unit={unit} meant={meant} />}
      </div>
      <p role="status" className="sr-only">
        {hover !== null &&
          nearest &&
          [
            ...readout.map(({ curve, bucket }) => say("Step {to}, {name} {last}", { to: bucket.to, name: curve.name || title, last: formatExact(bucket.last, unit) })),
            ...(meant?.marks.map(({ text }) => text) ?? []),
          ].join("; ")}
      </p>
    </section>
  );
}

function figureOf(value: number | null, unit: Unit): string {
  return value === null ? say("not finite") : formatFigure(value, unit);
}

/** Exact values beside the pointer. */
function Readout({
  x,
  width,
  readout,
  unit,
  meant,
}: {
  x: number;
  width: number;
  readout: { curve: Curve; bucket: NonNullable<ReturnType<typeof nearestBucket>> }[];
  unit: Unit;
  /** The marks that the pointer is near. */
  meant: MarkCluster | null;
}) {
  const toLeft = x > width / 2;
  const dense = readout[0]?.bucket;
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute top-3 z-10 rounded-md border border-line2 bg-raise px-2 py-1.5 text-sm shadow-float"
      style={toLeft ? { right: width - x + 10 } : { left: x + 10 }}
    >
      <p className="figures pb-0.5 text-ink2">
        {dense && dense.count > 1
          ? say("steps {from} to {to}", { from: formatCount(dense.from), to: formatCount(dense.to) })
          : say("step {to}", { to: formatCount(dense?.to ?? 0) })}
      </p>
      <table>
        <tbody>
          {readout.map(({ curve, bucket }) => (
            <tr key={curve.name} className="whitespace-nowrap">
              <td className="pr-3">
                <span className="mr-1.5 inline-block size-2 rounded-[2px]" style={{ background: `var(--${curve.color})` }} />
                {curve.name || say("value")}
                {bucket.to !== dense?.to && <span className="figures ml-1.5 text-ink2">{say("at {to}", { to: formatCount(bucket.to) })}</span>}
              </td>
              <td className="figures text-right">
                {formatExact(bucket.last, unit)}
                {bucket.count > 1 && <span className="block text-ink2">{`${formatExact(bucket.min, unit)} … ${formatExact(bucket.max, unit)}`}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {meant && (
        <div className="mt-1 border-t border-line pt-1">
          <MarkWords cluster={meant} />
        </div>
      )}
    </div>
  );
}

type Values = { domain: readonly [number, number]; ticks: readonly number[] };

/** The value axis for what is inside the range: whole steps, and no jumping while points come. */
function valueRange(all: readonly Series[], range: StepRange, unit: Unit, fromZero: boolean, log: boolean): Values {
  const found = extent(all, range, log);
  if (!found) return { domain: log ? [0.1, 1] : [0, 1], ticks: [] };
  const [low, high] = found;
  if (log) {
    const domain: [number, number] = low === high ? [low / 2, high * 2] : [low * 0.9, high * 1.1];
    return { domain, ticks: logTicks(...domain, 4) };
  }
  // A curve that comes near zero is shown with zero, so that heights can be compared.
  const bottom = fromZero || (low >= 0 && low < high * 0.4) ? Math.min(0, low) : low;
  // Bytes are counted in powers of 1024, and so are their round numbers.
  const size = unit === "bytes" ? 1024 ** Math.floor(Math.log(Math.max(1, high)) / Math.log(1024)) : 1;
  const [from, to] = niceRange(bottom / size, high / size, 4).map((value) => value * size) as [number, number];
  const domain: [number, number] = [from, unit === "share" && high <= 1 ? Math.min(1, to) : to];
  return { domain, ticks: niceTicks(domain[0] / size, domain[1] / size, 4).map((tick) => tick * size) };
}

/** Where a value lies in the domain, from 0 to 1. */
function share(value: number, [low, high]: readonly [number, number], log: boolean): number {
  return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

/**
 * Axes and grid. Stays as it is while points come: only a new range of steps or values, or another size, draws it again.
 * (Lines of recharts cost a tenth of a second of work an update at a thousand points; a path costs a millisecond.)
 */
const Frame = memo(
  function Frame({
    range,
    stepsPerEpoch,
    values,
    unit,
    log,
    width,
    height,
  }: {
    range: StepRange;
    stepsPerEpoch: number | null;
    values: Values;
    unit: Unit;
    log: boolean;
    width: number;
    height: number;
  }) {
    const along = stepsPerEpoch !== null && stepsPerEpoch > 0 ? stepsPerEpoch : 1;
    const tick = { fontSize: 10, fontFamily: "var(--font-mono)", fill: "var(--ink2)" };
    const shared = { type: "number" as const, allowDataOverflow: true, tick, tickLine: false, tickSize: 0, axisLine: false, tickMargin: 8, interval: 0 as const };
    return (
      <ComposedChart width={width} height={height} data={[]} margin={{ top: FRAME.top, right: FRAME.right, bottom: 0, left: 0 }} accessibilityLayer={false}>
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis
          {...shared}
          dataKey="step"
          domain={[range[0], range[1]]}
          ticks={niceTicks(range[0] / along, range[1] / along, Math.max(2, Math.round(width / 110)))
            .filter((tick) => along > 1 || Number.isInteger(tick))
            .map((tick) => tick * along)}
          height={FRAME.bottom}
          tickFormatter={(value: number) => formatTick(Number((value / along).toPrecision(6)), "value")}
        />
        <YAxis
          {...shared}
          scale={log ? "log" : "linear"}
          domain={[values.domain[0], values.domain[1]]}
          ticks={[...values.ticks]}
          width={FRAME.left}
          tickFormatter={(value: number) => formatTick(value, unit, log ? undefined : values.ticks.at(-1))}
        />
      </ComposedChart>
    );
  },
  (a, b) =>
    a.width === b.width &&
    a.height === b.height &&
    a.log === b.log &&
    a.unit === b.unit &&
    a.stepsPerEpoch === b.stepsPerEpoch &&
    a.range[0] === b.range[0] &&
    a.range[1] === b.range[1] &&
    a.values.domain[0] === b.values.domain[0] &&
    a.values.domain[1] === b.values.domain[1] &&
    a.values.ticks.join() === b.values.ticks.join(),
);

/** One curve inside the frame: its band where stretches are coarse, and its line; smoothed, the line itself stands faintly behind. */
const CurvePaths = memo(
  function CurvePaths({
    curve,
    range,
    domain,
    log,
    smoothing,
    width,
    height,
  }: {
    curve: Curve;
    range: StepRange;
    domain: readonly [number, number];
    log: boolean;
    smoothing: number;
    width: number;
    height: number;
  }) {
    const rows = rowsOf(curve, range, log, smoothing, width);
    const x = (step: number) => ((step - range[0]) / Math.max(1, range[1] - range[0])) * width;
    const y = (value: number) => (1 - share(value, domain, log)) * height;
    const color = `var(--${curve.color})`;
    const smoothed = curve.noisy && smoothing > 0;
    const only = rows.length === 1 ? rows[0] : undefined;
    // A smoothed curve moves as a whole when its pace changes.
    const cut = smoothed ? 0 : cutOf(rows);
    const draw = (part: readonly Row[], seam: "begin" | "end" | null) => ({
      band: bandPath(part, x, y, seam),
      line: linePath(part, "value", x, y),
      smooth: smoothed ? linePath(part, "smooth", x, y) : "",
    });
    // Where the row at the cut is the same one, so are all before it.
    const steady = useMemo(() => (cut > 0 ? draw(rows.slice(0, cut + 1), "end") : null), [cut, rows[0], rows[cut], range[0], range[1], domain[0], domain[1], log, width, height]);
    const parts = [...(steady ? [steady] : []), draw(rows.slice(cut), cut > 0 ? "begin" : null)];
    return (
      <g fill="none" stroke={color} strokeLinejoin="round">
        {parts.map(({ band }, at) => band && <path key={at} d={band} fill={color} fillOpacity={smoothed ? 0.12 : 0.3} strokeWidth={1} strokeOpacity={smoothed ? 0.2 : 0.4} />)}
        {parts.map(({ line }, at) => (
          <path key={at} d={line} strokeWidth={smoothed ? 1 : curve.noisy ? 1.25 : 1.75} strokeOpacity={smoothed ? 0.28 : 1} />
        ))}
        {smoothed && parts.map(({ smooth }, at) => <path key={at} d={smooth} strokeWidth={1.75} />)}
        {only && only.value !== null && <circle cx={x(only.step)} cy={y(only.value)} r={2.5} fill={color} />}
      </g>
    );
  },
  (a, b) =>
    a.curve.series === b.curve.series &&
    a.curve.color === b.curve.color &&
    a.range[0] === b.range[0] &&
    a.range[1] === b.range[1] &&
    a.domain[0] === b.domain[0] &&
    a.domain[1] === b.domain[1] &&
    a.log === b.log &&
    a.smoothing === b.smoothing &&
    a.width === b.width &&
    a.height === b.height,
);
