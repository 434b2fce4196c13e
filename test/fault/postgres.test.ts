import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readOwner } from "../../server/agent/lease.ts";
import { allowed } from "../allowed.ts";
import { kill, openWorld, until, type World } from "./world.ts";

/** Minutes in production; FAULT_OUTAGE_MS=600000 tries those. */
const outageMs = Number(process.env.FAULT_OUTAGE_MS ?? 10_000);
const said = () => readFileSync(join(world.folder, "logs", "trainers.log"), "utf8");
/** How often everything dies; FAULT_ROUNDS=100 takes a quarter of an hour. */
const rounds = Number(process.env.FAULT_ROUNDS ?? 3);
let survived = 0;
/** So many that a run caught in its middle has enough left to fill its spool. */
const order = { epochs: 1_500, schedule: "constant" as const, seed: 3 };

let world: World;
let undisturbed: Awaited<ReturnType<World["series"]>>;
beforeAll(async () => {
  // A run that waits for its database is not stuck, though it makes no step for longer than a stuck one may.
  world = await openWorld({ SPOOL_BYTES: "65536", STUCK_AFTER_MS: "8000" });
  world.startAgent();
  const twin = await world.queueRun(order);
  expect((await world.untilEnded(twin)).status).toBe("finished");
  undisturbed = await world.series(twin);
});
afterAll(() => world?.close());

describe("while Postgres is away", () => {
  it("training goes on until its spool is full, then waits; nothing is lost, and one trainer does it all", { timeout: 300_000 + 2 * outageMs }, async () => {
    const { id, goOn } = await world.catchRun(order);
    const { epoch } = await world.run(id);
    const before = said().length;
    await world.crashPostgres();
    goOn();
    await until("the spool is full", 120_000, async () => (said().slice(before).includes("spool is full") ? true : null));
    await sleep(outageMs);
    expect(said().slice(before)).not.toContain("spool is written");
    await world.restartPostgres();
    const backAt = performance.now();
    await world.untilRun(id, "drained", (run) => run.epoch > epoch);
    await until("training goes on", 120_000, async () => (said().slice(before).includes("spool is written") ? true : null));
    expect(performance.now() - backAt).toBeLessThan(allowed(10_000));
    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    // Its lease ran out while nobody could renew it, and was not taken for that.
    expect(run.leaseToken).toBe(1);
    expect(await world.series(id)).toEqual(undisturbed);
  });

  it("a server that hangs without dying changes nothing either", async () => {
    const { id, goOn } = await world.catchRun(order);
    world.signalPostgres("SIGSTOP");
    goOn();
    await sleep(7_000);
    world.signalPostgres("SIGCONT");
    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    expect(run.leaseToken).toBe(1);
    expect(await world.series(id)).toEqual(undisturbed);
  });

  it(`after everything died at once, up to ${rounds} times over, the run goes on within 30 s and ends as if nothing had been`, { timeout: 180_000 + rounds * 60_000 }, async () => {
    const { id, trainer: first } = await world.catchRun(order);
    for (let round = 0; round < rounds; round++) {
      // A checkpoint of this round's own trainer: it is not always the same one that is gone back to.
      const { status, leaseToken, owner } = await world.untilRun(
        id,
        "under way",
        (run) => round === 0 || run.status === "finished" || (run.status === "running" && run.attempts === 0 && run.step > 0),
      );
      if (status === "finished") break;
      const trainer = round === 0 ? first : readOwner(owner ?? "")?.process.pid;
      world.agent.kill("SIGKILL");
      kill(trainer, "SIGKILL");
      const diedAt = performance.now();
      await world.crashPostgres();
      await world.restartPostgres();
      world.startAgent();
      await world.untilRun(id, "claimed again", (run) => run.status !== "queued" && run.leaseToken > leaseToken + 1);
      expect(performance.now() - diedAt).toBeLessThan(allowed(30_000));
      survived++;
    }
    expect(survived).toBeGreaterThan(0);
    expect((await world.untilEnded(id)).status).toBe("finished");
    expect(await world.series(id)).toEqual(undisturbed);
  });
});
afterEach(async () => expect(await world.audit()).toEqual([]));
