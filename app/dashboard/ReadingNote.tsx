"use client";

import { useMemo } from "react";
import { cx } from "../ui/cx.ts";
import type { MetricStore } from "./metricStore.ts";
import { readRun } from "./reading.ts";
import { type Run, stepsPerEpoch } from "./run.ts";
import { emptySeries } from "./series.ts";
import { useMetrics } from "./useRun.ts";

/** The run in plain words. */
export function ReadingNote({ run, store }: { run: Run; store: MetricStore }) {
  const metrics = useMetrics(store);
  const bestEpoch = run.checkpoints.find(({ isBest }) => isBest)?.epoch ?? null;
  const validationLoss = metrics.get("validation/loss") ?? emptySeries;
  const reading = useMemo(
    () =>
      readRun({
        status: run.status,
        stepsPerEpoch: stepsPerEpoch(run),
        trainLoss: metrics.get("train/loss") ?? emptySeries,
        validationLoss,
        bestEpoch,
        confusion: run.evaluation?.confusion ?? null,
        classes: run.dataset.classes,
        ...(run.dataset.task === "semantic-segmentation" ? { counts: "pixels" } : {}),
      }),
    // A new evaluation is news; every training step is not.
    [run.status, run.evaluation, validationLoss, bestEpoch],
  );
  if (!reading || reading.sentences.length === 0) return null;
  return (
    <p className={cx("rounded-lg px-3 py-2.5", reading.tone === "hint" ? "bg-warn-soft" : "bg-accent-soft")}>
      <strong className="font-semibold">{reading.title}</strong> {reading.sentences.join(" ")}
    </p>
  );
}
