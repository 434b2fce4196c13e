"use client";

import { useMemo } from "react";
import { say } from "../../core/language/say.ts";
import { readFacts } from "../../core/runs/reading.ts";
import { cx } from "../ui/cx.ts";
import type { MetricStore } from "./metricStore.ts";
import { mainMetric, type Run, stepsPerEpoch } from "./run.ts";
import { emptySeries, type Series } from "./series.ts";
import { useFromMetrics } from "./useRun.ts";

/** The run in plain words. Why it failed stands at the head of the page already. */
export function ReadingNote({ run, store }: { run: Run; store: MetricStore }) {
  const validationLoss = useFromMetrics(store, (metrics) => metrics.get("validation/loss") ?? emptySeries);
  const remarks = useMemo(
    () =>
      readFacts({
        status: run.status,
        summary: run.summary,
        mainMetric: mainMetric(run),
        epochs: run.epochs,
        epoch: run.epoch,
        stepsPerEpoch: stepsPerEpoch(run),
        lr: run.settings.lr,
        failure: run.failure,
        confusion: run.evaluation?.confusion ?? null,
        classes: run.dataset.classes,
        ...(run.dataset.task === "semantic-segmentation" ? { counts: "pixels" } : {}),
        curves: { train: pointsOf(store.read().get("train/loss") ?? emptySeries), validation: pointsOf(validationLoss) },
      }).filter(({ kind }) => kind !== "failed"),
    // A new evaluation is news; every training step is not.
    [run.status, run.evaluation, validationLoss],
  );
  if (remarks.length === 0) return null;
  const title = run.status === "running" || run.status === "paused" ? say("Reading so far.") : run.status === "failed" ? say("Reading until it failed.") : say("Reading.");
  const tone = remarks.some((remark) => remark.tone === "bad") ? "bad" : remarks.some((remark) => remark.tone === "hint") ? "hint" : "good";
  return (
    <p className={cx("rounded-lg px-3 py-2.5", tone === "good" ? "bg-accent-soft" : "bg-warn-soft")}>
      <strong className="font-semibold">{title}</strong> {remarks.map(({ text }) => text).join(" ")}
    </p>
  );
}

const pointsOf = ({ buckets }: Series) => buckets.map(({ to, last }) => ({ step: to, value: last }));
