"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { namesApart } from "../../core/graph/find.ts";
import { say } from "../../core/language/say.ts";
import { HISTOGRAM_KINDS, type HistogramKind, layBins, type PackedHistogram } from "../../core/training/histograms.ts";
import { Button } from "../ui/Button.tsx";
import { formatMetric } from "../ui/format.ts";
import { Segments } from "../ui/Segments.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { isActive, type Run } from "./run.ts";

const TITLES: { [kind in HistogramKind]: string } = { weights: say("Weights"), gradients: say("Gradients"), activations: say("Activations") };
/** Ridges of one picture, and cells along each. */
const RIDGES = 24;
const CELLS = 48;
/** As many pictures stand there at first. */
const FIRST = 8;

/** How weights, gradients and activations are spread, epoch by epoch: the first at the back, the latest in front. */
export function Histograms({ run }: { run: Run }) {
  const trpc = useTRPC();
  const [kind, setKind] = useState<HistogramKind>("weights");
  const [open, setOpen] = useState(false);
  const [all, setAll] = useState(false);
  const query = useQuery(
    trpc.runs.histograms.queryOptions({ runId: run.id, kind }, { enabled: open, placeholderData: keepPreviousData, refetchInterval: isActive(run.status) ? 5_000 : false }),
  );
  const rows = useMemo(() => groupByTensor(query.data ?? [], run), [query.data, run.graph]);
  if (run.epoch === 0) return null;
  return (
    <section aria-label={say("Inside the network")} className="space-y-2.5">
      <div className="flex min-h-7 flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="font-semibold">{say("Inside the network")}</h2>
        <p className="text-sm text-ink2 max-md:hidden">{say("How numbers are spread at the end of each epoch; the latest stands in front.")}</p>
        <span className="ml-auto">
          {open ? (
            <Segments label={say("Which numbers")} options={HISTOGRAM_KINDS.map((id) => ({ id, title: TITLES[id] }))} value={kind} onValue={setKind} />
          ) : (
            <Button size="sm" onClick={() => setOpen(true)}>
              {say("Show")}
            </Button>
          )}
        </span>
      </div>
      {open &&
        (query.error ? (
          <Failing what={say("The histograms")} error={query.error} onRetry={() => void query.refetch()} />
        ) : !query.data ? (
          <Loading label={say("Loading histograms")} className="h-40" />
        ) : rows.length === 0 ? (
          <p className="text-ink2">{say("Nothing was kept of this run: it is older than these pictures, or its first epoch has not ended.")}</p>
        ) : (
          <>
            <ul className="grid grid-cols-2 gap-2.5 md:grid-cols-3 xl:grid-cols-4">
              {rows.slice(0, all ? rows.length : FIRST).map(({ key, title, epochs }) => (
                <li key={key} className="min-w-0 rounded-xl border border-line bg-raise px-3 pt-1.5 pb-2">
                  <h3 className="truncate text-sm font-semibold" title={title}>
                    {title}
                  </h3>
                  <Ridges title={title} epochs={epochs} />
                </li>
              ))}
            </ul>
            {rows.length > FIRST && !all && <Button onClick={() => setAll(true)}>{say("{count} more", { count: rows.length - FIRST })}</Button>}
          </>
        ))}
    </section>
  );
}

type Spread = { epoch: number; histogram: PackedHistogram };

/** The pictures, in the order in which the network names its tensors. */
function groupByTensor(rows: readonly { epoch: number; histograms: PackedHistogram[] }[], { graph }: Pick<Run, "graph">): { key: string; title: string; epochs: Spread[] }[] {
  const found = new Map<string, { key: string; title: string; epochs: Spread[] }>();
  // What an Output takes was its own node's already; losses and metrics are worked out there.
  const outputs = new Set(graph.nodes.filter(({ type }) => type === "output").map(({ id }) => id));
  const names = namesApart(graph, [...new Set(rows.flatMap(({ histograms }) => histograms.map(({ node }) => node)))]);
  for (const { epoch, histograms } of rows)
    for (const histogram of histograms) {
      if (histogram.name === "" && outputs.has(histogram.node)) continue;
      const key = histogram.name || histogram.node;
      const part = histogram.name.slice(histogram.node.length + 1);
      const tensor = found.get(key) ?? { key, title: `${names.get(histogram.node)}${part ? `, ${part}` : ""}`, epochs: [] };
      tensor.epochs.push({ epoch, histogram });
      found.set(key, tensor);
    }
  return [...found.values()];
}

/** One tensor over the epochs as ridges, all over the same numbers. */
function Ridges({ title, epochs }: { title: string; epochs: readonly Spread[] }) {
  const shown = epochs.filter(
    (_, at) => epochs.length <= RIDGES || at === epochs.length - 1 || Math.floor((at * RIDGES) / epochs.length) !== Math.floor(((at - 1) * RIDGES) / epochs.length),
  );
  let [low, high] = [Math.min(...shown.map(({ histogram }) => histogram.low)), Math.max(...shown.map(({ histogram }) => histogram.high))];
  if (!(high > low)) [low, high] = [low - Math.abs(low) * 0.1 - 1e-6, high + Math.abs(high) * 0.1 + 1e-6];
  const latest = shown.at(-1);
  const [width, height, peak] = [200, 96, 29];
  const gap = (height - peak - 2) / Math.max(1, shown.length - 1);
  const zero = low < 0 && high > 0 ? ((0 - low) / (high - low)) * width : null;
  return (
    <figure>
      <svg
        role="img"
        aria-label={say("{title}: {one}, the latest from {low} to {high}", {
          title,
          one: shown.length === 1 ? say("one epoch") : say("{count} epochs", { count: shown.length }),
          low: formatMetric(latest?.histogram.low),
          high: formatMetric(latest?.histogram.high),
        })}
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        className="block h-24 w-full"
      >
        {zero !== null && <line x1={zero} x2={zero} y1={0} y2={height} stroke="var(--line2)" vectorEffect="non-scaling-stroke" />}
        {shown.map(({ epoch, histogram }, at) => {
          const base = shown.length === 1 ? height - 1 : peak + at * gap;
          const cells = layBins(histogram, low, high, CELLS);
          const points = cells.map((share, cell) => `${(((cell + 0.5) / CELLS) * width).toFixed(1)} ${(base - share * peak).toFixed(1)}`);
          const isLatest = at === shown.length - 1;
          return (
            <path
              key={epoch}
              d={`M0 ${base.toFixed(1)}L${points.join("L")}L${width} ${base.toFixed(1)}Z`}
              fill={`color-mix(in oklab, var(--series-1) ${Math.round(12 + (38 * at) / Math.max(1, shown.length - 1))}%, var(--raise))`}
              stroke="var(--series-1)"
              strokeOpacity={isLatest ? 1 : 0.45}
              strokeWidth={isLatest ? 1.5 : 0.75}
              vectorEffect="non-scaling-stroke"
            >
              <title>{say("Epoch {epoch}: {low} to {high}", { epoch, low: formatMetric(histogram.low), high: formatMetric(histogram.high) })}</title>
            </path>
          );
        })}
      </svg>
      <figcaption className="flex justify-between pt-0.5 text-xs text-ink2 tabular-nums">
        <span>{formatMetric(low)}</span>
        <span>
          {shown.length > 1
            ? say("epoch {epoch} to {epoch2}", { epoch: String(shown[0]?.epoch), epoch2: String(latest?.epoch) })
            : say("epoch {epoch}", { epoch: String(shown[0]?.epoch) })}
        </span>
        <span>{formatMetric(high)}</span>
      </figcaption>
    </figure>
  );
}
