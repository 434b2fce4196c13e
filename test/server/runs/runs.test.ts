import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { emptyGraph } from "../../../core/graph/document.ts";
import { findTemplate } from "../../../core/templates/index.ts";
import type { AppError } from "../../../server/errors.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, claim, makeContext, makeTenant, type Tenant } from "../world.ts";

const { db } = await openTestDatabase();
const context = makeContext(db);
let tenant: Tenant;
let caller: ReturnType<typeof callerOf>;
const order = () => ({ modelId: tenant.modelId, settings: tenant.settings, idempotencyKey: randomUUID() });

beforeAll(async () => {
  tenant = await makeTenant(db);
  caller = callerOf(context(tenant.session));
});

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  try {
    await promise;
  } catch (error) {
    return (error as { cause: AppError }).cause;
  }
  throw new Error("It was not refused.");
}

const finish = (runId: string) => db.run.update({ where: { id: runId }, data: { status: "finished", endedAt: new Date(), leaseUntil: null } });

describe("starting a run", () => {
  test("fifty times at once with one key gives one run and fifty equal answers", async () => {
    const one = order();
    const answers = await Promise.all(Array.from({ length: 50 }, () => caller.runs.start(one)));
    expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
    expect(await db.run.count({ where: { idempotencyKey: one.idempotencyKey } })).toBe(1);
    expect(await refusal(caller.runs.start({ ...one, settings: { ...one.settings, epochs: 7 } }))).toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
    await caller.runs.cancel(answers[0] as { runId: string });
  });

  test("numbers the runs of a model without gaps under a rush, and freezes each graph once", async () => {
    const model = await caller.models.create({ templateId: "mlp" });
    const started = await Promise.all(Array.from({ length: 8 }, () => caller.runs.start({ ...order(), modelId: model.id })));
    const { runs } = await caller.runs.list({ modelId: model.id });
    expect(runs.map(({ number }) => number).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await db.modelVersion.count({ where: { modelId: model.id } })).toBe(1);
    const kept = await caller.models.get({ modelId: model.id });
    await caller.models.save({
      modelId: model.id,
      revision: kept.revision,
      graph: { ...kept.graph, nodes: kept.graph.nodes.map((node) => ({ ...node, at: { x: node.at.x + 1, y: node.at.y } })) },
    });
    const changed = await caller.runs.start({ ...order(), modelId: model.id });
    expect((await caller.runs.get(changed)).modelVersion).toBe(2);
    for (const run of [...started, changed]) await caller.runs.cancel(run);
  });

  test("of a graph with problems names them all and queues nothing", async () => {
    const model = await caller.models.create({ name: "Half drawn" });
    await db.model.update({ where: { id: model.id }, data: { graph: emptyGraph } });
    const before = await db.run.count();
    const refused = await refusal(caller.runs.start({ ...order(), modelId: model.id }));
    expect(refused).toMatchObject({
      code: "GRAPH_INVALID",
      details: {
        problems: expect.arrayContaining([expect.objectContaining({ severity: "error", code: expect.stringMatching(/^GRAPH_/), message: expect.any(String) })]),
      },
    });
    expect(await db.run.count()).toBe(before);
  });

  test("58: refuses what cannot be meant: too many steps, a data set that is not ready, numbers that are none", async () => {
    expect(await refusal(caller.runs.start({ ...order(), settings: { ...tenant.settings, epochs: 10_000, batchSize: 1 } }))).toMatchObject({
      code: "CONFIG_RANGE",
      details: { field: "epochs" },
    });
    const dataset = await db.dataset.create({ data: { orgId: tenant.orgId, name: "Not yet" } });
    expect(await refusal(caller.runs.start({ ...order(), settings: { ...tenant.settings, datasetId: dataset.id } }))).toMatchObject({
      code: "DATASET_NOT_READY",
    });
    const wrong: [change: object, field: string, words: RegExp][] = [
      [{ lr: Number.NaN }, "lr", /^The setting lr is NaN\. /],
      [{ lr: "1e309" }, "lr", /^The setting lr is "1e309"\. /],
      [{ lr: Number.POSITIVE_INFINITY }, "lr", /^The setting lr is Infinity\. /],
      [{ lr: -1 }, "lr", /^The setting lr is -1\. .*>0/],
      [{ batchSize: 0 }, "batchSize", /^The setting batchSize is 0\. .*>=1/],
      [{ epochs: 1e12 }, "epochs", /^The setting epochs is 1000000000000\. .*<=10000/],
      [{ mixup: 99 }, "mixup", /^The setting mixup is 99\. .*<=10/],
    ];
    for (const [change, field, words] of wrong)
      expect(await refusal(caller.runs.start({ ...order(), settings: { ...tenant.settings, ...change } }))).toMatchObject({
        code: "CONFIG_RANGE",
        details: { field },
        message: expect.stringMatching(words),
      });
    expect(await refusal(caller.runs.start({ ...order(), settings: { ...tenant.settings, ...{ extra: 1 } } }))).toMatchObject({ code: "INPUT_SHAPE" });
  });

  test("beyond the queue's limit is refused, and says the limit", async () => {
    const full = await makeTenant(db, { name: "Full" });
    const theirs = callerOf(context(full.session));
    const starts = await Promise.allSettled(Array.from({ length: 25 }, () => theirs.runs.start({ modelId: full.modelId, settings: full.settings, idempotencyKey: randomUUID() })));
    expect(starts.filter(({ status }) => status === "fulfilled").length).toBe(20);
    expect(await refusal(theirs.runs.start({ modelId: full.modelId, settings: full.settings, idempotencyKey: randomUUID() }))).toMatchObject({
      code: "QUEUE_FULL",
      details: { limit: 20 },
    });
  });
});

