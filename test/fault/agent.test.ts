import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { identify, isAlive } from "../../server/agent/process.ts";
import { cancelRun } from "../../server/runs/change.ts";
import { allowed } from "../allowed.ts";
import { openWorld, until, type World } from "./world.ts";

const order = { epochs: 250, schedule: "constant" as const, seed: 11 };

let world: World;
let undisturbed: Awaited<ReturnType<World["series"]>>;
beforeAll(async () => {
  world = await openWorld();
  world.startAgent();
  const twin = await world.queueRun(order);
  expect((await world.untilEnded(twin)).status).toBe("finished");
  undisturbed = await world.series(twin);
});
afterAll(() => world?.close());

describe("the agent", () => {
  it("killed during a run, is not missed by it; its successor leaves the run alone", async () => {
    const id = await world.queueRun(order);
    const { step } = await world.untilRun(id, "well under way", (run) => run.epoch > 10);
    const trainer = identify(await world.trainerOf(id));
    world.agent.kill("SIGKILL");
    await world.untilRun(id, "going on without an agent", (run) => run.step > step || run.status === "finished");
    await sleep(500);
    world.startAgent();
    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    expect(run.leaseToken).toBe(1);
    expect(await world.series(id)).toEqual(undisturbed);
    expect(trainer).not.toBeNull();
    // The trainer that was only waiting had nothing to live for.
    await until("only the new agent's trainer waits", 10_000, async () => (world.waitingTrainers().length === 1 ? true : null));
  });

  it("goes on where its trainers' log cannot be opened, and they where no line of it can be written", async () => {
    const log = join(world.folder, "logs", "trainers.log");
    const agent = world.agent;
    agent.kill("SIGKILL");
    await until("no trainer waits", 20_000, async () => (world.waitingTrainers().length === 0 ? true : null));
    renameSync(log, `${log}.before`);
    mkdirSync(log);
    world.startAgent();
    await until("the agent says so", 20_000, async () => (readFileSync(join(world.folder, "first.log"), "utf8").includes("a trainer could not be started") ? true : null));
    rmdirSync(log);
    symlinkSync("/dev/full", log);
    const id = await world.queueRun(order);
    expect(await world.untilEnded(id)).toMatchObject({ status: "finished", leaseToken: 1 });
    expect(await world.series(id)).toEqual(undisturbed);
    rmSync(log);
    renameSync(`${log}.before`, log);
  });

  it("asked to end, puts its runs back into the queue with a checkpoint and leaves no process within 8 s", async () => {
    const id = await world.queueRun({ ...order, epochs: 5_000 });
    await world.untilRun(id, "well under way", (run) => run.epoch > 10);
    const trainer = identify(await world.trainerOf(id));
    const agent = world.agent;
    const askedAt = performance.now();
    agent.kill("SIGTERM");
    await new Promise((resolve) => agent.once("exit", resolve));
    expect(performance.now() - askedAt).toBeLessThan(allowed(8_500));
    expect(trainer !== null && isAlive(trainer)).toBe(false);
    const run = await world.run(id);
    expect(run).toMatchObject({ status: "queued", leaseUntil: null, attempts: 0 });
    const last = await world.db.checkpoint.findFirstOrThrow({ where: { runId: id }, orderBy: { step: "desc" } });
    // Everything that was trained was kept: stopped between steps, not cut off.
    expect(last.step).toBe(run.step);
    expect(await world.audit()).toEqual([]);

    await cancelRun(world.db, world.orgId, id);
    world.startAgent();
    const next = await world.queueRun(order);
    expect((await world.untilEnded(next)).status).toBe("finished");
    expect(await world.series(next)).toEqual(undisturbed);
    expect((await world.untilEnded(id)).status).toBe("cancelled");
  });
});
afterEach(async () => expect(await world.audit()).toEqual([]));
