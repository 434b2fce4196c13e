import { afterAll, beforeAll, expect, it } from "vitest";
import { claimExports, claimRun, takeAway } from "../../../server/agent/lease.ts";
import { keepLease, whileKept } from "../../../server/trainer/keep.ts";
import { openWorld, type World } from "../../fault/world.ts";

const nobody = { pid: 1, startTicks: "0" };
const leaseMs = 60_000;
const unexpected = {
  lost: () => {
    throw new Error("The lease is not over.");
  },
  asked: () => {},
};

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

it("a lease that ran out while the database was away is renewed as soon as somebody keeps it, and its exports are not taken before", async () => {
  const id = await world.queueRun();
  const lease = await claimRun(world.db, { agent: "first", process: nobody }, { leaseMs, maxRuns: 100 });
  if (lease === null) throw new Error("There is a run to claim.");
  await world.db
    .$executeRaw`UPDATE "Run" SET "status" = 'finished', "endedAt" = clock_timestamp(), "leaseUntil" = clock_timestamp() - interval '1 second' WHERE "id" = ${id}::uuid`;
  const other = { agent: "second", process: nobody };
  expect(await claimExports(world.db, other, { leaseMs })).toBeNull();

  const keeping = keepLease(world.db, lease, leaseMs, unexpected);
  await world.untilRun(id, "kept", ({ leaseUntil }) => (leaseUntil?.getTime() ?? 0) > Date.now() + leaseMs / 2);
  keeping.stop();
  const silent = () => takeAway(world.db, lease, { kind: "silent" }, { onlyExpired: true });
  expect(await silent()).toBeNull();
  expect(await claimExports(world.db, other, { leaseMs })).toBeNull();

  await world.db.$executeRaw`UPDATE "Run" SET "leaseUntil" = clock_timestamp() - interval '1 second' WHERE "id" = ${id}::uuid`;
  expect(await silent()).not.toBeNull();
  expect(await claimExports(world.db, other, { leaseMs })).toMatchObject({ runId: id, token: lease.token + 2 });
});

it("a lease is kept while work is done that takes longer than it lasts, and no longer", async () => {
  const id = await world.queueRun();
  const lease = await claimRun(world.db, { agent: "first", process: nobody }, { leaseMs, maxRuns: 100 });
  if (lease === null) throw new Error("There is a run to claim.");
  const times = new Set<number>();
  await whileKept(world.db, lease, 600, unexpected.lost, () => world.untilRun(id, "renewed again and again", ({ leaseUntil }) => times.add(leaseUntil?.getTime() ?? 0).size > 4));
  await world.untilRun(id, "without a lease", ({ leaseUntil }) => (leaseUntil?.getTime() ?? 0) < Date.now());
});
