import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kill, openWorld, type World } from "./world.ts";

/** Minutes in production; FAULT_OUTAGE_MS=600000 tries those. */
const outageMs = Number(process.env.FAULT_OUTAGE_MS ?? 4_000);
/** How often everything dies; FAULT_ROUNDS=100 takes a quarter of an hour. */
const rounds = Number(process.env.FAULT_ROUNDS ?? 3);
let survived = 0;
const order = { epochs: 250, schedule: "constant" as const, seed: 3 };

let world: World;
let undisturbed: Awaited<ReturnType<World["series"]>>;
beforeAll(async () => {
  world = await openWorld({ SPOOL_BYTES: "65536", LEASE_MS: "4000" });
  world.startAgent();
  const twin = await world.queueRun(order);
  expect((await world.untilEnded(twin)).status).toBe("finished");
  undisturbed = await world.series(twin);
});
afterAll(() => world?.close());

describe("while Postgres is away", () => {
  it("training goes on until its spool is full, then waits; nothing is lost, and one trainer does it all", { timeout: 180_000 + 2 * outageMs }, async () => {
    const id = await world.queueRun(order);
    await world.untilRun(id, "well under way", (run) => run.epoch > 10);
    await world.crashPostgres();
    await sleep(outageMs);
    await world.restartPostgres();
    const backAt = performance.now();
    await world.untilRun(id, "drained", (run) => run.epoch > 30, 10_000 + outageMs);
    expect(performance.now() - backAt).toBeLessThan(10_000);
    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    expect(readFileSync(join(world.folder, "logs", "trainers.log"), "utf8")).toContain("spool was full");
    // Its lease ran out while nobody could renew it, and was not taken for that.
    expect(run.leaseToken).toBe(1);
    expect(await world.series(id)).toEqual(undisturbed);
    expect(await world.audit()).toEqual([]);
  });

  it("a server that hangs without dying changes nothing either", async () => {
    const id = await world.queueRun(order);
    await world.untilRun(id, "well under way", (run) => run.epoch > 10);
    world.signalPostgres("SIGSTOP");
    await sleep(7_000);
    world.signalPostgres("SIGCONT");
    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    expect(run.leaseToken).toBe(1);
    expect(await world.series(id)).toEqual(undisturbed);
    expect(await world.audit()).toEqual([]);
  });

  it(`after everything died at once, up to ${rounds} times over, the run goes on within 30 s and ends as if nothing had been`, { timeout: 60_000 + rounds * 40_000 }, async () => {
    const id = await world.queueRun(order);
    for (let round = 0; round < rounds; round++) {
      // A checkpoint of this round's own trainer: it is not always the same one that is gone back to.
      await world.untilRun(id, "under way", (run) => run.status === "finished" || (run.status === "running" && run.attempts === 0 && run.step > 0));
      const { status, leaseToken } = await world.run(id);
      if (status === "finished") break;
      const trainer = await world.trainerOf(id);
      world.agent.kill("SIGKILL");
      kill(trainer, "SIGKILL");
      const diedAt = performance.now();
      await world.crashPostgres();
      await world.restartPostgres();
      world.startAgent();
      await world.untilRun(id, "running again", (run) => run.status === "running" && run.leaseToken > leaseToken);
      expect(performance.now() - diedAt).toBeLessThan(30_000);
      survived++;
    }
    expect(survived).toBeGreaterThan(0);
    expect((await world.untilEnded(id)).status).toBe("finished");
    expect(await world.series(id)).toEqual(undisturbed);
    expect(await world.audit()).toEqual([]);
  });
});
