import { claimRun } from "../../server/agent/lease.ts";
import { appendMetrics, rewindMetrics } from "../../server/metrics/store.ts";
import { openWorld } from "../fault/world.ts";
import { loadavg } from "node:os";
const world = await openWorld();
await world.queueRun();
const lease = await claimRun(world.db, { agent: "bench", process: { pid: process.pid, startTicks: "0" } }, { leaseMs: 600_000, maxRuns: 100 });
if (!lease) throw new Error("x");
const run = { id: lease.runId, orgId: lease.orgId };
for (let from = 0; from < 500_000; from += 10_000) {
  const steps = Array.from({ length: 10_000 }, (_, at) => from + at + 1);
  const values = steps.map(() => Math.random());
  await world.db.$transaction((tx) => appendMetrics(tx, run, lease.token, Array.from({ length: 10 }, (_, k) => ({ key: `m/${k}`, steps, values }))));
}
const time = async (step: number) => {
  const t = performance.now();
  try { await world.db.$transaction((tx) => rewindMetrics(tx, run, lease.token, step)); console.log("rewind to", step, Math.round(performance.now() - t), "ms, load", loadavg()[0]); }
  catch (e) { console.log("rewind to", step, "FAILED after", Math.round(performance.now() - t), (e as Error).message.slice(0, 200)); }
};
await time(499_000); await time(400_000); await time(0);
await world.close();
