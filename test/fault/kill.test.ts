import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../core/export/safetensors.ts";
import type { Body, Graph } from "../../core/graph/document.ts";
import { startBody } from "../../core/layers/kit.ts";
import { chain } from "../../core/templates/sketch.ts";
import { readOwner } from "../../server/agent/lease.ts";
import { allowed } from "../allowed.ts";
import { kill, openWorld, until, type World } from "./world.ts";

const kills = Number(process.env.FAULT_KILLS ?? 4);
/** Long enough for a kill to hit a run under way; many kills fall on several runs. Averaged weights have to come along too. */
const order = { epochs: 60 * Math.min(kills, 25), schedule: "constant" as const, seed: 7, emaDecay: 0.99 };

let world: World;
let undisturbed: Awaited<ReturnType<World["series"]>>;
let weights: Awaited<ReturnType<World["finalState"]>>;
beforeAll(async () => {
  world = await openWorld();
  world.startAgent();
  const twin = await world.queueRun(order);
  expect((await world.untilEnded(twin, 60_000 + kills * 1_000)).status).toBe("finished");
  undisturbed = await world.series(twin);
  weights = await world.finalState(twin);
});
afterAll(() => world?.close());

/** Kills whoever trains a run at random moments, up to so many times, each time since its run has got on; how often before it ended. */
async function killTrainers(id: string, most: number): Promise<number> {
  let lastPid = 0;
  for (let count = 0; count < most; ) {
    // A checkpoint since the last kill shows that the run gets on; then any moment will do.
    const { status } = await world.untilRun(
      id,
      `trained by attempt ${count + 1}`,
      (run) => run.status === "finished" || (run.status === "running" && run.attempts === 0 && !(run.owner ?? "").includes(` ${lastPid} `)),
    );
    if (status === "finished") return count;
    await sleep(Math.random() * 250);
    const { owner } = await world.run(id);
    const pid = readOwner(owner ?? "")?.process.pid;
    if (pid === undefined) continue;
    lastPid = pid;
    kill(lastPid, "SIGKILL");
    count++;
    if (count % 10 === 0) console.log(`${count} of ${most} kills`);
    const killedAt = performance.now();
    await world.untilRun(id, "claimed again", (run) => !(run.owner ?? "").includes(` ${lastPid} `));
    expect(performance.now() - killedAt).toBeLessThan(allowed(30_000));
  }
  return most;
}

/** Networks that carry more along than weights: what augmentation and dropout draw, what a batch norm has counted, how a sequence is walked. */
const others: [string, Graph][] = [
  [
    "a CNN with augmentation",
    chain([
      ["input", "input", { shape: [9] }],
      ["picture", "reshape", { shape: [1, 3, 3] }],
      ["flip", "random_horizontal_flip"],
      ["crop", "random_crop", { padding: 1 }],
      ["erase", "random_erasing"],
      ["conv", "conv2d", { out_channels: 6, kernel_size: 2 }],
      ["norm", "batch_norm2d"],
      ["relu", "relu"],
      ["dropout", "dropout", { p: 0.2 }],
      ["flatten", "flatten"],
      ["scores", "linear", { out_features: 3 }],
      ["output", "output"],
    ]),
  ],
  [
    "an LSTM",
    chain([
      ["input", "input", { shape: [9] }],
      ["sequence", "reshape", { shape: [9, 1] }],
      ["lstm", "lstm", { hidden_size: 8, num_layers: 2, batch_first: true, dropout: 0.2 }],
      ["mean", "mean", { dim: [1] }],
      ["scores", "linear", { out_features: 3 }],
      ["output", "output"],
    ]),
  ],
];

