"use client";

import { type PointerEvent, useState } from "react";
import { say } from "../../core/language/say.ts";
import { formatTick } from "../dashboard/figures.ts";
import { niceRange, niceTicks } from "../dashboard/ticks.ts";
import { useSize } from "../dashboard/useSize.ts";
import { cx } from "../ui/cx.ts";
import { formatMetric } from "../ui/format.ts";

/** Curves that go on where the past ends; null where there is none. */
type Ahead = { truth: ArrayLike<number> | null; forecast?: ArrayLike<number> | null; naive?: ArrayLike<number> | null };

const CURVES = {
  truth: { word: say("as it came"), stroke: "var(--series-1)" },
  forecast: { word: say("forecast"), stroke: "var(--series-2)" },
  naive: { word: say("last season again"), stroke: "var(--ink3)", dash: "3 3" },
} as const satisfies { [curve in keyof Ahead]-?: { word: string; stroke: string; dash?: string } };
const names = ["naive", "truth", "forecast"] as const;

const FRAME = { left: 40, right: 8, top: 12, bottom: 18 };

/**
 * What was, and what comes after it: as it came, as it is forecast, and as the last season would have it. Pointing at a place reads its values.
 */
export function SeriesChart({
  past,
  ahead,
  label,
  timeAt,
  className = "h-[132px]",
}: {
  past: ArrayLike<number>;
  ahead: Ahead;
  label: string;
  /** When the value with this number was measured, counted from the first of the past; null where it is not known. */
  timeAt: (index: number) => string | null;
  className?: string;
}) {
  const [frame, size] = useSize<HTMLDivElement>();
  const [pointed, setPointed] = useState<number | null>(null);
  const curves = names.flatMap((name) => {
    const values = ahead[name];
    return values && values.length > 0 ? [{ name, values: Array.from(values) }] : [];
  });
  const length = past.length + Math.max(0, ...curves.map(({ values }) => values.length));
  const all = [...Array.from(past), ...curves.flatMap(({ values }) => values)].filter(Number.isFinite);
  const [low, high] = niceRange(Math.min(...all), Math.max(...all), 3);
  const [width, height] = [(size?.width ?? 0) - FRAME.left - FRAME.right, (size?.height ?? 0) - FRAME.top - FRAME.bottom];
  const x = (index: number) => FRAME.left + (index / Math.max(1, length - 1)) * width;
  const y = (value: number) => FRAME.top + (1 - (value - low) / (high - low || 1)) * height;
  const path = (values: readonly number[], from: number) =>
    values
      .map((value, at) => (Number.isFinite(value) ? `${at === 0 ? "M" : "L"}${x(from + at).toFixed(1)} ${y(value).toFixed(1)}` : ""))
      .join("")
      .replace(/^L/, "M");
  const last = past[past.length - 1];
  const at = pointed === null ? null : Math.max(0, Math.min(length - 1, pointed));
  const read =
    at === null
      ? []
      : at < past.length
        ? [{ word: say("as it was"), value: past[at] }]
        : curves.map(({ name, values }) => ({ word: CURVES[name].word, value: values[at - past.length] }));
  const point = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setPointed(Math.round(((event.clientX - box.left - FRAME.left) / Math.max(1, width)) * (length - 1)));
  };
  const when = (index: number) => timeAt(index) ?? String(index + 1);
  return (
    <figure className="min-w-0">
      <div ref={frame} role="img" aria-label={label} className={cx("relative w-full touch-pan-y", className)} onPointerMove={point} onPointerLeave={() => setPointed(null)}>
        {size && width > 0 && all.length > 0 && (
          <svg aria-hidden className="absolute inset-0" width={size.width} height={size.height}>
            {niceTicks(low, high, 3).map((tick) => (
              <g key={tick}>
                <line x1={FRAME.left} x2={FRAME.left + width} y1={y(tick)} y2={y(tick)} stroke="var(--line)" />
                <text x={FRAME.left - 6} y={y(tick) + 3} textAnchor="end" className="figures" fontSize={10} fill="var(--ink2)">
                  {formatTick(tick, "value", high)}
                </text>
              </g>
            ))}
            {curves.length > 0 && <line x1={x(past.length - 0.5)} x2={x(past.length - 0.5)} y1={FRAME.top} y2={FRAME.top + height} stroke="var(--line2)" />}
            <path d={path(Array.from(past), 0)} fill="none" stroke="var(--ink2)" strokeWidth={1.25} strokeLinejoin="round" />
            {curves.map(({ name, values }) => (
              <path
                key={name}
                // Each goes on from where the past ended.
                d={path(last === undefined ? values : [last, ...values], last === undefined ? past.length : past.length - 1)}
                fill="none"
                stroke={CURVES[name].stroke}
                strokeWidth={name === "naive" ? 1 : 1.75}
                strokeDasharray={name === "naive" ? CURVES.naive.dash : undefined}
                strokeLinejoin="round"
              />
            ))}
            {at !== null && <line x1={x(at)} x2={x(at)} y1={FRAME.top} y2={FRAME.top + height} stroke="var(--ink3)" />}
            <text x={FRAME.left} y={size.height - 4} fontSize={10} fill="var(--ink2)" className="figures">
              {when(0)}
            </text>
            <text x={FRAME.left + width} y={size.height - 4} textAnchor="end" fontSize={10} fill="var(--ink2)" className="figures">
              {when(length - 1)}
            </text>
          </svg>
        )}
        {at !== null && read.length > 0 && (
          <div
            aria-hidden
            className="pointer-events-none absolute top-1 z-10 rounded-md border border-line2 bg-raise px-2 py-1 text-sm whitespace-nowrap shadow-float"
            style={at > length / 2 ? { right: (size?.width ?? 0) - x(at) + 8 } : { left: x(at) + 8 }}
          >
            <p className="figures text-ink2">{when(at)}</p>
            {read.map(({ word, value }) => (
              <p key={word} className="flex justify-between gap-3">
                <span>{word}</span>
                <span className="figures">{formatMetric(value)}</span>
              </p>
            ))}
          </div>
        )}
      </div>
    </figure>
  );
}

/** What the colours of the curves mean. */
export function SeriesLegend({ curves }: { curves: readonly (typeof names)[number][] }) {
  return (
    <ul className="flex flex-wrap gap-x-3 text-sm text-ink2">
      {curves.map((name) => (
        <li key={name} className="flex items-center gap-1.5">
          <svg aria-hidden width={14} height={4}>
            <line x1={0} x2={14} y1={2} y2={2} stroke={CURVES[name].stroke} strokeWidth={2} strokeDasharray={name === "naive" ? CURVES.naive.dash : undefined} />
          </svg>
          {CURVES[name].word}
        </li>
      ))}
    </ul>
  );
}
