"use client";

import { EyeOff, GripVertical, Maximize2 } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import type { ChartPlace } from "../../core/runs/charts.ts";

/** How much taller a step makes a chart, in pixels. */
export const TALLER = 90;

const look = "grid size-6 shrink-0 touch-none place-items-center rounded-sm text-ink3 hover:bg-hover hover:text-ink focus-visible:text-ink";

/** Handles of one chart: it is dragged onto another's place, made larger, or put away. Arrow keys do the same. */
export function ChartTools({
  title,
  place,
  onMove,
  onStep,
  onSize,
}: {
  title: string;
  place: ChartPlace;
  /** Onto the place of another. */
  onMove: (to: string) => void;
  /** By so many places. */
  onStep: (by: number) => void;
  onSize: (size: Partial<ChartPlace>) => void;
}) {
  const dragged = useRef(false);
  const from = useRef<{ x: number; y: number; tall: number } | null>(null);

  function drag(event: PointerEvent): void {
    if (!dragged.current) return;
    const over = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>("[data-chart]")?.dataset.chart;
    if (over !== undefined && over !== place.id) onMove(over);
  }

  function stretch(event: PointerEvent): void {
    if (!from.current) return;
    const [right, down] = [event.clientX - from.current.x, event.clientY - from.current.y];
    const tall = Math.min(3, Math.max(0, from.current.tall + Math.round(down / TALLER)));
    const wide = right > 80 ? true : right < -80 ? false : place.wide;
    if (tall !== place.tall || wide !== place.wide) onSize({ tall, wide });
  }

  return (
    <span className="absolute top-9 right-3 z-10 flex items-center rounded-md border border-line bg-raise opacity-0 transition-opacity duration-100 focus-within:opacity-100 group-hover/chart:opacity-100 max-md:hidden">
      <button
        type="button"
        aria-label={`Move ${title}`}
        title="Drag onto another chart, or press the arrow keys"
        className={`${look} cursor-grab active:cursor-grabbing`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          dragged.current = true;
        }}
        onPointerMove={drag}
        onPointerUp={() => {
          dragged.current = false;
        }}
        onPointerCancel={() => {
          dragged.current = false;
        }}
        onKeyDown={(event: KeyboardEvent) => {
          const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
          if (by === undefined) return;
          event.preventDefault();
          onStep(by);
        }}
      >
        <GripVertical size={13} />
      </button>
      <button
        type="button"
        aria-label={`Size of ${title}`}
        title="Drag to the right or downward to enlarge; a click changes the width, arrow keys do both"
        className={`${look} cursor-nwse-resize`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          from.current = { x: event.clientX, y: event.clientY, tall: place.tall };
        }}
        onPointerMove={stretch}
        onPointerUp={(event) => {
          const begun = from.current;
          from.current = null;
          if (begun && Math.hypot(event.clientX - begun.x, event.clientY - begun.y) < 5) onSize({ wide: !place.wide });
        }}
        onPointerCancel={() => {
          from.current = null;
        }}
        onClick={(event) => {
          // Of a key: a pointer has done it already.
          if (event.detail === 0) onSize({ wide: !place.wide });
        }}
        onKeyDown={(event: KeyboardEvent) => {
          const size = {
            ArrowLeft: { wide: false },
            ArrowRight: { wide: true },
            ArrowUp: { tall: Math.max(0, place.tall - 1) },
            ArrowDown: { tall: Math.min(3, place.tall + 1) },
          }[event.key];
          if (size === undefined) return;
          event.preventDefault();
          onSize(size);
        }}
      >
        <Maximize2 size={12} />
      </button>
      <button type="button" aria-label={`Put ${title} away`} title="Put away" className={look} onClick={() => onSize({ hidden: true })}>
        <EyeOff size={12} />
      </button>
    </span>
  );
}
