"use client";

import { type PointerEvent, useState } from "react";
import { printFixed } from "../../../core/language/numbers.ts";
import { useSize } from "../useSize.ts";

const FRAME = { top: 6, right: 6, bottom: 32, left: 54 };
const TICKS = [0, 0.25, 0.5, 0.75, 1];

export type UnitLine = { name: string; colour: string; points: readonly (readonly [number, number])[]; dashed?: boolean };

/** Curves over shares from 0 to 1. Pointing reads the nearest point of the nearest curve. */
export function UnitPlot({
  label,
  x,
  y,
  lines,
  bars = [],
}: {
  label: string;
  x: string;
  y: string;
  lines: readonly UnitLine[];
  bars?: readonly { from: number; to: number; height: number }[];
}) {
  const [ref, size] = useSize<HTMLDivElement>();
  const [near, setNear] = useState<{ name: string; colour: string; at: readonly [number, number] } | null>(null);
  const [width, height] = [Math.max(1, (size?.width ?? 0) - FRAME.left - FRAME.right), Math.max(1, (size?.height ?? 0) - FRAME.top - FRAME.bottom)];
  const toX = (value: number) => FRAME.left + value * width;
  const toY = (value: number) => FRAME.top + (1 - value) * height;

  function point(event: PointerEvent<HTMLDivElement>): void {
    const box = event.currentTarget.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    let best: typeof near = null;
    let least = 40;
    for (const { name, colour, points, dashed } of lines) {
      if (dashed) continue;
      for (const at of points) {
        const off = Math.hypot(toX(at[0]) - left, toY(at[1]) - top);
        if (off < least) [least, best] = [off, { name, colour, at }];
      }
    }
    setNear(best);
  }

  return (
    <div>
      <div ref={ref} role="img" aria-label={label} onPointerMove={point} onPointerLeave={() => setNear(null)} className="h-52 w-full">
        {size && (
          <svg aria-hidden width={size.width} height={size.height} className="block" fontSize={10} fontFamily="var(--font-mono)" fill="var(--ink2)">
            {TICKS.map((tick) => (
              <g key={tick}>
                <line x1={FRAME.left} x2={FRAME.left + width} y1={toY(tick)} y2={toY(tick)} stroke="var(--line)" />
                <text x={FRAME.left - 6} y={toY(tick) + 3.5} textAnchor="end">
                  {tick}
                </text>
                <text x={toX(tick)} y={FRAME.top + height + 13} textAnchor={tick === 1 ? "end" : tick === 0 ? "start" : "middle"}>
                  {tick}
                </text>
              </g>
            ))}
            <text x={FRAME.left + width / 2} y={FRAME.top + height + 27} textAnchor="middle" fontFamily="var(--font-sans)" fontSize={11}>
              {x}
            </text>
            <text transform={`translate(9 ${FRAME.top + height / 2}) rotate(-90)`} textAnchor="middle" fontFamily="var(--font-sans)" fontSize={11}>
              {y}
            </text>
            {bars.map(({ from, to, height: high }) => (
              <rect
                key={from}
                x={toX(from) + 1}
                width={Math.max(1, toX(to) - toX(from) - 2)}
                y={toY(high)}
                height={Math.max(0, toY(0) - toY(high))}
                fill="var(--line2)"
                opacity={0.55}
              />
            ))}
            {lines.map(({ name, colour, points, dashed }) => (
              <g key={name} fill="none">
                <polyline
                  points={points.map(([px, py]) => `${toX(px).toFixed(1)},${toY(py).toFixed(1)}`).join(" ")}
                  stroke={colour}
                  strokeWidth={dashed ? 1 : near?.name === name ? 2.5 : 1.5}
                  strokeDasharray={dashed ? "3 3" : undefined}
                  strokeLinejoin="round"
                />
                {!dashed && points.length <= 12 && points.map(([px, py]) => <circle key={px} cx={toX(px)} cy={toY(py)} r={2.5} fill={colour} />)}
              </g>
            ))}
            {near && <circle cx={toX(near.at[0])} cy={toY(near.at[1])} r={3.5} fill={near.colour} stroke="var(--raise)" strokeWidth={1.5} />}
          </svg>
        )}
      </div>
      <p className="min-h-[19px] truncate text-sm text-ink2 tabular-nums">
        {near && `${near.name}: ${x.toLowerCase()} ${printFixed(near.at[0], 3)}, ${y.toLowerCase()} ${printFixed(near.at[1], 3)}`}
      </p>
    </div>
  );
}
