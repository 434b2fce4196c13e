import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { appendMetrics } from "../../../server/metrics/store.ts";
import { readBest, readSummary } from "../../../server/trainer/history.ts";
import { bestOf, foldPoints } from "../../../server/trainer/summary.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, claim, makeContext, makeTenant } from "../world.ts";

const { db } = await openTestDatabase();

test("what a run's buckets say of its latest, best and best-judged values is what all of its points say", async () => {
  const tenant = await makeTenant(db);
  const { runId } = await callerOf(makeContext(db)(tenant.session)).runs.start({ modelId: tenant.modelId, settings: tenant.settings, idempotencyKey: randomUUID() });
  const run = { id: runId, orgId: tenant.orgId };
  const token = await claim(db, runId);
  const draw = (count: number, gap: number, value: (at: number) => number | null) => ({
    steps: Array.from({ length: count }, (_, at) => (at + 1) * gap),
    values: Array.from({ length: count }, (_, at) => value(at)),
  });
  const series = {
    lr: draw(5_001, 1, (at) => at / 7),
    "train/loss": draw(70_000, 1, (at) => (at % 11 === 0 ? null : 2 + Math.sin(at * 7.31) - (at === 41_234 ? 9 : 0))),
    // More evaluations than are read at once, many of them equal, so that the loss has to decide.
    "validation/accuracy": draw(9_000, 10, (at) => (at % 3 === 0 ? 0.875 : at % 50 === 7 ? null : 0.5)),
    "validation/loss": draw(9_000, 10, (at) => (at === 8_997 ? 0.01 : at % 40 === 0 ? null : 1 + Math.cos(at * 3.7) / 4)),
  };
  for (const [key, { steps, values }] of Object.entries(series)) await db.$transaction((tx) => appendMetrics(tx, run, token, [{ key, steps, values }]));
  expect(await readSummary(db, run)).toEqual(Object.fromEntries(Object.entries(series).map(([key, { steps, values }]) => [key, foldPoints(undefined, key, steps, values)])));
  expect(await readBest(db, run, "accuracy")).toEqual(bestOf(series, "accuracy"));
  expect((await readBest(db, run, "accuracy"))?.step).toBe(89_980);
  expect(await readBest(db, run, null)).toEqual(bestOf(series, null));
  // A metric that the run does not have leaves the loss to judge.
  expect(await readBest(db, run, "iou")).toEqual(bestOf(series, "iou"));
});
