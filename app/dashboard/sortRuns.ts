import { mainMetric, type RunSummary, summaryOf } from "./run.ts";

export type RunColumn = "run" | "model" | "state" | "metric" | "loss" | "epochs" | "took" | "started";
export type RunOrder = { column: RunColumn; descending: boolean };

/** What each column sorts by. Null goes last in either direction. */
const keys: { [column in RunColumn]: (run: RunSummary) => number | string | null } = {
  run: (run) => run.number,
  model: (run) => run.modelName.toLocaleLowerCase(),
  state: (run) => ["running", "queued", "paused", "failed", "cancelled", "finished"].indexOf(run.status),
  metric: (run) => {
    const main = mainMetric(run);
    return main ? (summaryOf(run, main)?.best ?? null) : null;
  },
  loss: (run) => summaryOf(run, "validation/loss")?.best ?? null,
  epochs: (run) => run.epoch,
  took: (run) => (run.startedAt ? run.elapsedMs : null),
  started: (run) => run.startedAt ?? run.createdAt,
};

/** Runs in an order; those that are equal stay newest first. */
export function sortRuns(runs: readonly RunSummary[], { column, descending }: RunOrder): RunSummary[] {
  const keyed = runs.map((run) => ({ run, key: keys[column](run) }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return a.key === b.key ? newest(a.run, b.run) : a.key === null ? 1 : -1;
    const order = a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
    return order === 0 ? newest(a.run, b.run) : descending ? -order : order;
  });
  return keyed.map(({ run }) => run);
}

const newest = (a: RunSummary, b: RunSummary) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0);
