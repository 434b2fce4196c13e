import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { kill, openWorld, type World } from "./world.ts";

const hourMs = 3_600_000;
const order = { epochs: 250, schedule: "constant" as const, seed: 13 };
const wrongBy = (ms: number) => ({ NODE_OPTIONS: `--import ${fileURLToPath(new URL("shiftedClock.ts", import.meta.url))}`, CLOCK_SHIFT_MS: String(ms) });

let world: World;
let undisturbed: Awaited<ReturnType<World["series"]>>;
beforeAll(async () => {
  world = await openWorld();
  const agent = world.startAgent();
  const twin = await world.queueRun(order);
  expect((await world.untilEnded(twin)).status).toBe("finished");
  undisturbed = await world.series(twin);
  agent.kill("SIGTERM");
  await new Promise((resolve) => agent.once("exit", resolve));
});
afterAll(() => world?.close());

it("machines whose clocks are an hour ahead and an hour behind steal no run from each other, and lose none", async () => {
  world.startAgent({ AGENT_NAME: "ahead", ...wrongBy(hourMs) });
  world.startAgent({ AGENT_NAME: "behind", ...wrongBy(-hourMs) });
  const calm = await world.queueRun(order);
  const { id: killed, trainer } = await world.catchRun(order);
  kill(trainer, "SIGKILL");
  expect(await world.untilEnded(calm)).toMatchObject({ status: "finished", leaseToken: 1 });
  expect(await world.untilEnded(killed)).toMatchObject({ status: "finished", leaseToken: 3 });
  expect(await world.series(calm)).toEqual(undisturbed);
  expect(await world.series(killed)).toEqual(undisturbed);
  // The clocks really were wrong: the log that trainers write says their own time.
  const { now } = (await world.db.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS "now"`)[0] ?? { now: new Date() };
  const lines = await world.db.runLog.findMany({ where: { runId: { in: [calm, killed] }, edge: null, leaseToken: { gt: 0 } }, select: { at: true, message: true } });
  expect(lines.some(({ at }) => Math.abs(at.getTime() - now.getTime()) > hourMs / 2)).toBe(true);
});
afterEach(async () => expect(await world.audit()).toEqual([]));
