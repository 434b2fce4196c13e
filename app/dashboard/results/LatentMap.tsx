"use client";

import { useQuery } from "@tanstack/react-query";
import { memo, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { say } from "../../../core/language/say.ts";
import type { LatentMap as Places } from "../../../core/training/latentMap.ts";
import { classColourText } from "../../ui/classColours.ts";
import { cx } from "../../ui/cx.ts";
import { formatCount, formatPercent } from "../../ui/format.ts";
import { SampleImage } from "../../ui/SampleImage.tsx";
import { useTRPC } from "../../ui/trpc.ts";
import type { Run } from "../run.ts";
import { useSize } from "../useSize.ts";
import { nearestPoint, type Plane, planeOf } from "./plane.ts";

/** Validation rows as points, in the colours of their classes where the data set has any. Pointing at one shows its picture; a class can be looked at alone. */
export const LatentMap = memo(function LatentMap({ map, dataset }: { map: Places; dataset: Pick<Run["dataset"], "id" | "labels"> }) {
  const [only, setOnly] = useState<number | null>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const classes = map.classes.length > 0 ? dataset.labels : [];
  return (
    <section aria-label={say("Latent map")}>
      <header className="flex items-baseline justify-between gap-3 pb-1.5">
        <h3 className="section-name text-ink2">{say("Latent map")}</h3>
        <span className="text-xs text-ink2">
          {map.width <= 2
            ? say("{count} rows", { count: formatCount(map.rows.length) })
            : say("2 of {width} directions, {explained} of the spread", { width: map.width, explained: formatPercent(map.explained) })}
        </span>
      </header>
      <Scatter map={map} only={only} pointed={pointed} onPoint={setPointed} />
      {classes.length > 0 && (
        <ul className="flex flex-wrap gap-x-1 gap-y-0.5 pt-1.5" aria-label={say("Classes")}>
          {classes.map((name, index) => (
            <li key={name}>
              <button
                type="button"
                aria-pressed={only === index}
                onClick={() => setOnly(only === index ? null : index)}
                className={cx(
                  "flex items-center gap-1.5 rounded-md px-1.5 py-0.5 text-sm",
                  only === index ? "bg-accent-soft" : "hover:bg-hover",
                  only !== null && only !== index && "text-ink3",
                )}
              >
                <span aria-hidden className="size-2 rounded-full" style={{ background: classColourText(index) }} />
                {name}
              </button>
            </li>
          ))}
        </ul>
      )}
      <Pointed map={map} at={pointed} dataset={dataset} />
    </section>
  );
});

/** What the points' place shows: a row that is pointed at (`onPoint`), or a place that is chosen by pressing and dragging (`onPlace`). */
export function Scatter({
  map,
  only,
  pointed,
  place = null,
  onPoint,
  onPlace,
}: {
  map: Places;
  only: number | null;
  pointed: number | null;
  place?: readonly [x: number, y: number] | null;
  onPoint?: (at: number | null) => void;
  onPlace?: (x: number, y: number) => void;
}) {
  const [frame, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const side = size?.width ?? 0;
  const plane = useMemo(() => planeOf(map, side), [map, side]);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || side === 0) return;
    drawPoints(context, map, plane, side, only);
    if (pointed !== null) drawRing(context, plane.x(map.x[pointed] ?? 0), plane.y(map.y[pointed] ?? 0));
    if (place) drawRing(context, plane.x(place[0]), plane.y(place[1]));
  }, [map, plane, side, only, pointed, place]);
  const choose = (event: PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    onPoint?.(nearestPoint(map, plane, left, top, only));
    if (event.buttons > 0) onPlace?.(...plane.at(left, top));
  };
  return (
    <div ref={frame} className="aspect-square w-full overflow-hidden rounded-md border border-line2 bg-raise text-ink">
      <canvas
        ref={canvas}
        role="img"
        aria-label={say("{count} validation rows as points of a plane", { count: map.rows.length })}
        style={{ width: side, height: side }}
        className={cx(onPlace && "cursor-crosshair touch-none")}
        onPointerDown={choose}
        onPointerMove={choose}
        onPointerLeave={() => onPoint?.(null)}
      />
    </div>
  );
}

function drawPoints(context: CanvasRenderingContext2D, map: Places, plane: Plane, side: number, only: number | null): void {
  const { canvas } = context;
  const density = window.devicePixelRatio || 1;
  canvas.width = canvas.height = Math.round(side * density);
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, side, side);
  const plain = getComputedStyle(canvas).color;
  context.globalAlpha = 0.75;
  for (const at of map.rows.keys()) {
    const own = map.classes[at];
    if (only !== null && own !== only) continue;
    context.fillStyle = own === undefined ? plain : classColourText(own);
    context.beginPath();
    context.arc(plane.x(map.x[at] ?? 0), plane.y(map.y[at] ?? 0), 2, 0, 2 * Math.PI);
    context.fill();
  }
}

function drawRing(context: CanvasRenderingContext2D, left: number, top: number): void {
  context.globalAlpha = 1;
  context.strokeStyle = getComputedStyle(context.canvas).color;
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(left, top, 5, 0, 2 * Math.PI);
  context.stroke();
}

/** The row that is pointed at. */
function Pointed({ map, at, dataset }: { map: Places; at: number | null; dataset: Pick<Run["dataset"], "id" | "labels"> }) {
  const trpc = useTRPC();
  const row = at === null ? undefined : map.rows[at];
  const sample = useQuery(
    trpc.datasets.samples.queryOptions(
      { datasetId: dataset.id, split: "validation", rows: row === undefined ? [] : [row] },
      { enabled: row !== undefined, staleTime: Number.POSITIVE_INFINITY },
    ),
  );
  const found = sample.data?.samples[0];
  const own = at === null ? undefined : map.classes[at];
  return (
    <div className="flex h-11 items-center gap-2 pt-1 text-sm text-ink2">
      {at === null ? (
        say("Point at the map to see which row lies there.")
      ) : (
        <>
          {found && sample.data && (
            <SampleImage bytes={found.input} dtype={sample.data.dtype} shape={sample.data.shape} label={say("Row {row}", { row: found.row })} className="w-10! rounded-sm" />
          )}
          <span>
            {say("Row")} {row}
            {own !== undefined && `, ${dataset.labels[own] ?? own}`}
          </span>
        </>
      )}
    </div>
  );
}