describe("a killed trainer", () => {
  it(`loses and doubles no point over ${kills} kills, and ends with the very weights, optimizer and random state of its undisturbed twin`, {
    timeout: 240_000 + kills * 20_000,
  }, async () => {
    const ids: string[] = [];
    // Quicker than the kills: the rest of them fall on another one.
    for (let left = kills; left > 0; left -= await killTrainers(ids.at(-1) ?? "", left)) ids.push(await world.queueRun(order));
    for (const id of ids) {
      expect((await world.untilEnded(id, 60_000 + kills * 1_000)).status).toBe("finished");
      expect(await world.series(id)).toEqual(undisturbed);
      expect(await world.finalState(id)).toEqual(weights);
    }
    // Whoever goes on looks at what the killed one left: none of it was half written.
    expect(await world.db.runLog.findMany({ where: { message: { contains: "damaged" } } })).toEqual([]);
  });

  it.each(others)("of %s, too, leaves a run that ends as its undisturbed twin, bit for bit", { timeout: 240_000 + kills * 5_000 }, async (_, graph) => {
    const settings = { ...order, epochs: 20 * Math.min(kills, 50) };
    const [id, twin] = [await world.queueRun(settings, graph), await world.queueRun(settings, graph)];
    expect(await killTrainers(id, Math.ceil(kills / 10))).toBeGreaterThan(0);
    for (const run of [id, twin]) expect((await world.untilEnded(run, 60_000 + kills * 1_000)).status).toBe("finished");
    expect(await world.series(id)).toEqual(await world.series(twin));
    expect(await world.finalState(id)).toEqual(await world.finalState(twin));
  });

  it("leaves exports of the averaged weights", async () => {
    const runId = (await world.db.run.findFirstOrThrow({ where: { status: "finished" }, orderBy: { id: "asc" } })).id;
    const best = await world.db.checkpoint.findFirstOrThrow({ where: { runId, isBest: true } });
    const artifact = await world.db.artifact.findFirstOrThrow({ where: { runId, kind: "safetensors" } });
    const [kept, exported] = [best, artifact].map(async ({ storageKey }) => readSafetensors(await world.files.read(storageKey)).tensors);
    const [all, weights] = [await kept, await exported];
    for (const [name, tensor] of weights ?? []) expect(tensor).toEqual(all?.get(name));
    const averaged = [...(weights ?? [])].filter(([name]) => all?.has(`raw/${name}`));
    expect(averaged.map(([name]) => name).sort()).toEqual(["hidden.bias", "hidden.weight", "scores.bias", "scores.weight"]);
    for (const [name, tensor] of averaged) expect(tensor).not.toEqual(all?.get(`raw/${name}`));
  });

  it("goes on from the checkpoint before where the last one has a flipped bit", async () => {
    const { id, trainer } = await world.catchRun(order);
    const agent = world.agent;
    agent.kill("SIGSTOP");
    kill(trainer, "SIGKILL");
    const [latest] = await world.db.checkpoint.findMany({ where: { runId: id }, orderBy: { step: "desc" } });
    world.flipBit(latest?.storageKey ?? "");
    agent.kill("SIGCONT");
    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    expect(await world.series(id)).toEqual(undisturbed);
    const lines = await world.db.runLog.findMany({ where: { runId: id, message: { contains: "damaged" } } });
    expect(lines).toHaveLength(1);
  });

  it("that crashed in a node names it, also to the next run of the same network, which is not tried twice", async () => {
    // Nine hundred thousand turns before the first weight: one step that takes long, in one node.
    const drawn = chain([
      ["input", "input", { shape: [9] }],
      ["loop", "repeat", { times: 90 }],
      ["scores", "linear", { out_features: 3 }],
      ["output", "output"],
    ]);
    const turn = startBody(...Array.from({ length: 16 }, () => ({ type: "tanh" })));
    const filled = (outer: Body, body: Body): Body => ({ ...outer, nodes: outer.nodes.map((node) => (node.type === "repeat" ? { ...node, bodies: { body } } : node)) });
    const named = { ...turn, nodes: turn.nodes.map((node) => (node.type === "tanh" ? { ...node, name: "Squash" } : node)) };
    const graph = { ...drawn, ...filled(drawn, filled(startBody({ type: "repeat", params: { times: 10_000 } }), named)) };
    const crash = async (id: string, times: number) => {
      await until("the run is in its first step", 120_000, async () =>
        (await world.db.runLog.count({ where: { runId: id, message: { startsWith: "Training " } } })) === times ? true : null,
      );
      kill(await world.trainerOf(id), "SIGSEGV");
    };
    const id = await world.queueRun({ ...order, epochs: 1 }, graph);
    await crash(id, 1);
    await world.untilRun(id, "claimed again", (run) => run.status === "running" && run.crashes === 1);
    await crash(id, 2);
    const run = await world.untilRun(id, "failed", ({ status }) => status === "failed");
    const where = {
      code: "ENGINE_CRASHED",
      node: expect.stringMatching(/^loop\/body\/.*tanh/),
      message: expect.stringMatching(/^The engine crashed \(signal 11, SIGSEGV: [^)]*\) in node "Squash"\./),
    };
    expect(run.failure).toMatchObject(where);
    expect(await world.db.runLog.findFirst({ where: { runId: id, message: { contains: 'in node "Squash"' } } })).not.toBeNull();

    const again = await world.repeat(id);
    await crash(again, 1);
    expect((await world.untilRun(again, "failed", ({ status }) => status === "failed")).failure).toMatchObject({
      ...where,
      message: expect.stringContaining("An earlier run of this very network"),
    });
  });

  it.each(["SIGSEGV", "SIGABRT", "SIGBUS"] as const)("that crashed by itself (%s) is tried once more, and then the run fails with the signal in words", async (signal) => {
    const id = await world.queueRun({ ...order, epochs: 5_000 });
    await world.untilRun(id, "stepping", (run) => run.step > 0);
    kill(await world.trainerOf(id), signal);
    await world.untilRun(id, "claimed again", (run) => run.status === "running" && run.crashes === 1 && run.attempts === 0);
    const crashedAt = performance.now();
    kill(await world.trainerOf(id), signal);
    const run = await world.untilRun(id, "failed", ({ status }) => status === "failed");
    expect(performance.now() - crashedAt).toBeLessThan(allowed(5_000));
    expect(run.failure).toMatchObject({ code: "ENGINE_CRASHED", message: expect.stringContaining(signal) });
  });
});
afterEach(async () => expect(await world.audit()).toEqual([]));
