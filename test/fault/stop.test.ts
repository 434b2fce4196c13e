import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { RunMark } from "../../core/training/marks.ts";
import { stopRun } from "../../server/runs/change.ts";
import { kill, openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
  world.startAgent();
});
afterAll(() => world?.close());

const marksOf = (run: { marks: unknown }) => z.array(RunMark).parse(run.marks);
const order = { epochs: 5_000, schedule: "constant" as const, seed: 3 };

/** The step that a run's exports were made of, as their weights' file says. */
async function exportedStep(runId: string): Promise<string | undefined> {
  const artifact = await world.db.artifact.findFirstOrThrow({ where: { runId, kind: "safetensors" } });
  return /"tensorloom.step":"(\d+)"/.exec(Buffer.from(await world.files.read(artifact.storageKey)).toString("latin1"))?.[1];
}

describe("stop and keep best", () => {
  it("ends the run finished, exports its best checkpoint, and marks where it was", async () => {
    const id = await world.queueRun(order);
    await world.untilRun(id, "well under way", (run) => run.epoch > 10);
    await stopRun(world.db, world.orgId, id);
    await stopRun(world.db, world.orgId, id).catch(() => {});
    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    expect(run.step).toBeLessThan(run.totalSteps);
    expect(marksOf(run)).toEqual([{ step: run.step, kind: "stop", text: expect.stringContaining("best checkpoint") }]);
    const best = await world.db.checkpoint.findFirstOrThrow({ where: { runId: id, isBest: true } });
    expect(await exportedStep(id)).toBe(String(best.step));
    await expect(stopRun(world.db, world.orgId, id)).rejects.toMatchObject({ code: "RUN_ENDED" });
  });

  it("holds when the trainer is killed over it: the run is finished, and another trainer makes the exports", async () => {
    const id = await world.queueRun(order);
    await world.untilRun(id, "well under way", (run) => run.epoch > 10);
    const pid = await world.trainerOf(id);
    await stopRun(world.db, world.orgId, id);
    kill(pid, "SIGKILL");
    const run = await world.untilEnded(id);
    expect(run.status).toBe("finished");
    expect(await exportedStep(id)).toMatch(/^\d+$/);
  });

  it("is refused while the run waits for its turn", async () => {
    world.agent.kill("SIGSTOP");
    const id = await world.queueRun({ ...order, epochs: 1 });
    await expect(stopRun(world.db, world.orgId, id)).rejects.toMatchObject({ code: "RUN_ACTIVE" });
    world.agent.kill("SIGCONT");
    expect((await world.untilEnded(id)).status).toBe("finished");
  });
});
afterEach(async () => expect(await world.audit()).toEqual([]));

describe("early stopping", () => {
  it("ends at the same step, with the same mark and export, however often the trainer is killed", async () => {
    const early = { ...order, earlyStopping: { watch: "loss" as const, patience: 40, minDelta: 0 } };
    const twin = await world.queueRun(early);
    const undisturbed = await world.untilEnded(twin);
    expect(undisturbed.status).toBe("finished");
    expect(undisturbed.epoch).toBeLessThan(order.epochs);
    const [mark, ...more] = marksOf(undisturbed);
    expect(more).toEqual([]);
    expect(mark).toMatchObject({ step: undisturbed.step, kind: "early-stop" });

    const id = await world.queueRun(early);
    let lastPid = 0;
    for (let count = 0; count < 2; count++) {
      const run = await world.untilRun(
        id,
        "trained anew",
        ({ status, attempts, owner }) => status === "finished" || (status === "running" && attempts === 0 && !(owner ?? "").includes(` ${lastPid} `)),
      );
      if (run.status === "finished") break;
      await sleep(Math.random() * 100);
      lastPid = await world.trainerOf(id);
      kill(lastPid, "SIGKILL");
      await world.untilRun(id, "taken from its trainer", ({ owner }) => !(owner ?? "").includes(` ${lastPid} `));
    }
    expect(lastPid).toBeGreaterThan(0);
    const run = await world.untilEnded(id);
    expect({ step: run.step, epoch: run.epoch, marks: run.marks }).toEqual({ step: undisturbed.step, epoch: undisturbed.epoch, marks: undisturbed.marks });
    expect(await exportedStep(id)).toBe(await exportedStep(twin));
    expect(await world.series(id)).toEqual(await world.series(twin));
  });
});

describe("a run on one batch", () => {
  it("ends with its verdict on the page and in the log, once", async () => {
    const id = await world.queueRun({ epochs: 30, schedule: "constant", oneBatch: true });
    const run = await world.untilEnded(id);
    const [mark, ...more] = marksOf(run);
    expect(more).toEqual([]);
    expect(mark).toMatchObject({ step: run.totalSteps, kind: "one-batch", text: expect.stringMatching(/^The network can learn/) });
    expect(await world.db.runLog.count({ where: { runId: id, message: mark?.text ?? "" } })).toBe(1);
  });
});
