import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { chain } from "../../core/templates/sketch.ts";
import { RunKnob } from "../../core/training/knobs.ts";
import { RunMark } from "../../core/training/marks.ts";
import { cancelRun, pauseRun, resumeRun, stopRun } from "../../server/runs/change.ts";
import { repeatRun } from "../../server/runs/start.ts";
import { type TurnOrder, turnKnob } from "../../server/runs/turn.ts";
import { kill, openWorld, until, type World } from "./world.ts";

let world: World;
let userId: string;
/** What runs that only rest in between have to end as. Trained once, beside the first of them. */
let undisturbed: string;
beforeAll(async () => {
  world = await openWorld();
  world.startAgent();
  userId = (await world.db.user.findFirstOrThrow()).id;
  undisturbed = await world.queueRun(order);
});
afterAll(() => world?.close());

const order = { epochs: 600, schedule: "CosineAnnealingLR" as const, seed: 5 };
const starter = () => ({ orgId: world.orgId, userId });
const turn = (id: string, one: TurnOrder) => turnKnob(world.db, starter(), id, one);
const knobsOf = (run: { knobs: unknown }) => z.array(RunKnob).parse(run.knobs);
const marksOf = (run: { marks: unknown }) => z.array(RunMark).parse(run.marks);
const pause = (id: string) => pauseRun(world.db, world.orgId, id);
const resume = (id: string) => resumeRun(world.db, world.config, world.orgId, id);
const untilPaused = (id: string) => world.untilRun(id, "paused", ({ status }) => status === "paused");

/** The same order once more, undisturbed. */
async function repeat(id: string): Promise<string> {
  return (await repeatRun(world.db, world.config, starter(), id)).runId;
}

async function expectTwins(id: string, twin: string): Promise<void> {
  expect((await world.untilEnded(twin)).status).toBe("finished");
  expect(await world.series(id)).toEqual(await world.series(twin));
  expect(await world.finalState(id)).toEqual(await world.finalState(twin));
}

describe("a knob", () => {
  it("turned on a run whose trainers are killed takes hold once, and the run ends as its undisturbed repetition, bit for bit", async () => {
    const id = await world.queueRun({ ...order, epochs: 900 });
    const turns: TurnOrder[] = [
      { kind: "lr", lr: 0.004, hold: false },
      { kind: "dropout", p: 0.4, node: "dropout" },
      { kind: "batch-size", batchSize: 48 },
      { kind: "lr", lr: 0.001, hold: true },
    ];
    let lastPid = 0;
    for (const one of turns) {
      await world.untilRun(id, "trained anew", (run) => run.status === "running" && run.attempts === 0 && !(run.owner ?? "").includes(` ${lastPid} `));
      lastPid = await world.trainerOf(id);
      await turn(id, one);
      // Before it is read, while it waits for its epoch, or after it took hold.
      await sleep(Math.random() * 150);
      kill(lastPid, "SIGKILL");
      await world.untilRun(id, "taken from its trainer", ({ owner }) => !(owner ?? "").includes(` ${lastPid} `));
    }
    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    expect(knobsOf(run).map(({ turn: { kind }, step }) => [kind, step === null])).toEqual(turns.map(({ kind }) => [kind, false]));
    const marks = marksOf(run).filter(({ kind }) => kind === "knob");
    expect(marks.map(({ step }) => step).sort((a, b) => a - b)).toEqual(
      knobsOf(run)
        .map(({ step }) => step ?? -1)
        .sort((a, b) => a - b),
    );
    expect(marks.map(({ text }) => text)).toEqual(
      expect.arrayContaining(["Dropout 0.4 in Dropout.", expect.stringMatching(/^Batch size \d+ → 48\.$/), expect.stringMatching(/^Learning rate 0\.0\d+ → 0\.004\.$/)]),
    );

    const twin = await repeat(id);
    await expectTwins(id, twin);
    expect(marksOf(await world.run(twin))).toEqual(marks);
  });

  it("turned on a run that failed or rests begins when it goes on", async () => {
    const id = await world.queueRun(order);
    await world.untilRun(id, "under way", ({ epoch }) => epoch > 5);
    await pause(id);
    const { step } = await untilPaused(id);
    await turn(id, { kind: "lr", lr: 0.002, hold: true });
    await resume(id);
    const run = await world.untilEnded(id);
    expect(knobsOf(run).map((one) => one.step)).toEqual([step]);
    const { lr } = await world.series(id);
    expect(lr?.values[step - 1]).not.toBe(0.002);
    expect(new Set(lr?.values.slice(step))).toEqual(new Set([0.002]));
    await expect(turn(id, { kind: "lr", lr: 1, hold: true })).rejects.toMatchObject({ code: "RUN_ENDED" });
  });
});
afterEach(async () => expect(await world.audit()).toEqual([]));

