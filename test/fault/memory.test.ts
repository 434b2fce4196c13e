import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chain } from "../../core/templates/sketch.ts";
import { readConfig } from "../../server/config.ts";
import { shrinkRun } from "../../server/runs/start.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
  // Runs are ordered where nobody knows of the limit that the machine which trains them has.
  world.startAgent({ MEMORY_LIMIT_MB: "24" });
});
afterAll(() => world?.close());

it("a run that wants more memory than it may have fails with the node, the bytes and the limit, beside a neighbour that goes on; with a smaller batch it trains", async () => {
  const wide = chain([
    ["input", "input", { shape: [9] }],
    ["wide", "linear", { out_features: 30_000 }],
    ["relu", "relu"],
    ["scores", "linear", { out_features: 3 }],
    ["output", "output"],
  ]);
  const neighbour = await world.queueRun({ epochs: 10_000, batchSize: 8 });
  await world.untilRun(neighbour, "under way", ({ step }) => step > 20);
  const runId = await world.queueRun({ epochs: 1, batchSize: 256 }, wide);
  const run = await world.untilRun(runId, "failed", ({ status }) => status === "failed");
  expect(run.failure).toMatchObject({
    code: "OUT_OF_MEMORY",
    node: expect.stringMatching(/^(wide|relu|scores)$/),
    step: 1,
    limitBytes: 24 * 2 ** 20,
    askedBytes: expect.any(Number),
    message: expect.stringMatching(/^Out of memory: needed ~\d+ MiB, limit 24 MiB, at "\w+": /),
  });
  const { step } = await world.run(neighbour);
  await world.untilRun(neighbour, "further", (other) => other.status === "running" && other.step > step + 20);

  const user = await world.db.user.findFirstOrThrow();
  const config = readConfig({ DATA_DIR: world.folder, DATABASE_URL: world.postgres.url });
  const smaller = await shrinkRun(world.db, config, { orgId: world.orgId, userId: user.id }, { runId, batchSize: 16, idempotencyKey: randomUUID() });
  const ended = await world.untilEnded(smaller.runId);
  expect(ended).toMatchObject({ status: "finished", settings: expect.objectContaining({ batchSize: 16, accumulate: 16 }) });
  expect(Number(ended.peakBytes)).toBeLessThanOrEqual(24 * 2 ** 20);
  expect(ended.forecast).toMatchObject({ measured: false });
}, 240_000);
