"use client";

import { useQuery } from "@tanstack/react-query";
import { memo, useEffect, useRef } from "react";
import { say } from "../../../core/language/say.ts";
import type { Boundary } from "../../../core/training/boundary.ts";
import { classColour, classColourText } from "../../ui/classColours.ts";
import { formatPercent } from "../../ui/format.ts";
import { decodeTensor } from "../../ui/tensorBytes.ts";
import { useTRPC } from "../../ui/trpc.ts";
import type { Run } from "../run.ts";
import { useSize } from "../useSize.ts";

/** Points of each split that are drawn. */
const MOST_POINTS = 256;

/** The plane of a data set's two columns in the colours of what the network decides there, deeper where it is sure, with the points over it. */
export const BoundaryMap = memo(function BoundaryMap({ boundary, dataset, epoch }: { boundary: Boundary; dataset: Run["dataset"]; epoch: number }) {
  const [frame, size] = useSize<HTMLDivElement>();
  const side = size?.width ?? 0;
  return (
    <section aria-label={say("Decision boundary")}>
      <header className="flex items-baseline justify-between gap-3 pb-1.5">
        <h3 className="section-name text-ink2">{say("Decision boundary")}</h3>
        <span className="figures text-xs text-ink2">{say("epoch {epoch}", { epoch })}</span>
      </header>
      <div ref={frame} className="relative aspect-square w-full overflow-hidden rounded-md border border-line2 bg-raise">
        <Decisions boundary={boundary} classes={dataset.classes} />
        <svg
          viewBox={`0 0 ${Math.max(1, side)} ${Math.max(1, side)}`}
          className="absolute inset-0"
          role="img"
          aria-label={say("Points of the data set: filled ones are learned from, rings are validation rows")}
        >
          {(["train", "validation"] as const).map((split) => (
            <Points key={split} boundary={boundary} datasetId={dataset.id} split={split} side={side} />
          ))}
        </svg>
      </div>
      <ul className="flex flex-wrap gap-x-3 gap-y-0.5 pt-1.5 text-sm" aria-label={say("Classes")}>
        {dataset.classes.map((name, index) => (
          <li key={name} className="flex items-center gap-1.5">
            <span aria-hidden className="size-2 rounded-full" style={{ background: classColourText(index) }} />
            {name}
          </li>
        ))}
        <li className="ml-auto text-ink2">{say("Rings: validation rows")}</li>
      </ul>
    </section>
  );
});

/** The lattice as a picture that the browser smooths. */
function Decisions({ boundary, classes }: { boundary: Boundary; classes: readonly string[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { side, places } = boundary;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const picture = context.createImageData(side, side);
    const read = atob(places);
    for (let at = 0; at < side * side; at++) {
      const [own, sure] = [read.charCodeAt(2 * at), read.charCodeAt(2 * at + 1) / 255];
      // From no idea at all to certain.
      const least = 1 / Math.max(2, classes.length);
      const strength = Math.max(0, (sure - least) / (1 - least));
      // Its rows go upward, a picture's downward.
      const pixel = ((side - 1 - Math.floor(at / side)) * side + (at % side)) * 4;
      picture.data.set([...classColour(own), Math.round(255 * (0.04 + 0.4 * strength))], pixel);
    }
    context.putImageData(picture, 0, 0);
  }, [side, places, classes.length]);
  const sure = [...atob(places)].reduce((sum, letter, at) => (at % 2 === 1 ? sum + letter.charCodeAt(0) / 255 : sum), 0) / (side * side);
  return (
    <canvas
      ref={canvas}
      width={side}
      height={side}
      role="img"
      aria-label={say("What the network decides all over the plane, {sure} sure on average", { sure: formatPercent(sure) })}
      className="absolute inset-0 h-full w-full"
    />
  );
}

function Points({ boundary: { low, high }, datasetId, split, side }: { boundary: Boundary; datasetId: string; split: "train" | "validation"; side: number }) {
  const trpc = useTRPC();
  const page = useQuery(trpc.datasets.samples.queryOptions({ datasetId, split, limit: MOST_POINTS }, { staleTime: Number.POSITIVE_INFINITY }));
  if (!page.data || side === 0) return null;
  return page.data.samples.map(({ row, input, target: [own = 0] }) => {
    const [x = 0, y = 0] = decodeTensor(input, "float32");
    const [left, top] = [((x - low[0]) / (high[0] - low[0])) * side, (1 - (y - low[1]) / (high[1] - low[1])) * side];
    const colour = classColourText(own);
    return split === "train" ? (
      <circle key={row} cx={left} cy={top} r={2.4} fill={colour} stroke="var(--raise)" strokeWidth={0.6} />
    ) : (
      <circle key={row} cx={left} cy={top} r={2.6} fill="var(--raise)" stroke={colour} strokeWidth={1.4} />
    );
  });
}
