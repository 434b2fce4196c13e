import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { cancelRun } from "../../server/runs/change.ts";
import { allowed } from "../allowed.ts";
import { openWorld, type World } from "./world.ts";

const times = Number(process.env.FAULT_CANCELS ?? 8);
const order = { epochs: 100, schedule: "constant" as const, seed: 1 };

let world: World;
beforeAll(async () => {
  world = await openWorld();
  world.startAgent();
});
afterAll(() => world?.close());

describe("a wish to cancel", () => {
  it(`at ${times} random times ends the run within 2 s, and it never becomes finished after`, { timeout: 60_000 + times * 10_000 }, async () => {
    const ended: { id: string; status: string }[] = [];
    for (let turn = 0; turn < times; turn++) {
      const id = await world.queueRun(order);
      // From before the claim to after the last step: the whole run takes about a second.
      await sleep(turn === 0 ? 0 : Math.random() * 1_500);
      const askedAt = performance.now();
      const refused = await cancelRun(world.db, world.orgId, id).then(
        () => false,
        () => true,
      );
      const run = await world.untilRun(id, "ended", ({ status }) => status === "cancelled" || status === "finished", 60_000);
      expect(performance.now() - askedAt).toBeLessThan(allowed(2_000));
      // Only a run that had finished before may stay so, and then the wish was refused.
      expect(run.status).toBe(refused ? "finished" : "cancelled");
      ended.push({ id, status: run.status });
    }
    for (const { id, status } of ended) expect((await world.untilEnded(id)).status).toBe(status);
    expect(ended.some(({ status }) => status === "cancelled")).toBe(true);
  });

  it("ends a queued run at once, and no agent ever starts it", async () => {
    const [first, second, third] = [await world.queueRun({ ...order, epochs: 5_000 }), await world.queueRun({ ...order, epochs: 5_000 }), await world.queueRun(order)];
    await world.untilRun(second, "running beside the first", (run) => run.status === "running");
    await cancelRun(world.db, world.orgId, third);
    expect(await world.run(third)).toMatchObject({ status: "cancelled", startedAt: null, leaseToken: 0 });
    await Promise.all([cancelRun(world.db, world.orgId, first), cancelRun(world.db, world.orgId, second)]);
    await world.untilEnded(first);
    await world.untilEnded(second);
    expect(await world.run(third)).toMatchObject({ status: "cancelled", startedAt: null });
  });

  it("keeps what was trained: exports are made of the best checkpoint", async () => {
    const id = await world.queueRun({ ...order, epochs: 5_000 });
    await world.untilRun(id, "well under way", (run) => run.epoch > 10);
    await cancelRun(world.db, world.orgId, id);
    expect((await world.untilEnded(id)).status).toBe("cancelled");
    const artifacts = await world.db.artifact.findMany({ where: { runId: id }, orderBy: { kind: "asc" } });
    expect(artifacts.map(({ kind, refusal }) => [kind, refusal])).toEqual([
      ["onnx", null],
      ["pytorch", null],
      ["safetensors", null],
    ]);
    expect(artifacts[0]?.report).toMatchObject({ passed: true, samples: 64 });
  });
});
afterEach(async () => expect(await world.audit()).toEqual([]));