describe("a run's life", () => {
  test("a queued run is cancelled at once, a running one is asked; twice is as once", async () => {
    const queued = await caller.runs.start(order());
    await caller.runs.cancel(queued);
    await caller.runs.cancel(queued);
    expect(await caller.runs.get(queued)).toMatchObject({ status: "cancelled", endedAt: expect.any(String) });
    const running = await caller.runs.start(order());
    await claim(db, running.runId);
    await caller.runs.cancel(running);
    await caller.runs.cancel(running);
    expect(await caller.runs.get(running)).toMatchObject({ status: "running", cancelling: true });
    await finish(running.runId);
    expect(await refusal(caller.runs.cancel(running))).toMatchObject({ code: "RUN_ENDED" });
  });

  test("a cancelled run goes on from its checkpoint; one that has none to go on from says so", async () => {
    const run = await caller.runs.start(order());
    const leaseToken = await claim(db, run.runId);
    expect(await refusal(caller.runs.resume(run))).toMatchObject({ code: "RUN_ACTIVE" });
    await db.run.update({ where: { id: run.runId }, data: { status: "cancelled", endedAt: new Date(), leaseUntil: null, step: 10 } });
    expect(await refusal(caller.runs.resume(run))).toMatchObject({ code: "NO_CHECKPOINT" });
    await db.checkpoint.create({
      data: {
        orgId: tenant.orgId,
        runId: run.runId,
        leaseToken,
        step: 10,
        epoch: 0,
        storageKey: `runs/${run.runId}/step-10.safetensors`,
        sizeBytes: 1n,
        sha256: "0".repeat(64),
      },
    });
    await caller.runs.resume(run);
    expect(await caller.runs.get(run)).toMatchObject({ status: "queued", failure: null, endedAt: null, cancelling: false });
    // What the trainer before might still write is refused from here on.
    expect(await claim(db, run.runId)).toBe(leaseToken + 2);
    await finish(run.runId);
    expect(await refusal(caller.runs.resume(run))).toMatchObject({ code: "RUN_ENDED" });
  });

  test("a fork begins with a checkpoint's weights and keeps its source from being deleted while it may need them", async () => {
    const source = await caller.runs.start(order());
    const leaseToken = await claim(db, source.runId);
    const { id } = await db.checkpoint.create({
      data: {
        orgId: tenant.orgId,
        runId: source.runId,
        leaseToken,
        step: 5,
        epoch: 0,
        storageKey: `runs/${source.runId}/step-5.safetensors`,
        sizeBytes: 1n,
        sha256: "0".repeat(64),
      },
    });
    expect(await refusal(caller.runs.delete(source))).toMatchObject({ code: "RUN_ACTIVE" });
    await finish(source.runId);
    const fork = await caller.runs.fork({ ...source, checkpointId: id });
    expect(await caller.runs.get(fork)).toMatchObject({ status: "queued", forkedFrom: { runId: source.runId, step: 5 } });
    const [up, down] = [await caller.runs.lineage(fork), await caller.runs.lineage(source)];
    expect([up.ancestors.map(({ id }) => id), up.descendants, up.weights]).toEqual([[source.runId], [], null]);
    expect([down.ancestors, down.descendants.map(({ id }) => id)]).toEqual([[], [fork.runId]]);
    expect(await refusal(caller.runs.delete(source))).toMatchObject({ code: "IN_USE" });
    await caller.runs.cancel(fork);
    await caller.runs.delete(source);
    expect(await refusal(caller.runs.get(source))).toMatchObject({ code: "NOT_FOUND" });
    expect(await caller.runs.get(fork)).toMatchObject({ forkedFrom: null });
    for (const rows of [db.metricChunk, db.checkpoint, db.runLog]) expect(await (rows as typeof db.runLog).count({ where: { runId: source.runId } })).toBe(0);
  });

  test("runs along the legal edges only, and each leaves its line", async () => {
    const { runId } = await caller.runs.start(order());
    const move = (data: Parameters<typeof db.run.update>[0]["data"]) => db.run.update({ where: { id: runId }, data });
    await expect(move({ status: "finished", endedAt: new Date() })).rejects.toThrow();
    await expect(move({ status: "running", leaseUntil: new Date() })).rejects.toThrow();
    const token = await claim(db, runId);
    await expect(move({ leaseToken: token - 1 })).rejects.toThrow();
    await expect(move({ status: "failed", endedAt: new Date() })).rejects.toThrow();
    await move({
      status: "failed",
      endedAt: new Date(),
      failure: { code: "RUN_NONFINITE", message: "The loss is no number." },
      leaseUntil: null,
    });
    await expect(move({ status: "finished" })).rejects.toThrow();
    const log = await db.runLog.findMany({ where: { runId }, orderBy: { id: "asc" }, select: { edge: true, level: true, message: true } });
    expect(log).toEqual([
      { edge: ">queued", level: "info", message: "Queued." },
      { edge: "queued>running", level: "info", message: "Started." },
      { edge: "running>failed", level: "error", message: "The loss is no number." },
    ]);
    await expect(db.runLog.updateMany({ where: { runId }, data: { message: "nothing happened" } })).rejects.toThrow();
  });

  test("lists page through all runs, newest first, without double", async () => {
    const all = await db.run.count({ where: { orgId: tenant.orgId } });
    const seen: string[] = [];
    for (let cursor: string | undefined, next: string | null = ""; next !== null; cursor = next ?? undefined) {
      const page = await caller.runs.list({ limit: 3, cursor });
      seen.push(...page.runs.map(({ id }) => id));
      next = page.next;
      cursor = next ?? undefined;
    }
    expect(seen.length).toBe(all);
    expect([...new Set(seen)].sort().reverse()).toEqual(seen);
  });
});

