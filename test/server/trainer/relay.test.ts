import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claimRun, type Lease, takeAway } from "../../../server/agent/lease.ts";
import { transact } from "../../../server/database/client.ts";
import { rewindMetrics } from "../../../server/metrics/store.ts";
import { cancelRun } from "../../../server/runs/change.ts";
import { listLooks, readLook } from "../../../server/runs/looks.ts";
import { readHistograms } from "../../../server/runs/read.ts";
import { Relay, type RelayOptions } from "../../../server/trainer/relay.ts";
import { openWorld, type World } from "../../fault/world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

/** Beyond the largest process id there can be. */
const nobody = { pid: 2 ** 22 + 1, startTicks: "0" };

async function claim(): Promise<Lease> {
  await world.queueRun();
  const lease = await claimRun(world.db, { agent: "first", process: nobody }, { leaseMs: 60_000, maxRuns: 100 });
  if (lease === null) throw new Error("Nothing was queued.");
  return lease;
}

type Transact = RelayOptions["transact"];
const whole: Transact = (work) => transact(world.db, work);

function openRelay(lease: Lease, on: { lost?: () => void; broken?: (error: unknown) => void; describe?: () => never; transact?: Transact } = {}): Relay {
  return new Relay({
    transact: on.transact ?? whole,
    lease,
    from: { step: 0, summary: {}, best: null },
    judgedBy: "accuracy",
    keyOf: (file) => file,
    describe: on.describe ?? (({ step, epoch, values }) => ({ step, epoch, values, confusion: null, samples: [] })),
    removeFile: async () => {},
    onLost: on.lost ?? (() => {}),
    onBroken:
      on.broken ??
      ((error) => {
        throw error;
      }),
    describeKnob: ({ id }) => `Knob ${id}.`,
    describeBreak: ({ node }) => `Break at ${node}.`,
    describeText: (tokens) => tokens.join(" "),
    onAsked: () => {},
  });
}

/** Transactions whose connection breaks at chosen moments: before the transaction, or after its commit, before the answer. */
function breaking(moments: ("before" | "after" | "never")[]): Transact {
  return async (work) => {
    const moment = moments.shift() ?? "never";
    if (moment === "before") throw new Error("Connection terminated unexpectedly");
    const answer = await whole(work);
    if (moment === "after") throw new Error("Connection terminated unexpectedly");
    return answer;
  };
}

const points = (key: string, from: number, count: number) => ({
  type: "points" as const,
  key,
  steps: Array.from({ length: count }, (_, at) => from + at),
  values: Array.from({ length: count }, (_, at) => (from + at) / 10),
});

const look = (step: number) => ({ type: "looked" as const, step, stepMs: 2, inputs: { x: [32, 57] }, nodes: { fc: { forwardMs: 0.5, backwardMs: 1, gradient: step / 10 } } });

