"use client";

import { EyeOff, GripVertical, Maximize2 } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import { say } from "../../core/language/say.ts";
import type { ChartPlace } from "../../core/runs/charts.ts";

/** How much taller a step makes a chart, in pixels. */
export const TALLER = 90;

/**
 * Calls `move` wherever the pointer that was put down goes, and `end` where it is let go. The window listens and not the handle: a chart that changes its
 * place is taken out of the page for a moment, and would lose the pointer.
 */
function follow(start: PointerEvent, move: (event: globalThis.PointerEvent) => void, end?: (event: globalThis.PointerEvent) => void): void {
  if (start.button !== 0) return;
  // No words are selected on the way.
  start.preventDefault();
  const over = new AbortController();
  const listen = (type: "pointermove" | "pointerup" | "pointercancel", then: (event: globalThis.PointerEvent) => void) =>
    addEventListener(type, (event) => event.pointerId === start.pointerId && then(event), { signal: over.signal });
  listen("pointermove", move);
  listen("pointercancel", () => over.abort());
  listen("pointerup", (event) => {
    over.abort();
    end?.(event);
  });
}

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
  // A drag outlives many renderings: it asks for what holds now.
  const now = useRef({ place, onMove, onSize });
  now.current = { place, onMove, onSize };

  function drag(start: PointerEvent): void {
    let over: string | undefined;
    let moved = false;
    follow(start, (event) => {
      const found = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>("[data-chart]")?.dataset.chart;
      // What comes under the pointer because charts made way was not chosen.
      const isChosen = found !== over && !moved;
      over = found;
      moved = isChosen && found !== undefined && found !== now.current.place.id;
      if (moved && found !== undefined) now.current.onMove(found);
    });
  }

  function stretch(start: PointerEvent): void {
    const { tall: before } = place;
    follow(
      start,
      (event) => {
        const { place, onSize } = now.current;
        const [right, down] = [event.clientX - start.clientX, event.clientY - start.clientY];
        const tall = Math.min(3, Math.max(0, before + Math.round(down / TALLER)));
        const wide = right > 80 ? true : right < -80 ? false : place.wide;
        if (tall !== place.tall || wide !== place.wide) onSize({ tall, wide });
      },
      (event) => {
        if (Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < 5) now.current.onSize({ wide: !now.current.place.wide });
      },
    );
  }

  return (
    <span className="absolute top-9 right-3 z-10 flex items-center rounded-md border border-line bg-raise opacity-0 transition-opacity duration-100 focus-within:opacity-100 group-hover/chart:opacity-100 max-md:hidden">
      <button
        type="button"
        aria-label={say("Move {title}", { title })}
        title={say("Drag onto another chart, or press the arrow keys")}
        className={`${look} cursor-grab active:cursor-grabbing`}
        onPointerDown={drag}
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
        aria-label={say("Size of {title}", { title })}
        title={say("Drag to the right or downward to enlarge; a click changes the width, arrow keys do both")}
        className={`${look} cursor-nwse-resize`}
        onPointerDown={stretch}
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
      <button type="button" aria-label={say("Put {title} away", { title })} title={say("Put away")} className={look} onClick={() => onSize({ hidden: true })}>
        <EyeOff size={12} />
      </button>
    </span>
  );
}
