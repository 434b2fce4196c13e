import type { Manifest } from "../data/manifest.ts";
import type { TensorType } from "../graph/shape.ts";
import type { TaskRecord } from "../tasks/task.ts";
import type { Average } from "./metrics/average.ts";
import { derivedMetrics } from "./metrics/index.ts";
import { top5, topK } from "./metrics/topK.ts";
import type { DerivedMetric, MetricRecord } from "./records.ts";
import type { RunSettings } from "./settings.ts";

/** What a run measures: what its task has, and the k that was asked for. */
export function measuredBy(task: TaskRecord, { topK: k }: Pick<RunSettings, "topK">, manifest: Manifest | null): MetricRecord[] {
  const own = task.metrics.map((metric) => (metric === top5 && k !== null ? topK(k) : metric));
  return [...own, ...((manifest && task.metricsOf?.(manifest)) ?? [])];
}

/** The figures that come of these metrics, those over classes by this average, for an output and targets of these types, as far as they are known. */
export function figuresOf(measured: readonly MetricRecord[], average: Average, types: { y: TensorType; target: TensorType } | null): (MetricRecord | DerivedMetric)[] {
  const fitting = measured.filter(({ fits }) => !types || (fits?.(types) ?? true));
  const derived = derivedMetrics.filter((metric) => (metric.average ?? average) === average && fitting.some(({ name }) => name === metric.from));
  return [...fitting.filter(({ reduce }) => reduce === "mean"), ...derived];
}
