import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { chain } from "../../core/templates/sketch.ts";
import { readConfig } from "../../server/config.ts";
import { cancelRun } from "../../server/runs/change.ts";
import { shrinkRun } from "../../server/runs/start.ts";
import { allowed } from "../allowed.ts";
import { openWorld, type Web, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
  // Runs are ordered where nobody knows of the limit that the machine which trains them has.
  world.startAgent({ MEMORY_LIMIT_MB: "24" });
});
afterAll(() => world?.close());
afterEach(async () => expect(await world.audit()).toEqual([]));

/** How long the slowest twentieth of the answers to a page takes, ms, until something is so or there were enough. */
async function slowest({ port, cookie }: Web, most: number, isOver = () => false): Promise<number> {
  const times: number[] = [];
  while (times.length < most && !isOver()) {
    const askedAt = performance.now();
    const answer = await fetch(`http://127.0.0.1:${port}/api/trpc/projects.list`, { headers: { cookie } });
    if (answer.status !== 200) throw new Error(`The web process answered ${answer.status}.`);
    await answer.text();
    times.push(performance.now() - askedAt);
    await sleep(5);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? Number.POSITIVE_INFINITY;
}

it("a run that wants more memory than it may have fails with the node, the bytes and the limit, beside a neighbour that goes on; with a smaller batch it trains", async () => {
  const wide = chain([
    ["input", "input", { shape: [9] }],
    ["wide", "linear", { out_features: 30_000 }],
    ["relu", "relu"],
    ["scores", "linear", { out_features: 3 }],
    ["output", "output"],
  ]);
  const web = await world.startWeb();
  await slowest(web, 30);
  const idle = await slowest(web, 100);
  const neighbour = await world.queueRun({ epochs: 10_000, batchSize: 8 });
  await world.untilRun(neighbour, "under way", ({ step }) => step > 20);
  const runId = await world.queueRun({ epochs: 1, batchSize: 256 }, wide);
  let failed = false;
  const busy = slowest(web, 1_000, () => failed);
  const run = await world.untilRun(runId, "failed", ({ status }) => status === "failed");
  failed = true;
  // Whoever looks on does not feel it: twice what an idle machine takes, or what nobody notices.
  console.log(`the slowest twentieth of a page's answers: ${idle.toFixed(1)} ms idle, ${(await busy).toFixed(1)} ms while a run trains and another runs out of memory`);
  expect(await busy).toBeLessThan(allowed(Math.max(2 * idle, 50)));
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
  await cancelRun(world.db, world.orgId, neighbour);
  expect((await world.untilEnded(neighbour)).status).toBe("cancelled");
}, 240_000);
