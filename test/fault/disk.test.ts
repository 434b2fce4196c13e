import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openWorld, until, type World } from "./world.ts";

const order = { epochs: 400, schedule: "constant" as const, seed: 2 };

let world: World;
let runs: string;
let mounted = false;
beforeAll(async () => {
  world = await openWorld();
  runs = join(world.folder, "files", "runs");
  mkdirSync(runs, { recursive: true });
  // A disk of its own needs the right to mount one, which only root has.
  mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", runs]).status === 0;
});
afterAll(async () => {
  await world?.close(() => {
    if (mounted) execFileSync("umount", [runs]);
  });
});

it("a run whose disk is full waits, says so, and goes on by itself once there is room, as if nothing had been", async ({ skip }) => {
  if (!mounted) skip("a small disk cannot be mounted without root's rights");
  world.startAgent();
  const twin = await world.queueRun(order);
  expect((await world.untilEnded(twin)).status).toBe("finished");

  const { id, goOn } = await world.catchRun(order);
  const filler = join(runs, "filler");
  fill(filler);
  goOn();
  const line = await until("the log says that the disk is full", 60_000, () => world.db.runLog.findFirst({ where: { runId: id, message: { startsWith: "Disk full" } } }));
  expect(line.level).toBe("warn");
  await sleep(1_000);
  expect((await world.run(id)).status).toBe("running");
  rmSync(filler);
  const run = await world.untilEnded(id);
  expect(run).toMatchObject({ status: "finished", leaseToken: 1 });
  expect(await world.series(id)).toEqual(await world.series(twin));
  expect(await world.audit()).toEqual([]);
});

it("a run that ends on a full disk is finished at once, and what can be taken along from it comes once there is room", async ({ skip }) => {
  if (!mounted) skip("a small disk cannot be mounted without root's rights");
  world.agent.kill("SIGSTOP");
  const id = await world.queueRun({ ...order, epochs: 3 });
  const exports = join(runs, id, "export-1");
  mkdirSync(exports, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", exports]);
  try {
    fill(join(exports, "filler"));
    world.agent.kill("SIGCONT");
    await until("the log says that the disk is full", 60_000, () => world.db.runLog.findFirst({ where: { runId: id, message: { startsWith: "Disk full: what" } } }));
    expect(await world.run(id)).toMatchObject({ status: "finished", leaseToken: 1 });
    expect(await world.db.artifact.count({ where: { runId: id } })).toBe(0);
    rmSync(join(exports, "filler"));
    expect(await world.untilEnded(id)).toMatchObject({ status: "finished", leaseToken: 1 });
    expect(await world.db.artifact.count({ where: { runId: id, sizeBytes: { gt: 0 } } })).toBe(3);
    expect(await world.audit()).toEqual([]);
  } finally {
    execFileSync("umount", [exports]);
  }
});

/** Takes every byte there is. */
function fill(file: string): void {
  const handle = openSync(file, "w");
  try {
    for (let size = 1 << 20; size >= 1; ) {
      try {
        writeSync(handle, Buffer.alloc(size));
      } catch {
        size >>= 1;
      }
    }
  } finally {
    closeSync(handle);
  }
}
