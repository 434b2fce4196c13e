import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { chain } from "../../core/templates/sketch.ts";
import { openWorld, until, type World } from "./world.ts";

/** Its form for the first version of control groups or the second: where groups are made, and the names of their limit and of what they hold. */
const forms = [
  { root: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", held: "memory.usage_in_bytes" },
  { root: "/sys/fs/cgroup", limit: "memory.max", held: "memory.current" },
];

let world: World;
let group: { folder: string; limit: string; held: string } | null = null;
beforeAll(async () => {
  // While a group is at its limit the kernel holds up everyone in it: the neighbour may be late with a beat, for which a short lease would be lost.
  world = await openWorld({ LEASE_MS: "20000" });
  for (const { root, ...names } of forms) {
    const folder = join(root, `tensorloom-${process.pid}`);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    if (existsSync(join(folder, names.limit))) {
      group = { folder, ...names };
      return;
    }
    rmdirSync(folder);
  }
});
afterAll(async () => {
  await world?.close();
  const { folder } = group ?? {};
  if (folder === undefined) return;
  await until("the group is empty", 10_000, async () => (readFileSync(join(folder, "cgroup.procs"), "utf8").trim() === "" ? true : null));
  rmdirSync(folder);
});
afterEach(async () => expect(await world.audit()).toEqual([]));

it("a run that the kernel ends for want of memory fails with that in words, beside a neighbour that goes on, and a smaller batch trains", { timeout: 400_000 }, async ({
  skip,
}) => {
  if (group === null) return skip("a group with a limit of memory cannot be made without root's rights");
  const { folder, limit, held } = group;
  const agent = world.startAgent();
  // Its trainers are born into its group.
  writeFileSync(join(folder, "cgroup.procs"), String(agent.pid));
  const neighbour = await world.queueRun({ epochs: 10_000, batchSize: 8 });
  await world.untilRun(neighbour, "under way", ({ step }) => step > 20);
  await until("a trainer waits", 60_000, async () => (world.waitingTrainers().length > 0 ? true : null));
  writeFileSync(join(folder, limit), String(Number(readFileSync(join(folder, held), "utf8")) + (700 << 20)));

  // By its estimate there is room, and there is for another waiting trainer, but not for this.
  const wide = chain([
    ["input", "input", { shape: [9] }],
    ["wide", "linear", { out_features: 500_000 }],
    ["relu", "relu"],
    ["scores", "linear", { out_features: 3 }],
    ["output", "output"],
  ]);
  const id = await world.queueRun({ epochs: 1, batchSize: 266 }, wide);
  const run = await world.untilRun(id, "failed", ({ status }) => status === "failed", 240_000);
  // Where it was then is named, forward by the node.
  expect(run.failure).toMatchObject({
    code: "OUT_OF_MEMORY",
    message: expect.stringMatching(
      /^Out of memory: the system has ended the training process 3 times before it reached a checkpoint, the last time in (node "(Linear|ReLU)"|the backward pass|the optimizer's step), because/,
    ),
  });
  const ended = { startsWith: "The system ended the training process in ", endsWith: " because memory ran out." };
  expect(await world.db.runLog.count({ where: { runId: id, message: ended } })).toBe(3);
  const { step } = await world.run(neighbour);
  const after = await world.untilRun(neighbour, "further", (other) => other.status === "running" && other.step > step + 20);
  expect(after.leaseToken).toBe(1);
  const small = await world.queueRun(
    { epochs: 1, batchSize: 16 },
    chain([
      ["input", "input", { shape: [9] }],
      ["scores", "linear", { out_features: 3 }],
      ["output", "output"],
    ]),
  );
  expect((await world.untilEnded(small)).status).toBe("finished");
  await world.db.run.update({ where: { id: neighbour }, data: { cancelRequestedAt: new Date() } });
  expect((await world.untilEnded(neighbour)).status).toBe("cancelled");
});
