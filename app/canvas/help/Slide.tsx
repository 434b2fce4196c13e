"use client";

import { Pause, Play, SkipForward } from "lucide-react";
import { useEffect, useState } from "react";
import type { Dim } from "../../../core/graph/shape.ts";
import { say } from "../../../core/language/say.ts";
import { slide } from "../../../core/layers/window.ts";
import { IconButton } from "../../ui/Button.tsx";

/** Of larger inputs a corner is shown. */
const MOST = 10;
const STEP_MS = 450;
const WIDTH = 276;

type Props = { title: string; color: string; size: Dim[]; kernel: number[]; stride: number[]; padding: number[]; dilation: number[] };

/** A window on its way over an input, and the place of its output that each stop fills. It goes round once, and again when asked. */
export default function Slide({ title, color, size, kernel, stride, padding, dilation }: Props) {
  const across = size.length === 1 ? [1, ...size] : size;
  // A sequence is an image of one row.
  const two = (values: number[], fill: number): [number, number] => (values.length === 1 ? [fill, values[0] ?? fill] : [values[0] ?? fill, values[1] ?? fill]);
  const [k, s, p, d] = [two(kernel, 1), two(stride, 1), two(padding, 0), two(dilation, 1)];
  const real: [number, number] = [sized(across[0]), sized(across[1])];
  // The window must fit into what is shown, whatever is cut away.
  const shown: [number, number] = [0, 1].map((i) => Math.min(real[i] ?? 1, Math.max(MOST - 2 * (p[i] ?? 0), (d[i] ?? 1) * ((k[i] ?? 1) - 1) + 1 + (s[i] ?? 1)))) as [
    number,
    number,
  ];
  const out: [number, number] = [0, 1].map((i) =>
    Math.max(0, Number(slide(shown[i] ?? 1, { kernel: k[i] ?? 1, stride: s[i] ?? 1, pads: 2 * (p[i] ?? 0), dilation: d[i] ?? 1 }))),
  ) as [number, number];
  const count = out[0] * out[1];
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(false);
  useEffect(() => setPlaying(!matchMedia("(prefers-reduced-motion: reduce)").matches), []);
  useEffect(() => {
    if (!playing || count < 2) return;
    const timer = setInterval(() => setAt((before) => Math.min(before + 1, count - 1)), STEP_MS);
    return () => clearInterval(timer);
  }, [playing, count]);
  useEffect(() => {
    if (at >= count - 1) setPlaying(false);
  }, [at, count]);
  if (count < 1) return null;

  const wide = shown[1] + 2 * p[1];
  const high = shown[0] + 2 * p[0];
  const cell = Math.min(16, (WIDTH - 46) / (wide + out[1]), 150 / Math.max(high, out[0]));
  const [row, column] = [Math.floor(at / out[1]), at % out[1]];
  const height = Math.max(high, out[0]) * cell + 8;
  const cut = shown[0] < real[0] || shown[1] < real[1];
  const [left, top] = [4, (height - high * cell) / 2];
  const [outLeft, outTop] = [WIDTH - 4 - out[1] * cell, (height - out[0] * cell) / 2];
  const points = grid(k[0], k[1]).map(([i, j]) => ({ y: row * s[0] + i * d[0], x: column * s[1] + j * d[1] }));
  return (
    <figure className="max-w-[380px] rounded-md border border-line bg-bg">
      <svg
        viewBox={`0 0 ${WIDTH} ${height.toFixed(1)}`}
        role="img"
        aria-label={
          cut
            ? say("The window of {title}, {k}, goes over a corner of its input in steps of {s} and fills {out} places", {
                title,
                k: k.join("×"),
                s: s.join("×"),
                out: out.join("×"),
              })
            : say("The window of {title}, {k}, goes over its input in steps of {s} and fills {out} places", { title, k: k.join("×"), s: s.join("×"), out: out.join("×") })
        }
        className="block w-full pt-1"
      >
        {grid(high, wide).map(([y, x]) => {
          const isBorder = y < p[0] || x < p[1] || y >= p[0] + shown[0] || x >= p[1] + shown[1];
          return (
            <rect
              key={`${y} ${x}`}
              x={left + x * cell}
              y={top + y * cell}
              width={cell - 1}
              height={cell - 1}
              rx={1.5}
              fill={isBorder ? "none" : "var(--raise)"}
              stroke={isBorder ? "var(--line)" : "var(--line2)"}
              strokeDasharray={isBorder ? "2 2" : undefined}
            />
          );
        })}
        {points.map(({ x, y }) => (
          <rect key={`${y} ${x}`} x={left + x * cell} y={top + y * cell} width={cell - 1} height={cell - 1} rx={1.5} fill={color} fillOpacity={0.35} stroke={color} />
        ))}
        <path d={`M${left + wide * cell + 6} ${height / 2}H${outLeft - 8}m-4 -3l4 3l-4 3`} stroke="var(--ink3)" fill="none" />
        {grid(out[0], out[1]).map(([y, x]) => {
          const index = y * out[1] + x;
          return (
            <rect
              key={`${y} ${x}`}
              x={outLeft + x * cell}
              y={outTop + y * cell}
              width={cell - 1}
              height={cell - 1}
              rx={1.5}
              fill={index > at ? "var(--raise)" : color}
              fillOpacity={index === at ? 0.9 : index < at ? 0.3 : 1}
              stroke={index === at ? color : "var(--line2)"}
            />
          );
        })}
      </svg>
      <figcaption className="flex items-center justify-between gap-2 px-1.5 text-sm text-ink2">
        <span>
          {say("{corner} at the left", { corner: cut ? say("A corner of the input") : say("The input") })}
          {p[0] + p[1] > 0 && say(", with its border")}
        </span>
        <span className="flex">
          <IconButton
            label={playing ? say("Pause the window") : say("Let the window go")}
            onClick={() => {
              if (!playing && at >= count - 1) setAt(0);
              setPlaying(!playing);
            }}
          >
            {playing ? <Pause size={13} /> : <Play size={13} />}
          </IconButton>
          <IconButton
            label={say("Next place")}
            onClick={() => {
              setPlaying(false);
              setAt((before) => (before + 1) % count);
            }}
          >
            <SkipForward size={13} />
          </IconButton>
        </span>
      </figcaption>
    </figure>
  );
}

/** A size that only the run knows is as good as any. */
const sized = (dim: Dim | undefined): number => (typeof dim === "number" ? dim : MOST);

function grid(rows: number, columns: number): [number, number][] {
  return Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns]);
}
