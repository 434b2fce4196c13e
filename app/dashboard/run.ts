import { say } from "../../core/language/say.ts";
import { tasks } from "../../core/tasks/index.ts";
import { EXPRESSION_METRIC } from "../../core/training/metrics/expression.ts";
import { findMetric } from "../../core/training/metrics/index.ts";
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
  const keys = Object.keys(run.summary).filter((key) => key.startsWith("validation/") && !key.startsWith("validation/loss"));
  return LEADS.find((key) => keys.includes(key)) ?? keys.sort()[0] ?? null;
}

const LEADS = [...tasks.map(({ knownBy }) => knownBy), ...tasks.map(({ judgedBy }) => judgedBy)].flatMap((name) => (name ? [`validation/${name}`] : []));

/** `validation/accuracy` as "Validation accuracy", `train/loss/y` as "Train loss of y". */
export function metricTitle(key: string): string {
  const cut = key.indexOf("/");
  if (cut < 0) return metricName(key);
  return `${capital(key.slice(0, cut))} ${uncapital(metricName(key.slice(cut + 1)))}`;
}

/** `accuracy` as "Accuracy", `loss/y` as "Loss of y". */
export function metricName(name: string): string {
  const [of = name, ...parts] = name.split("/");
  // A person named it.
  if (of === EXPRESSION_METRIC && parts.length > 0) return parts.join("/");
  const words = findMetric(of)?.title ?? capital(METRIC_WORDS[of] ?? of.replaceAll("_", " "));
  return parts.length > 0 ? say("{words} of {parts}", { words, parts: parts.join("/") }) : words;
}

const METRIC_WORDS: { [name: string]: string } = {
  lr: say("learning rate"),
  grad_norm: say("gradient norm"),
  cpu_cores: say("processor cores in use"),
  memory_bytes: "memory",
  gpu_share: say("GPU load"),
  gpu_memory_bytes: say("GPU memory"),
  elapsed_seconds: say("training time, s"),
};
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
/** Within a sentence; short forms such as ROC, F1 and R² stay as they are. */
const uncapital = (text: string) => (/^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text);

export function unitOf(key: string): Unit {
  const name = key.slice(key.indexOf("/") + 1);
  if (findMetric(name)?.isShare) return "share";
  if (name.endsWith("_bytes")) return "bytes";
  if (name === "gpu_share") return "share";
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
