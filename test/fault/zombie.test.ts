import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { identify, isAlive } from "../../server/agent/process.ts";
import { allowed } from "../allowed.ts";
import { kill, openWorld, until, type World } from "./world.ts";

const order = { epochs: 250, schedule: "constant" as const, seed: 5 };

let world: World;
let undisturbed: Awaited<ReturnType<World["series"]>>;
beforeAll(async () => {
  world = await openWorld({ LEASE_MS: "3000" });
  world.startAgent();
  const twin = await world.queueRun(order);
  expect((await world.untilEnded(twin)).status).toBe("finished");
  undisturbed = await world.series(twin);
});
afterAll(() => world?.close());

describe("a trainer that slept through its lease", () => {
  it("finds the run taken over by another machine, writes nothing, and ends within 5 s", async () => {
    const { id, trainer: sleeper } = await world.catchRun(order);
    const identity = identify(sleeper);
    // Its own machine's agent dies with it asleep; the other machine cannot see the process, only the lease.
    world.agent.kill("SIGKILL");
    world.startAgent({ AGENT_NAME: "second" });
    const taken = await world.untilRun(id, "taken over", (run) => run.leaseToken >= 3 && (run.owner ?? "").startsWith("second "));
    kill(sleeper, "SIGCONT");
    await until("the sleeper has ended", allowed(5_000), async () => (identity === null || !isAlive(identity) ? true : null));
    expect(readFileSync(join(world.folder, "logs", "trainers.log"), "utf8")).toContain('"msg":"lease lost"');

    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    expect(run.leaseToken).toBe(taken.leaseToken);
    expect(await world.series(id)).toEqual(undisturbed);
    // Of the sleeper's lease nothing was written after the run was taken away.
    const stale = await world.db.runLog.findMany({ where: { runId: id, leaseToken: 1 }, orderBy: { id: "desc" }, take: 1 });
    expect(stale[0]?.message).toContain("no sign of life");
  });

  it("that stops on the agent's own machine is killed and replaced", async () => {
    const { id, trainer } = await world.catchRun(order);
    const stopped = identify(trainer);
    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    expect(run.leaseToken).toBe(3);
    expect(stopped !== null && isAlive(stopped)).toBe(false);
    expect(await world.series(id)).toEqual(undisturbed);
  });
});
afterEach(async () => expect(await world.audit()).toEqual([]));
