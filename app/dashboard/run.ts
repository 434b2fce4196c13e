import type { Answers } from "../ui/trpc.ts";
import type { Unit } from "./figures.ts";
import type { Bucket } from "./series.ts";

/** A run as its page knows it, and as a line of a list. */
export type Run = Answers["runs"]["get"];
export type RunSummary = Answers["runs"]["list"]["runs"][number];
export type RunStatus = RunSummary["status"];
export type Checkpoint = Run["checkpoints"][number];
export type Artifact = Run["artifacts"][number];

/** Whether anything can still change by training. */
export function isActive(status: RunStatus): boolean {
  return status === "queued" || status === "running";
}

/** Best and latest value of a metric, from the run's own summary. */
export function summaryOf(run: Pick<RunSummary, "summary">, key: string): { last: number | null; best: number | null; bestStep: number | null } | null {
  return run.summary[key] ?? null;
}

/** The metric that says most about a run, of those it has: what lists show and the page leads with. */
export function mainMetric(run: Pick<RunSummary, "summary">): string | null {
  const keys = Object.keys(run.summary).filter((key) => key.startsWith("validation/") && key !== "validation/loss");
  return keys.find((key) => key === "validation/accuracy") ?? keys.sort()[0] ?? null;
}

/** `validation/accuracy` as "Validation accuracy". */
export function metricTitle(key: string): string {
  const [where = "", name = where] = key.split("/");
  const words = METRIC_WORDS[name] ?? name.replaceAll("_", " ");
  return where === name ? capital(words) : `${capital(where)} ${words}`;
}

/** `accuracy` as "Accuracy". */
export function metricName(name: string): string {
  return capital(METRIC_WORDS[name] ?? name.replaceAll("_", " "));
}

const METRIC_WORDS: { [name: string]: string } = { lr: "learning rate", grad_norm: "gradient norm", mae: "mean absolute error", rmse: "root mean squared error", r2: "R²" };
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

export function unitOf(key: string): Unit {
  if (key.endsWith("accuracy")) return "share";
  return key === "samples_per_second" ? "count" : "value";
}

/** Steps of one pass over the training rows. */
export function stepsPerEpoch(run: Pick<RunSummary, "totalSteps" | "epochs">): number {
  return run.epochs > 0 ? run.totalSteps / run.epochs : 0;
}

/** History as the server sends it: points where they fit, buckets where not. */
export function bucketsOf(points: Answers["runs"]["metrics"]["series"][number]["points"]): Bucket[] {
  return points.map((point) => {
    if (!Array.isArray(point)) return point;
    const [step, value] = point;
    return { from: step, to: step, first: value, last: value, min: value, max: value, count: 1 };
  });
}
