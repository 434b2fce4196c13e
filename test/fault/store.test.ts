import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readOwner } from "../../server/agent/lease.ts";
import { openBucket } from "../../server/storage/s3.ts";
import { openSharedStore } from "../../server/storage/shared.ts";
import { openTestBucket, type TestBucket } from "../bucket.ts";
import { kill, openWorld, until, type World } from "./world.ts";

/** Machines that share a database and a bucket, and no disk: each agent has a folder of its own. */
let world: World;
let bucket: TestBucket;
const disks = ["one", "two"].map((name) => mkdtempSync(join(tmpdir(), `tensorloom-${name}-`)));
beforeAll(async () => {
  bucket = await openTestBucket();
  world = await openWorld({ ...bucket.settings, MAX_RUNS: "1", SPOOL_BYTES: String(64 << 20), LEASE_MS: "6000" });
});
afterAll(async () => {
  await world?.close();
  await bucket?.close();
  for (const disk of disks) rmSync(disk, { recursive: true, force: true });
});

const endless = { epochs: 100_000, batchSize: 2, schedule: "constant" as const };
const start = (at: 0 | 1) => world.startAgent({ AGENT_NAME: `machine-${at}`, DATA_DIR: disks[at] as string });
const agentOf = async (runId: string) => readOwner((await world.run(runId)).owner ?? "")?.agent;

it("a run begins on one machine, and when that is gone another goes on from its checkpoint; a store that is away meanwhile costs nothing", { timeout: 240_000 }, async () => {
  const first = start(0);
  const id = await world.queueRun(endless);
  await world.untilRun(id, "has a checkpoint", (run) => run.status === "running" && run.epoch > 2);
  await until("a checkpoint is recorded", 60_000, async () => ((await world.db.checkpoint.count({ where: { runId: id } })) > 0 ? true : null));
  expect(await agentOf(id)).toBe("machine-0");

  // The machine is gone with its disk.
  const trainer = await world.trainerOf(id);
  first.kill("SIGKILL");
  kill(trainer, "SIGKILL");
  const left = await world.db.checkpoint.findFirstOrThrow({ where: { runId: id }, orderBy: { step: "desc" } });
  rmSync(disks[0] as string, { recursive: true, force: true });
  start(1);
  // Once it has recorded a checkpoint of its own it has the data and works; while it still brings them, a store that is away would hold it up.
  await until("the other machine records a checkpoint", 120_000, async () =>
    (await world.db.checkpoint.count({ where: { runId: id, leaseToken: { gt: left.leaseToken } } })) > 0 ? true : null,
  );
  expect(await agentOf(id)).toBe("machine-1");
  // It did not begin anew: nothing was said of that, and the checkpoint it went on from is still the run's.
  const said = (await world.db.runLog.findMany({ where: { runId: id } })).map(({ message }) => message).join("\n");
  expect(said).not.toContain("from the beginning");
  expect(said).not.toContain("damaged");

  // The store goes: training goes on, and no checkpoint is recorded that others could not read.
  await bucket.stop();
  await until("the run says so", 60_000, async () =>
    (await world.db.runLog.count({ where: { runId: id, message: { startsWith: "The file store does not answer. Training goes on" } } })) > 0 ? true : null,
  );
  const during = await world.run(id);
  await world.untilRun(id, "further on", (run) => run.step > during.step + 200);
  expect((await world.run(id)).status).toBe("running");

  // Somebody keeps the best; the end waits for the store, and everything is there once it is back.
  await world.db.run.update({ where: { id }, data: { cancelRequestedAt: new Date(), keepBest: true } });
  await new Promise((wake) => setTimeout(wake, 1_500));
  expect((await world.run(id)).endedAt).toBeNull();
  await bucket.start();
  const ended = await world.untilEnded(id);
  expect([ended.status, ended.failure]).toEqual(["finished", null]);
  expect(await world.audit()).toEqual([]);

  // A third machine that has nothing has all of it.
  const disk = mkdtempSync(join(tmpdir(), "tensorloom-three-"));
  try {
    const store = openSharedStore(disk, openBucket(bucket.place));
    const artifacts = await world.db.artifact.findMany({ where: { runId: id } });
    expect(artifacts.map(({ kind, refusal }) => [kind, refusal]).sort()).toEqual([
      ["onnx", null],
      ["pytorch", null],
      ["safetensors", null],
    ]);
    for (const { storageKey, sha256 } of [...artifacts, ...(await world.db.checkpoint.findMany({ where: { runId: id } }))]) await store.bring(storageKey, sha256);
    // What was pruned on the way is gone from the bucket, too: what is left is what rows speak of.
    const known = [...artifacts, ...(await world.db.checkpoint.findMany({ where: { runId: id } }))].map(({ storageKey }) => storageKey);
    await until("the bucket holds what the rows name", 20_000, async () => ((await store.list(`runs/${id}`)).length === known.length ? true : null));
    expect((await store.list(`runs/${id}`)).map(({ key }) => key).sort()).toEqual(known.sort());
  } finally {
    rmSync(disk, { recursive: true, force: true });
  }
  expect(readdirSync(disks[1] as string)).toContain("files");
});
