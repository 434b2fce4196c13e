"use client";

import { type PointerEvent, useEffect, useRef } from "react";
import { useSize } from "../dashboard/useSize.ts";
import type { Stroke } from "./digit.ts";

/** Side of the drawing field in its own units. */
const SIDE = 280;
const PEN = 22;

/** A black field to draw on in white, with mouse, pen or finger. */
export function DrawPad({ label, strokes, onStrokes }: { label: string; strokes: readonly Stroke[]; onStrokes: (strokes: readonly Stroke[]) => void }) {
  const [frame, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef(false);
  // Several pointer events may come before the next render; each goes on from the one before.
  const latest = useRef(strokes);
  latest.current = strokes;
  const pixels = Math.round((size?.width ?? SIDE) * (typeof devicePixelRatio === "number" ? devicePixelRatio : 1));

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    context.setTransform(pixels / SIDE, 0, 0, pixels / SIDE, 0, 0);
    context.clearRect(0, 0, SIDE, SIDE);
    context.strokeStyle = context.fillStyle = "#fff";
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of strokes) {
      const [first, ...rest] = stroke;
      if (!first) continue;
      context.beginPath();
      context.moveTo(...first);
      // A dot is a line to itself: its round ends are the dot.
      for (const point of rest.length > 0 ? rest : [first]) context.lineTo(...point);
      context.stroke();
    }
  }, [strokes, pixels]);

  function change(next: readonly Stroke[]): void {
    latest.current = next;
    onStrokes(next);
  }

  function pointsOf(event: PointerEvent<HTMLCanvasElement>): [number, number][] {
    const box = event.currentTarget.getBoundingClientRect();
    const native = event.nativeEvent;
    // A fast stroke brings several points in one event; all of them are its shape.
    const events = native.getCoalescedEvents?.() ?? [];
    return (events.length > 0 ? events : [native]).map(({ clientX, clientY }) => [((clientX - box.left) / box.width) * SIDE, ((clientY - box.top) / box.height) * SIDE]);
  }

  return (
    <div ref={frame} className="aspect-square w-full overflow-hidden rounded-lg border border-line2 bg-[#000]">
      <canvas
        ref={canvas}
        role="img"
        aria-label={label}
        width={pixels}
        height={pixels}
        className="block size-full cursor-crosshair touch-none"
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.preventDefault();
          event.currentTarget.setPointerCapture(event.pointerId);
          drawing.current = true;
          change([...latest.current, pointsOf(event)]);
        }}
        onPointerMove={(event) => {
          const current = latest.current.at(-1);
          if (drawing.current && current) change([...latest.current.slice(0, -1), [...current, ...pointsOf(event)]]);
        }}
        onPointerUp={() => {
          drawing.current = false;
        }}
        onPointerCancel={() => {
          drawing.current = false;
        }}
      />
    </div>
  );
}
