"use client";

import { type ReactNode, useEffect, useState } from "react";
import { printFixed } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { cx } from "../ui/cx.ts";
import { formatCount, formatDuration } from "../ui/format.ts";
import { formatClock, formatFigure } from "./figures.ts";
import { remainingMs } from "./remaining.ts";
import { isActive, mainMetric, metricTitle, type Run, summaryOf, unitOf } from "./run.ts";

/** The five figures that say how a run stands. */
export function KeyFigures({ run }: { run: Run }) {
  const main = mainMetric(run);
  const judgedBy = run.dataset.task && taskNamed(run.dataset.task).judgedBy;
  const metric = main === null ? null : summaryOf(run, main);
  const loss = summaryOf(run, "validation/loss");
  const trainLoss = summaryOf(run, "train/loss");
  const active = isActive(run.status);
  const left = run.status === "running" ? remainingMs(run) : null;
  const share = run.totalSteps > 0 ? run.step / run.totalSteps : 0;
  const epoch = Math.min(run.epochs, run.status === "running" ? run.epoch + 1 : run.epoch);
  const lossFigure = loss ?? trainLoss;

  return (
    <dl className="grid grid-cols-2 overflow-hidden rounded-xl border border-line bg-raise md:grid-cols-5 [&>*]:border-line max-md:[&>*:nth-child(n+3)]:border-t max-md:[&>*:nth-child(3n+2)]:border-l md:[&>*+*]:border-l">
      <Figure
        name={main ? metricTitle(main) : judgedBy ? metricTitle(`validation/${judgedBy}`) : say("Validation metric")}
        note={metric && main && metric.best !== null && metric.best !== metric.last ? say("best {best}", { best: formatFigure(metric.best, unitOf(main)) }) : undefined}
      >
        {formatFigure(metric?.last, main ? unitOf(main) : "value")}
      </Figure>
      <Figure
        name={loss || !trainLoss ? say("Validation loss") : say("Training loss")}
        note={loss && loss.best !== null && loss.best !== loss.last ? say("best {best}", { best: formatFigure(loss.best, "value") }) : undefined}
      >
        {formatFigure(lossFigure?.last, "value")}
      </Figure>
      <Figure name={say("Epoch")} className="max-md:col-span-2" note={say("step {step}", { step: formatCount(run.step) })}>
        {formatCount(epoch)} <span className="text-ink2">{say("of")}</span> {formatCount(run.epochs)}
        <span
          role="progressbar"
          aria-label={say("Training progress")}
          aria-valuemin={0}
          aria-valuemax={run.totalSteps}
          aria-valuenow={run.step}
          aria-valuetext={say("{share}%, step {step} of {totalSteps}", { share: Math.floor(share * 100), step: run.step, totalSteps: run.totalSteps })}
          className="absolute inset-x-3.5 bottom-1.5 h-1 overflow-hidden rounded-full bg-sunk"
        >
          <span
            className={cx("block h-full rounded-full", run.status === "failed" ? "bg-bad" : active || run.status === "finished" ? "bg-accent" : "bg-ink3")}
            style={{ width: `${share * 100}%` }}
          />
        </span>
      </Figure>
      {run.status === "queued" ? (
        <Figure name={say("Ready in")}>–</Figure>
      ) : run.status === "running" ? (
        <Figure name={say("Ready in")} note={left === null ? undefined : <ReadyAt leftMs={left} />}>
          {left === null ? "–" : formatDuration(Math.max(1000, left))}
        </Figure>
      ) : (
        <Figure name={say("Took")} note={run.endedAt ? say("until {endedAt}", { endedAt: formatClock(run.endedAt) }) : undefined}>
          {formatDuration(run.elapsedMs)}
        </Figure>
      )}
      <Figure name={say("Step time")} note={run.stepsPerSecond > 0 ? say("{stepsPerSecond} steps per s", { stepsPerSecond: formatRate(run.stepsPerSecond) }) : undefined}>
        {run.stepsPerSecond > 0 ? formatDuration(1000 / run.stepsPerSecond) : "–"}
      </Figure>
    </dl>
  );
}

function Figure({ name, note, className, children }: { name: string; note?: ReactNode; className?: string; children: ReactNode }) {
  return (
    <div className={cx("relative min-w-0 px-3.5 pt-2 pb-3.5", className)}>
      <dt className="truncate text-sm text-ink2">{name}</dt>
      <dd className="flex flex-wrap items-baseline gap-x-2">
        <span className="text-figure font-semibold whitespace-nowrap tabular-nums">{children}</span>
        {note && <span className="text-sm whitespace-nowrap text-ink2 tabular-nums">{note}</span>}
      </dd>
    </div>
  );
}

/** When it will be ready, by the clock on the wall. The clock is read after mounting: the server's may stand elsewhere. */
function ReadyAt({ leftMs }: { leftMs: number }) {
  const [now, setNow] = useState<number | null>(null);
  useEffect(() => setNow(Date.now()), [leftMs]);
  return now === null ? null : say("at {clock}", { clock: formatClock(new Date(now + leftMs).toISOString()) });
}

function formatRate(perSecond: number): string {
  return perSecond >= 10 ? formatCount(Math.round(perSecond)) : printFixed(perSecond, 1);
}