describe("a graph", () => {
  test("60: is saved over the revision that was opened, and over no other; of ten at once one wins", async () => {
    const { id: modelId } = await caller.models.create({ templateId: "mlp" });
    const graph = findTemplate("lenet5")?.graph ?? { schemaVersion: 1 as const, nodes: [], edges: [] };
    const saves = await Promise.allSettled(Array.from({ length: 10 }, () => caller.models.save({ modelId, revision: 1, graph })));
    expect(saves.filter(({ status }) => status === "fulfilled").length).toBe(1);
    expect(await refusal(caller.models.save({ modelId, revision: 1, graph }))).toMatchObject({
      code: "GRAPH_CONFLICT",
      message: expect.stringMatching(/^Tenant's owner saved this graph since you opened it/),
      details: { revision: 2, yours: 1, savedBy: "Tenant's owner", you: "Tenant's owner" },
    });
    // What was saved is still there, and with another's name on it where it was another.
    const { id: userId } = await db.user.create({ data: { name: "Mia", memberships: { create: { orgId: tenant.orgId, role: "member" } } } });
    const mia = callerOf(context({ ...tenant.session, user: { id: userId, name: "Mia" }, role: "member" }));
    expect(await refusal(mia.models.save({ modelId, revision: 1, graph: emptyGraph }))).toMatchObject({ details: { savedBy: "Tenant's owner", you: "Mia" } });
    expect(await caller.models.save({ modelId, revision: 2, graph })).toEqual({ revision: 3 });
    expect((await caller.models.get({ modelId })).graph).toEqual(graph);
  });

  test("56: too deep, too large or of another form is refused before it is walked", async () => {
    const { id: modelId } = await caller.models.create({ templateId: "mlp" });
    const save = (graph: unknown) => refusal(caller.models.save({ modelId, revision: 1, graph: graph as never }));
    let deep: unknown = 1;
    for (let depth = 0; depth < 10_000; depth++) deep = [deep];
    expect(await save({ schemaVersion: 1, nodes: [{ id: "a", type: "linear", params: { deep }, at: { x: 0, y: 0 } }], edges: [] })).toMatchObject({ code: "GRAPH_TOO_LARGE" });
    expect(
      await save({
        schemaVersion: 1,
        nodes: [{ id: "a", type: "linear", params: { text: "x".repeat(3_000_000) }, at: { x: 0, y: 0 } }],
        edges: [],
      }),
    ).toMatchObject({ code: "GRAPH_TOO_LARGE" });
    expect(await save({ schemaVersion: 1, nodes: "none", edges: [] })).toMatchObject({ code: "INPUT_SHAPE" });
    expect(await save(null)).toMatchObject({ code: "INPUT_SHAPE" });
    const polluting = JSON.parse('{"schemaVersion":1,"nodes":[{"id":"a","type":"__proto__","params":{"__proto__":{"polluted":true}},"at":{"x":0,"y":0}}],"edges":[]}') as never;
    await caller.models.save({ modelId, revision: 1, graph: polluting }).catch(() => {});
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("its model's deletion waits for its runs, and hides it afterwards", async () => {
    const { id: modelId } = await caller.models.create({ templateId: "mlp" });
    const run = await caller.runs.start({ ...order(), modelId });
    expect(await refusal(caller.models.delete({ modelId }))).toMatchObject({ code: "RUN_ACTIVE" });
    await caller.runs.cancel(run);
    const copy = await caller.models.duplicate({ modelId });
    await caller.models.delete({ modelId });
    expect(await refusal(caller.models.get({ modelId }))).toMatchObject({ code: "NOT_FOUND" });
    expect((await caller.models.get({ modelId: copy.id })).name).toMatch(/\(copy\)$/);
  });
});
