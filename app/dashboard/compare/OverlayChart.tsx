"use client";

import { type KeyboardEvent, memo, type PointerEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { say } from "../../../core/language/say.ts";
import { cx } from "../../ui/cx.ts";
import { useTheme } from "../../ui/theme.ts";
import { formatExact, formatTick, type Unit } from "../figures.ts";
import { logTicks, niceRange, niceTicks } from "../ticks.ts";
import { useSize } from "../useSize.ts";
import { type Along, type Curve, rangesOf, smoothed, stretchBefore } from "./overlay.ts";

const FRAME = { top: 8, right: 14, bottom: 22, left: 48 };
/** Within so many pixels a pointer means a curve. */
const REACH = 24;
/** More curves than these are drawn without their bands: they would only cover each other. */
const MOST_BANDS = 6;

export type ShownRun = { id: string; name: string; colour: string; dash: readonly number[] };

/**
 * One metric of many runs in one frame, drawn on a canvas: two hundred curves take no more elements than one. Pointing names the nearest curve and
 * reads it; dragging zooms; arrow keys read from step to step, up and down from run to run.
 */
export const OverlayChart = memo(function OverlayChart({
  title,
  unit,
  curves,
  runs,
  along,
  alongWord,
  window: zoom,
  smoothing,
  chosen,
  hover,
  onHover,
  onZoom,
  onReset,
  emptyWords,
  noun = "runs",
  height: tallness = 220,
  tools,
}: {
  title: string;
  unit: Unit;
  curves: readonly Curve[];
  /** Those that are shown, by id. */
  runs: ReadonlyMap<string, ShownRun>;
  along: Along;
  alongWord: string;
  window: readonly [number, number] | null;
  smoothing: number;
  /** The run that is pointed at anywhere on the page. */
  chosen: string | null;
  /** Where the pointer is along the charts, in whichever of them. */
  hover: number | null;
  onHover: (x: number | null, runId: string | null) => void;
  onZoom: (window: [number, number]) => void;
  onReset: () => void;
  emptyWords: string;
  /** What the curves are of. */
  noun?: string;
  /** Of the picture, in pixels. */
  height?: number;
  /** What moves and sizes the chart. */
  tools?: ReactNode;
}) {
  const [ref, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const [log, setLog] = useState(false);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  const dragFrom = useRef<number | null>(null);
  const shown = useMemo(() => curves.filter(({ runId }) => runs.has(runId)), [curves, runs]);
  const ranges = useMemo(() => rangesOf(shown, along, zoom, log), [shown, along, zoom, log]);
  const [low, high] = ranges?.y ?? [0, 1];
  const domain = useMemo((): [number, number] => {
    if (log) return low === high ? [low / 2, high * 2] : [low * 0.9, high * 1.1];
    const [from, to] = niceRange(low >= 0 && low < high * 0.4 ? 0 : low, high, 4);
    return [from, unit === "share" && high <= 1 ? Math.min(1, to) : to];
  }, [low, high, log, unit]);
  const [x0, x1] = ranges?.x ?? [0, 1];
  const width = Math.max(1, (size?.width ?? 0) - FRAME.left - FRAME.right);
  const height = Math.max(1, (size?.height ?? 0) - FRAME.top - FRAME.bottom);
  const toX = (x: number) => FRAME.left + ((x - x0) / Math.max(1e-12, x1 - x0)) * width;
  const toY = (y: number) =>
    FRAME.top + (1 - (log ? Math.log(y / domain[0]) / Math.log(domain[1] / domain[0]) : (y - domain[0]) / Math.max(1e-12, domain[1] - domain[0]))) * height;

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || !size) return;
    const scale = devicePixelRatio || 1;
    element.width = Math.round(size.width * scale);
    element.height = Math.round(size.height * scale);
    context.scale(scale, scale);
    context.beginPath();
    context.rect(FRAME.left, FRAME.top - 2, width, height + 4);
    context.clip();
    context.lineJoin = "round";
    // A canvas knows no light-dark(): the page resolves it.
    const resolve = (colour: string) => {
      element.style.color = colour;
      return getComputedStyle(element).color;
    };
    const inOrder = [...shown].sort((a, b) => Number(a.runId === chosen) - Number(b.runId === chosen));
    for (const curve of inOrder) {
      const run = runs.get(curve.runId);
      if (!run) continue;
      const faint = chosen !== null && runs.has(chosen) && chosen !== curve.runId;
      context.strokeStyle = context.fillStyle = resolve(run.colour);
      const show = (value: number) => Number.isFinite(value) && (!log || value > 0);
      const each = (draw: (x: number, at: number, isNew: boolean) => void, is: (at: number) => boolean) => {
        let isNew = true;
        for (let at = 0; at < curve.steps.length; at++) {
          const x = along(curve, at);
          if (Number.isNaN(x) || !is(at)) {
            isNew = true;
            continue;
          }
          draw(toX(x), at, isNew);
          isNew = false;
        }
      };
      if (shown.length <= MOST_BANDS || curve.runId === chosen) {
        context.globalAlpha = faint ? 0.05 : smoothing > 0 ? 0.14 : 0.26;
        context.setLineDash([]);
        context.lineWidth = 1;
        // A line from the lowest to the highest value of each stretch, as wide as the stretch: no spike is lost, and NaN leaves a gap.
        context.beginPath();
        let before = Number.NaN;
        each(
          (x, at, isNew) => {
            const left = isNew || Number.isNaN(before) ? x - 0.5 : before;
            before = x;
            // A stretch of one point has no band.
            if (curve.values[at * 3 + 1] === curve.values[at * 3 + 2]) return;
            context.rect(
              left,
              toY(curve.values[at * 3 + 2] as number),
              Math.max(1, x - left),
              Math.max(1, toY(curve.values[at * 3 + 1] as number) - toY(curve.values[at * 3 + 2] as number)),
            );
          },
          (at) => show(curve.values[at * 3 + 1] as number) && show(curve.values[at * 3 + 2] as number),
        );
        context.fill();
      }
      const line = (valueAt: (at: number) => number, alpha: number, lineWidth: number) => {
        context.globalAlpha = faint ? alpha * 0.25 : alpha;
        context.lineWidth = lineWidth;
        context.setLineDash([...run.dash]);
        context.beginPath();
        each(
          (x, at, isNew) => (isNew ? context.moveTo(x, toY(valueAt(at))) : context.lineTo(x, toY(valueAt(at)))),
          (at) => show(valueAt(at)),
        );
        context.stroke();
      };
      const strong = curve.runId === chosen ? 2.25 : shown.length > 40 ? 1 : 1.5;
      if (smoothing > 0) {
        line((at) => curve.values[at * 3] as number, 0.22, 1);
        const smooth = smoothed(curve.values, smoothing);
        line((at) => smooth[at] as number, 1, strong);
      } else line((at) => curve.values[at * 3] as number, shown.length > 40 && curve.runId !== chosen ? 0.7 : 1, strong);
      if (curve.steps.length === 1 && show(curve.values[0] as number)) {
        context.globalAlpha = 1;
        context.beginPath();
        context.arc(toX(along(curve, 0)), toY(curve.values[0] as number), 2.5, 0, 7);
        context.fill();
      }
    }
    // `theme` decides what colours resolve to.
  }, [shown, runs, along, domain, x0, x1, log, smoothing, chosen, size, width, height, theme]);

  const xAt = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    return x0 + Math.min(1, Math.max(0, (event.clientX - box.left - FRAME.left) / width)) * (x1 - x0);
  };

  /** Where each curve is at a place along the chart. */
  function readAt(x: number): { run: ShownRun; value: number }[] {
    return shown.flatMap((curve) => {
      const run = runs.get(curve.runId);
      // Places grow with the steps but where another metric lies along: then the nearest counts.
      let at = -1;
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i < curve.steps.length; i++) {
        const off = Math.abs(along(curve, i) - x);
        if (off < best) [best, at] = [off, i];
      }
      const value = curve.values[at * 3];
      return run && value !== undefined && best <= (x1 - x0) * 0.02 + 1e-9 ? [{ run, value }] : [];
    });
  }

  function point(event: PointerEvent): void {
    const x = xAt(event);
    const box = event.currentTarget.getBoundingClientRect();
    const y = event.clientY - box.top;
    let nearest: { id: string; off: number } | null = null;
    for (const { run, value } of readAt(x)) {
      const off = Math.abs(toY(value) - y);
      if (off < REACH && (!nearest || off < nearest.off)) nearest = { id: run.id, off };
    }
    onHover(x, nearest?.id ?? null);
    if (dragFrom.current !== null && Math.abs(toX(x) - toX(dragFrom.current)) > 4) setDrag([Math.min(x, dragFrom.current), Math.max(x, dragFrom.current)]);
  }

  function read(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      if (hover === null) onReset();
      else onHover(null, null);
      return;
    }
    if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const ids = shown.map(({ runId }) => runId);
    const at = ids.indexOf(chosen ?? "");
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      onHover(hover ?? x1, ids[(at + (event.key === "ArrowDown" ? 1 : -1) + ids.length) % ids.length] ?? null);
      return;
    }
    onHover(Math.min(x1, Math.max(x0, (hover ?? x1) + ((event.key === "ArrowRight" ? 1 : -1) * (x1 - x0)) / 100)), chosen ?? ids[0] ?? null);
  }

  const readout = hover === null || hover < x0 || hover > x1 ? [] : readAt(hover);
  const meant = readout.find(({ run }) => run.id === chosen);
  const ticks = log ? logTicks(domain[0], domain[1], 4) : niceTicks(domain[0], domain[1], 4);
  const xTicks = niceTicks(x0, x1, Math.max(2, Math.round(width / 110)));
  return (
    <section aria-label={title} className="group/chart relative min-w-0 rounded-xl border border-line bg-raise">
      <header className="flex h-9 items-center gap-2 px-3.5 pt-1">
        <h2 className="truncate font-semibold">{title}</h2>
        <button
          type="button"
          aria-pressed={log}
          aria-label={say("{title} on a log scale", { title })}
          onClick={() => setLog(!log)}
          className={cx("figures rounded-sm border px-1.5 leading-4", log ? "border-accent bg-accent-soft text-accent" : "border-line text-ink2 hover:border-line2 hover:text-ink")}
        >
          {say("log")}
        </button>
        {tools}
        <p className="ml-auto flex min-w-0 items-center gap-2 truncate text-sm text-ink2" role="status">
          {meant ? (
            <>
              <span aria-hidden className="size-2 shrink-0 rounded-[2px]" style={{ background: meant.run.colour }} />
              <span className="truncate">{meant.run.name}</span>
              <span className="figures text-ink">{formatExact(Number.isFinite(meant.value) ? Number(meant.value.toPrecision(6)) : null, unit)}</span>
            </>
          ) : (
            shown.length > 1 && say("{count} curves", { count: shown.length })
          )}
        </p>
      </header>
      <div
        ref={ref}
        role="img"
        aria-roledescription={say("chart")}
        aria-label={say("{title} of {count} {noun}", { title, count: shown.length, noun })}
        data-curve-count={shown.length}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys read the picture's values, as pointing does.
        tabIndex={0}
        onKeyDown={read}
        onBlur={() => onHover(null, null)}
        onPointerMove={point}
        onPointerDown={(event) => {
          if (event.button !== 0 || event.pointerType === "touch") return;
          event.currentTarget.setPointerCapture(event.pointerId);
          dragFrom.current = xAt(event);
        }}
        onPointerUp={() => {
          dragFrom.current = null;
          if (drag) onZoom(drag);
          setDrag(null);
        }}
        onPointerLeave={() => onHover(null, null)}
        onDoubleClick={onReset}
        style={{ height: tallness }}
        className="relative cursor-crosshair touch-pan-y select-none rounded-b-xl"
      >
        {size && (
          <svg aria-hidden width={size.width} height={size.height} className="pointer-events-none absolute inset-0">
            {ranges &&
              ticks.map((tick) => (
                <g key={tick}>
                  <line x1={FRAME.left} x2={FRAME.left + width} y1={toY(tick)} y2={toY(tick)} stroke="var(--line)" />
                  <text x={FRAME.left - 8} y={toY(tick) + 3.5} textAnchor="end" fontSize={10} fontFamily="var(--font-mono)" fill="var(--ink2)">
                    {formatTick(tick, unit, log ? undefined : ticks.at(-1))}
                  </text>
                </g>
              ))}
            {ranges &&
              xTicks.map((tick) => (
                <text key={tick} x={toX(tick)} y={FRAME.top + height + 15} textAnchor="middle" fontSize={10} fontFamily="var(--font-mono)" fill="var(--ink2)">
                  {formatTick(tick, "value")}
                </text>
              ))}
          </svg>
        )}
        <canvas ref={canvas} aria-hidden className="pointer-events-none absolute inset-0 h-full w-full" />
        {!ranges && <p className="absolute inset-0 grid place-items-center pb-4 text-sm text-ink2">{emptyWords}</p>}
        {size && ranges && hover !== null && hover >= x0 && hover <= x1 && (
          <svg aria-hidden width={size.width} height={size.height} className="pointer-events-none absolute inset-0">
            <line x1={toX(hover)} x2={toX(hover)} y1={FRAME.top} y2={FRAME.top + height} stroke="var(--line2)" />
            <text
              x={toX(hover) + (toX(hover) > size.width - 110 ? -6 : 6)}
              y={FRAME.top + 10}
              textAnchor={toX(hover) > size.width - 110 ? "end" : "start"}
              fontSize={10}
              fontFamily="var(--font-mono)"
              fill="var(--ink2)"
            >
              {alongWord} {Number(hover.toPrecision(4))}
            </text>
            {meant && Number.isFinite(meant.value) && (!log || meant.value > 0) && (
              <circle cx={toX(hover)} cy={toY(meant.value)} r={3} fill={meant.run.colour} stroke="var(--raise)" strokeWidth={1.5} />
            )}
          </svg>
        )}
        {drag && (
          <div
            aria-hidden
            className="pointer-events-none absolute border-x border-accent bg-accent-soft opacity-60"
            style={{ left: toX(drag[0]), width: toX(drag[1]) - toX(drag[0]), top: FRAME.top, height }}
          />
        )}
      </div>
    </section>
  );
});

/** What a curve is at the stretch that ends at or before a step; NaN where it has none. */
export function valueBefore(curve: Curve | undefined, step: number): number {
  const at = curve ? stretchBefore(curve.steps, step) : -1;
  return at < 0 ? Number.NaN : (curve?.values[at * 3] ?? Number.NaN);
}