describe("the relay", () => {
  it("writes each batch once, also when the connection broke between commit and answer", async () => {
    const lease = await claim();
    const relay = openRelay(lease, { transact: breaking(["after", "before", "after", "never", "after"]) });
    for (let part = 0; part < 4; part++) {
      relay.push([points("train/loss", 1 + part * 30, 30), { type: "log", level: "info", message: `part ${part}` }]);
      await relay.drain();
    }
    const { "train/loss": loss } = await world.series(lease.runId);
    expect(loss?.steps).toEqual(Array.from({ length: 120 }, (_, at) => at + 1));
    const lines = await world.db.runLog.findMany({ where: { runId: lease.runId, edge: null }, orderBy: { id: "asc" } });
    expect(lines.map(({ message }) => message)).toEqual(["part 0", "part 1", "part 2", "part 3"]);
    expect(await world.run(lease.runId)).toMatchObject({ step: 120, flushed: 4, summary: { "train/loss": { last: 12, best: 0.1, bestStep: 1 } } });
    expect(await world.audit()).toEqual([]);
  });

  it("keeps how tensors are spread at ends of epochs, and thins them out once they are many", async () => {
    const lease = await claim();
    const relay = openRelay(lease);
    const spread = (name: string) => ({ name, node: "n", low: -1, high: 1, counts: [3, 0, 6] });
    for (let part = 0; part < 3; part++) {
      relay.push(
        Array.from({ length: 50 }, (_, at) => ({
          type: "histograms" as const,
          step: part * 50 + at + 1,
          epoch: part * 50 + at + 1,
          weights: [spread("n.weight")],
          gradients: [],
          activations: [spread("")],
        })),
      );
      await relay.drain();
    }
    const rows = await readHistograms(world.db, lease.orgId, { runId: lease.runId, kind: "weights" });
    expect(rows.length).toBe(75);
    expect(rows[0]).toEqual({ step: 1, epoch: 1, histograms: [{ name: "n.weight", node: "n", low: -1, high: 1, bins: Buffer.of(128, 0, 255).toString("base64") }] });
    expect((await readHistograms(world.db, lease.orgId, { runId: lease.runId, kind: "gradients" }))[0]?.histograms).toEqual([]);
  });

  it("writes nothing once the run was taken away, and says so", async () => {
    const lease = await claim();
    let lost = 0;
    const relay: Relay = openRelay(lease, {
      lost: () => {
        lost += 1;
        relay.close();
      },
    });
    relay.push([points("train/loss", 1, 5)]);
    await relay.drain();
    await takeAway(world.db, lease, { kind: "silent" });
    relay.push([points("train/loss", 6, 5), { type: "log", level: "info", message: "too late" }]);
    await relay.drain();
    expect(lost).toBe(1);
    expect((await world.series(lease.runId))["train/loss"]?.steps).toEqual([1, 2, 3, 4, 5]);
    expect(await world.db.runLog.count({ where: { runId: lease.runId, message: "too late" } })).toBe(0);
    expect(await world.audit()).toEqual([]);
    await cancelRun(world.db, world.orgId, lease.runId);
  });

  it("stores what is not a number as such, and the run's figures without it", async () => {
    const lease = await claim();
    const relay = openRelay(lease);
    relay.push([{ type: "points", key: "train/loss", steps: [1, 2, 3], values: [2, null, 1] }]);
    await relay.drain();
    expect((await world.series(lease.runId))["train/loss"]?.values).toEqual([2, Number.NaN, 1]);
    expect((await world.run(lease.runId)).summary).toMatchObject({ "train/loss": { last: 1, best: 1, bestStep: 3 } });
  });

  it("marks the checkpoint with the best accuracy, and of equal ones that with the lowest loss", async () => {
    const lease = await claim();
    const relay = openRelay(lease);
    const evaluations = [
      { accuracy: 0.9, loss: 0.3 },
      { accuracy: 1, loss: 0.4 },
      { accuracy: 1, loss: 0.002 },
      { accuracy: 1, loss: 0.002 },
      { accuracy: 0.9, loss: 0.001 },
    ];
    for (const [at, values] of evaluations.entries()) {
      const [step, epoch] = [(at + 1) * 10, at + 1];
      relay.push([
        { type: "evaluated", step, epoch, values, tensors: {}, samples: {} },
        { type: "checkpoint", step, epoch, file: `runs/x/step-${step}`, sizeBytes: 10, sha256: String(epoch).repeat(64) },
      ]);
      await relay.drain();
    }
    const kept = await world.db.checkpoint.findMany({ where: { runId: lease.runId }, orderBy: { step: "asc" }, select: { step: true, isBest: true } });
    expect(kept).toEqual([
      { step: 30, isBest: true },
      { step: 40, isBest: false },
      { step: 50, isBest: false },
    ]);
  });

  it("stops at what the database refuses for good instead of trying for ever", async () => {
    const lease = await claim();
    const broken: unknown[] = [];
    const relay = openRelay(lease, { broken: (error) => broken.push(error) });
    relay.push([points("train/loss", 1, 2), { type: "checkpoint", step: 2, epoch: 1, file: "runs/x/step-2", sizeBytes: 10, sha256: "not a hash" }]);
    await relay.drain();
    expect(broken).toHaveLength(1);
    // All or nothing: the points of the refused batch are not there either.
    expect(await world.series(lease.runId)).toEqual({});
  });

  it("writes each look once, and a rewind takes back those that lie behind it", async () => {
    const lease = await claim();
    const relay = openRelay(lease, { transact: breaking(["after", "never"]) });
    relay.push([points("train/loss", 1, 6), look(3), look(6)]);
    await relay.drain();
    const run = { id: lease.runId, orgId: lease.orgId };
    expect((await listLooks(world.db, { ...run, runId: run.id, node: "fc" })).map(({ step, gradient }) => [step, gradient])).toEqual([
      [3, 0.3],
      [6, 0.6],
    ]);
    await world.db.$transaction((tx) => rewindMetrics(tx, run, lease.token, 4));
    expect(await world.db.$transaction((tx) => readLook(tx, run))).toMatchObject({ step: 3, inputs: { x: [32, 57] } });
    expect(await listLooks(world.db, { ...run, runId: run.id, node: "elsewhere" })).toEqual([]);
  });

  it("that cannot read what the engine said says so once, writes nothing after it, and keeps nobody waiting", async () => {
    const lease = await claim();
    const broken: unknown[] = [];
    const relay = openRelay(lease, {
      broken: (error) => broken.push(error),
      describe: () => {
        throw new Error("This evaluation has no rows.");
      },
    });
    relay.push([points("train/loss", 1, 3)]);
    await relay.drain();
    relay.push([{ type: "evaluated", step: 3, epoch: 1, values: {}, tensors: {}, samples: {} }]);
    await relay.drain();
    relay.push([points("train/loss", 4, 3)]);
    await relay.drain();
    expect(broken).toEqual([new Error("This evaluation has no rows.")]);
    expect((await world.series(lease.runId))["train/loss"]?.steps).toEqual([1, 2, 3]);
  });
});