describe("a breakpoint", () => {
  it("pauses the run at its step with the figures as a mark and frees the trainer, and the run goes on to its end", async () => {
    const graph = chain([
      ["input", "input", { shape: [9] }],
      ["watched", "breakpoint", { figure: "max_abs", limit: 0 }],
      ["scores", "linear", { out_features: 3 }],
      ["output", "output"],
    ]);
    const id = await world.queueRun({ epochs: 3, seed: 5 }, graph);
    const paused = await untilPaused(id);
    expect(paused).toMatchObject({ step: 1, leaseUntil: null, owner: null, endedAt: null });
    expect(marksOf(paused)).toEqual([{ step: 1, kind: "breakpoint", text: expect.stringMatching(/^Breakpoint “Breakpoint”: max \|x\| is above 0\. The batch had mean /) }]);
    await resume(id);
    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    expect(marksOf(run).map(({ step, kind }) => [step, kind])).toEqual([
      [1, "breakpoint"],
      [1, "resume"],
    ]);
  });
});

describe("a pause", () => {
  it("frees the trainer, keeps the run through the loss of everything else, and the run goes on as if nothing had been", async () => {
    const id = await world.queueRun(order);
    await world.untilRun(id, "under way", ({ epoch }) => epoch > 5);
    const pid = await world.trainerOf(id);
    await pause(id);
    await pause(id);
    const paused = await untilPaused(id);
    expect(paused).toMatchObject({ leaseUntil: null, owner: null, endedAt: null, pauseRequestedAt: null });
    const checkpoint = await world.db.checkpoint.findFirstOrThrow({ where: { runId: id }, orderBy: { step: "desc" } });
    expect(checkpoint.step).toBe(paused.step);
    expect(marksOf(paused)).toEqual([{ step: paused.step, kind: "pause", text: expect.any(String) }]);
    await until("its process has ended", 10_000, async () => (isThere(pid) ? null : true));

    world.agent.kill("SIGKILL");
    await world.crashPostgres();
    await world.restartPostgres();
    world.startAgent();
    const other = await world.queueRun({ ...order, epochs: 2 });
    await world.untilEnded(other);
    expect(await world.run(id)).toMatchObject({ status: "paused", step: paused.step });
    expect(await world.audit()).toEqual([]);

    await resume(id);
    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    expect(marksOf(run).map(({ step, kind }) => [step, kind])).toEqual([
      [paused.step, "pause"],
      [paused.step, "resume"],
    ]);
    await expectTwins(id, undisturbed);
  });

  it("holds when the trainer is killed over it, and the run loses nothing", async () => {
    const id = await world.queueRun(order);
    for (let count = 0; count < 2; count++) {
      await world.untilRun(id, "under way", (run) => run.status === "running" && run.attempts === 0);
      const pid = await world.trainerOf(id);
      await pause(id);
      await sleep(Math.random() * 20);
      kill(pid, "SIGKILL");
      await untilPaused(id);
      expect(await world.audit()).toEqual([]);
      await resume(id);
    }
    expect((await world.untilEnded(id)).status).toBe("finished");
    await expectTwins(id, undisturbed);
  });

  it("takes a run out of the queue, and can end in a cancel or with the best kept, exports and all", async () => {
    const started = await Promise.all([world.queueRun(order), world.queueRun(order)]);
    for (const id of started) {
      await world.untilRun(id, "under way", ({ epoch }) => epoch > 5);
      await pause(id);
      await untilPaused(id);
    }
    const [cancelled = "", kept = ""] = started;
    await cancelRun(world.db, world.orgId, cancelled);
    await stopRun(world.db, world.orgId, kept);
    expect((await world.untilEnded(cancelled)).status).toBe("cancelled");
    expect((await world.untilEnded(kept)).status).toBe("finished");
    for (const runId of started) expect(await world.db.artifact.count({ where: { runId, kind: "safetensors", sizeBytes: { gt: 0 } } })).toBe(1);

    world.agent.kill("SIGSTOP");
    const queued = await world.queueRun({ ...order, epochs: 1 });
    await pause(queued);
    expect((await world.run(queued)).status).toBe("paused");
    await expect(stopRun(world.db, world.orgId, queued)).rejects.toMatchObject({ code: "NO_CHECKPOINT" });
    world.agent.kill("SIGCONT");
    await resume(queued);
    expect((await world.untilEnded(queued)).status).toBe("finished");
    await expect(pause(queued)).rejects.toMatchObject({ code: "RUN_ENDED" });
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
