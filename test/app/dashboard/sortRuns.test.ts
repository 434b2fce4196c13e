import { describe, expect, test } from "vitest";
import type { RunSummary } from "../../../app/dashboard/run.ts";
import { sortRuns } from "../../../app/dashboard/sortRuns.ts";

function run(number: number, part: Partial<RunSummary>): RunSummary {
  return {
    id: String(number),
    number,
    modelId: "m",
    modelName: "LeNet-5",
    datasetName: "MNIST",
    status: "finished",
    step: 0,
    totalSteps: 100,
    epoch: 0,
    epochs: 10,
    elapsedMs: 0,
    stepsPerSecond: 0,
    forecast: null,
    peakBytes: null,
    summary: {},
    marks: [],
    knobs: [],
    pausing: false,
    failure: null,
    createdAt: `2026-01-0${number}T00:00:00Z`,
    startedAt: null,
    endedAt: null,
    cancelling: false,
    exporting: false,
    createdByName: "Mika",
    ...part,
  };
}
const accuracy = (best: number) => ({ "validation/accuracy": { last: best, best, bestStep: 1 } });
const order = (runs: RunSummary[]) => runs.map(({ number }) => number);

describe("the table of runs", () => {
  const runs = [run(1, { summary: accuracy(0.9) }), run(2, {}), run(3, { summary: accuracy(0.99), status: "running" }), run(4, { summary: accuracy(0.9) })];

  test("sorts by the main metric; equal runs newest first, runs without one last", () => {
    expect(order(sortRuns(runs, { column: "metric", descending: true }))).toEqual([3, 4, 1, 2]);
    expect(order(sortRuns(runs, { column: "metric", descending: false }))).toEqual([4, 1, 3, 2]);
  });

  test("puts what goes on first by state", () => {
    expect(order(sortRuns(runs, { column: "state", descending: false }))[0]).toBe(3);
  });

  test("leaves the given list as it was", () => {
    sortRuns(runs, { column: "run", descending: true });
    expect(order(runs)).toEqual([1, 2, 3, 4]);
  });
});
