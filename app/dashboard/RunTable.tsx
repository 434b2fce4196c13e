"use client";

import Link from "next/link";
import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from "react";
import { cx } from "../ui/cx.ts";
import { formatCount, formatDuration } from "../ui/format.ts";
import { formatClock, formatFigure } from "./figures.ts";
import { RunBadge } from "./RunBadge.tsx";
import { mainMetric, metricTitle, type RunSummary, summaryOf, unitOf } from "./run.ts";
import { type RunColumn, type RunOrder, sortRuns } from "./sortRuns.ts";

const ROW = 36;
/** Rows drawn above and below what is seen. */
const SLACK = 12;

/** Runs as a dense table: sortable, each line a link, and only the lines in sight are drawn. */
export function RunTable({ runs, showModel }: { runs: readonly RunSummary[]; showModel: boolean }) {
  const [order, setOrder] = useState<RunOrder>({ column: "started", descending: true });
  const sorted = useMemo(() => sortRuns(runs, order), [runs, order]);
  const body = useRef<HTMLTableSectionElement>(null);
  const [from, to] = useRowsInSight(body, sorted.length);
  const metrics = new Set(runs.map(mainMetric).filter((key) => key !== null));
  const [onlyMetric] = metrics.size === 1 ? metrics : [];

  function head(column: RunColumn, title: ReactNode, className?: string) {
    const sortedBy = order.column === column;
    const atRight = className?.includes("text-right") ?? false;
    return (
      <th scope="col" aria-sort={sortedBy ? (order.descending ? "descending" : "ascending") : "none"} className={cx("h-8 px-2.5 font-normal first:pl-3.5 last:pr-3.5", className)}>
        <button
          type="button"
          onClick={() => setOrder({ column, descending: sortedBy ? !order.descending : column !== "model" && column !== "loss" && column !== "state" })}
          className={cx("text-sm whitespace-nowrap hover:text-ink", sortedBy ? "font-semibold text-ink" : "text-ink2")}
        >
          {sortedBy && atRight && <span aria-hidden>{order.descending ? "↓ " : "↑ "}</span>}
          {title}
          {sortedBy && !atRight && <span aria-hidden>{order.descending ? " ↓" : " ↑"}</span>}
        </button>
      </th>
    );
  }

  return (
    <div className="overflow-hidden rounded-xl border border-line bg-raise">
      <table className="w-full border-collapse">
        <thead>
          <tr className="border-b border-line text-left">
            {head("run", "Run")}
            {showModel && head("model", "Model", "max-sm:hidden")}
            {head("state", "State")}
            {head("metric", onlyMetric ? `Best ${metricTitle(onlyMetric).toLowerCase()}` : "Best metric", "text-right")}
            {head("loss", "Best validation loss", "text-right max-lg:hidden")}
            {head("epochs", "Epochs", "text-right max-sm:hidden")}
            {head("took", "Took", "text-right max-md:hidden")}
            {head("started", "Started", "text-right max-md:hidden")}
          </tr>
        </thead>
        <tbody ref={body}>
          {from > 0 && <tr aria-hidden style={{ height: from * ROW }} />}
          {sorted.slice(from, to).map((run) => (
            <Row key={run.id} run={run} showModel={showModel} showMetricName={!onlyMetric} />
          ))}
          {to < sorted.length && <tr aria-hidden style={{ height: (sorted.length - to) * ROW }} />}
        </tbody>
      </table>
    </div>
  );
}

function Row({ run, showModel, showMetricName }: { run: RunSummary; showModel: boolean; showMetricName: boolean }) {
  const main = mainMetric(run);
  const metric = main && summaryOf(run, main);
  const share = run.totalSteps > 0 ? run.step / run.totalSteps : 0;
  const cell = "px-2.5 last:pr-3.5 first:pl-3.5";
  return (
    <tr className="relative border-b border-line last:border-b-0 hover:bg-hover" style={{ height: ROW }}>
      <td className={cell}>
        <Link href={`/runs/${run.id}`} prefetch={false} className="font-medium whitespace-nowrap after:absolute after:inset-0">
          Run {run.number}
          {showModel && <span className="font-normal text-ink2 sm:hidden"> {run.modelName}</span>}
        </Link>
      </td>
      {showModel && <td className={cx(cell, "max-w-48 truncate text-ink2 max-sm:hidden")}>{run.modelName}</td>}
      <td className={cell}>
        <span className="flex items-center gap-2">
          <RunBadge status={run.status} />
          {run.status === "running" && (
            <span
              role="progressbar"
              aria-label={`Progress of run ${run.number}`}
              aria-valuemin={0}
              aria-valuemax={100}
              aria-valuenow={Math.floor(share * 100)}
              className="h-1 w-16 overflow-hidden rounded-full bg-sunk max-sm:w-8"
            >
              <span className="block h-full rounded-full bg-accent" style={{ width: `${share * 100}%` }} />
            </span>
          )}
          {run.failure && (
            <span className="max-w-56 truncate text-sm text-ink2 max-lg:hidden" title={run.failure.message}>
              {run.failure.message}
            </span>
          )}
        </span>
      </td>
      <td className={cx(cell, "text-right whitespace-nowrap")}>
        {main && metric ? (
          <>
            {showMetricName && <span className="mr-2 text-sm text-ink2 max-sm:hidden">{metricTitle(main).replace("Validation ", "")}</span>}
            <span className="figures">{formatFigure(metric.best, unitOf(main))}</span>
          </>
        ) : (
          <span className="text-ink3">–</span>
        )}
      </td>
      <td className={cx(cell, "text-right max-lg:hidden")}>
        <span className="figures">{formatFigure(summaryOf(run, "validation/loss")?.best, "value")}</span>
      </td>
      <td className={cx(cell, "text-right whitespace-nowrap max-sm:hidden")}>
        <span className="figures">
          {formatCount(run.epoch)} <span className="text-ink2">of {formatCount(run.epochs)}</span>
        </span>
      </td>
      <td className={cx(cell, "text-right whitespace-nowrap max-md:hidden")}>
        <span className="figures">{run.startedAt ? formatDuration(run.elapsedMs) : "–"}</span>
      </td>
      <td className={cx(cell, "text-right whitespace-nowrap text-ink2 max-md:hidden")}>
        {formatClock(run.startedAt ?? run.createdAt)} <span className="max-lg:hidden">by {run.createdByName}</span>
      </td>
    </tr>
  );
}

/** The lines of a table body that the window shows, and some around them. */
function useRowsInSight(body: { current: HTMLElement | null }, count: number): [from: number, to: number] {
  const [sight, setSight] = useState<[number, number]>([0, 60]);
  useLayoutEffect(() => {
    function look(): void {
      const top = body.current?.getBoundingClientRect().top ?? 0;
      const from = Math.max(0, Math.floor(-top / ROW) - SLACK);
      const to = Math.ceil((innerHeight - top) / ROW) + SLACK;
      // In steps of the slack, so that scrolling seldom draws.
      const next: [number, number] = [Math.floor(from / SLACK) * SLACK, Math.ceil(to / SLACK) * SLACK];
      setSight((old) => (old[0] === next[0] && old[1] === next[1] ? old : next));
    }
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [body, count]);
  return [Math.min(sight[0], count), Math.min(sight[1], count)];
}
