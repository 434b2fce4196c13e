import { randomUUID } from "node:crypto";
import { initTRPC } from "@trpc/server";
import { beforeAll, describe, expect, test } from "vitest";
import type { ArrayPlan } from "../../../core/data/arrays.ts";
import type { LanguagePlan } from "../../../core/data/language.ts";
import type { PicturePlan } from "../../../core/data/pictures.ts";
import type { TablePlan } from "../../../core/data/table.ts";
import { exportPyTorch } from "../../../core/export/pytorch.ts";
import { emptyGraph } from "../../../core/graph/document.ts";
import { findTemplate } from "../../../core/templates/index.ts";
import { org, policyOf, publicProcedure, router } from "../../../server/auth/procedure.ts";
import { appRouter } from "../../../server/router.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, claim, makeContext, makeTenant, type Tenant } from "../world.ts";

const { db } = await openTestDatabase();
const context = makeContext(db);

const procedures = appRouter._def.procedures as unknown as Record<string, unknown>;

/** Who may call what: the whole of it. A new procedure is entered here on purpose. */
const expected: Record<string, "viewer" | "member" | "admin" | "owner"> = {
  "workspace.me": "viewer",
  "workspace.status": "viewer",
  "projects.list": "viewer",
  "projects.create": "member",
  "projects.rename": "member",
  "projects.delete": "member",
  "models.create": "member",
  "models.get": "viewer",
  "models.save": "member",
  "models.watch": "viewer",
  "models.push": "member",
  "models.point": "viewer",
  "models.versions": "viewer",
  "models.version": "viewer",
  "models.nameVersion": "member",
  "models.forgetVersion": "member",
  "models.saveSettings": "member",
  "models.rename": "member",
  "models.duplicate": "member",
  "models.importOnnx": "member",
  "models.importPyTorch": "member",
  "models.importWeights": "member",
  "models.clearStartWeights": "member",
  "models.delete": "member",
  "datasets.list": "viewer",
  "datasets.get": "viewer",
  "datasets.samples": "viewer",
  "datasets.health": "viewer",
  "datasets.inspectTable": "member",
  "datasets.createTable": "member",
  "datasets.inspectText": "member",
  "datasets.createText": "member",
  "datasets.inspectPictures": "member",
  "datasets.createPictures": "member",
  "datasets.inspectArrays": "member",
  "datasets.createArrays": "member",
  "datasets.delete": "member",
  "runs.list": "viewer",
  "runs.count": "viewer",
  "runs.columns": "viewer",
  "runs.groups": "viewer",
  "runs.tags": "viewer",
  "runs.organize": "member",
  "runs.setNotes": "member",
  "runs.get": "viewer",
  "runs.start": "member",
  "runs.findLr": "member",
  "runs.measure": "member",
  "runs.findBatch": "member",
  "runs.shrink": "member",
  "runs.cancel": "member",
  "runs.pause": "member",
  "runs.turn": "member",
  "runs.stop": "member",
  "runs.resume": "member",
  "runs.fork": "member",
  "runs.repeat": "member",
  "runs.openCheckpoint": "member",
  "runs.delete": "member",
  "runs.metrics": "viewer",
  "runs.log": "viewer",
  "runs.watch": "viewer",
  "runViews.list": "viewer",
  "runViews.save": "member",
  "runViews.delete": "member",
};

describe("a policy", () => {
  test("is on every procedure of the router, and is the one that this table says", () => {
    const found = Object.fromEntries(
      Object.entries(procedures).map(([name, procedure]) => {
        const policy = policyOf(procedure);
        return [name, policy?.kind === "org" ? policy.role : policy?.kind];
      }),
    );
    expect(found).toEqual(expected);
  });

  test("cannot be left out: such a procedure does not compile and does not start", () => {
    const ungated = initTRPC.create().procedure.query(() => "everybody");
    // @ts-expect-error -- it has no policy
    expect(() => router({ ungated })).toThrow("has no policy");
    const forged = initTRPC
      .meta<{ kind: "public"; reason: string }>()
      .create()
      .procedure.meta({ kind: "public", reason: "forged" })
      .query(() => "everybody");
    // @ts-expect-error -- its policy is none of ours
    expect(() => router({ forged })).toThrow("has no policy");
    const open = publicProcedure("says the time, which anybody may know").query(() => 1);
    expect(Object.keys(router({ gated: org("viewer").query(() => 1), open })._def.procedures)).toEqual(["gated", "open"]);
    expect(policyOf(open)).toMatchObject({ kind: "public", reason: expect.any(String) });
  });
});

const pytorchCode = exportPyTorch(findTemplate("mlp")?.graph ?? emptyGraph);

type Ids = { modelId: string; projectId: string; datasetId: string; runId: string; checkpointId: string; viewId: string };

const tablePlan: TablePlan = {
  form: { format: "delimited", delimiter: ",", header: true },
  columns: [{ name: "x", kind: "number", missing: null }],
  target: 0,
  task: "tabular-regression",
  categories: 2,
  text: null,
  series: null,
  split: { how: "random", validationShare: 0.2, seed: 1 },
};

const textPlan: Omit<LanguagePlan, "context"> = { tokenizer: { unit: "characters", lowercase: false, vocabulary: 64 }, validationShare: 0.1 };

const picturePlan: PicturePlan = {
  task: "image-classification",
  size: 32,
  fit: "pad",
  colour: "rgb",
  labels: [{ from: "cats", name: "cats" }],
  split: { how: "random", validationShare: 0.2, seed: 1 },
};

const arrayPlan: ArrayPlan = {
  train: { input: "x", target: "y", lengths: null },
  validation: null,
  layout: "table",
  learns: "classes",
  targetColumn: null,
  columnNames: null,
  classNames: null,
  notFinite: null,
  split: { how: "random", validationShare: 0.2, seed: 1 },
};

/** Every procedure that takes an id, with inputs that are right but for it. A procedure that is missing here fails the test below. */
const inputs: Record<string, ((ids: Ids, own: Tenant) => unknown)[]> = {
  "projects.rename": [({ projectId }) => ({ projectId, name: "Mine now" })],
  "projects.delete": [({ projectId }) => ({ projectId })],
  "models.create": [({ projectId }) => ({ projectId }), ({ datasetId }) => ({ datasetId })],
  "models.get": [({ modelId }) => ({ modelId })],
  "models.save": [({ modelId }) => ({ modelId, revision: 1, graph: findTemplate("mlp")?.graph })],
  "models.saveSettings": [
    ({ modelId }, own) => ({ modelId, settings: own.settings }),
    ({ datasetId }, own) => ({ modelId: own.modelId, settings: { ...own.settings, datasetId } }),
  ],
  "models.watch": [({ modelId }) => ({ modelId, clientId: "c" })],
  "models.push": [({ modelId }) => ({ modelId, epoch: "", update: "AAA=" })],
  "models.point": [({ modelId }) => ({ modelId, clientId: "c", scope: [], cursor: null, nodes: [] })],
  "models.versions": [({ modelId }) => ({ modelId })],
  "models.version": [({ modelId }) => ({ modelId, versionId: modelId })],
  "models.nameVersion": [({ modelId }) => ({ modelId, name: "Mine now" })],
  "models.forgetVersion": [({ modelId }) => ({ modelId, namedId: modelId })],
  "models.rename": [({ modelId }) => ({ modelId, name: "Mine now" })],
  "models.duplicate": [({ modelId }) => ({ modelId })],
  "models.importOnnx": [({ projectId }) => ({ uploadId: projectId, fileName: "model.onnx" })],
  "models.importPyTorch": [({ projectId }) => ({ code: pytorchCode, projectId })],
  "models.importWeights": [({ modelId }) => ({ modelId, uploadId: modelId, fileName: "model.npz" })],
  "models.clearStartWeights": [({ modelId }) => ({ modelId })],
  "models.delete": [({ modelId }) => ({ modelId })],
  "datasets.get": [({ datasetId }) => ({ datasetId })],
  "datasets.samples": [({ datasetId }) => ({ datasetId, split: "train" })],
  "datasets.health": [({ datasetId }) => ({ datasetId })],
  "datasets.inspectTable": [({ datasetId }) => ({ uploadId: datasetId, fileName: "table.csv" })],
  "datasets.createTable": [({ datasetId }) => ({ uploadId: datasetId, fileName: "table.csv", name: "Mine now", plan: tablePlan })],
  "datasets.inspectText": [({ datasetId }) => ({ uploadId: datasetId, question: { of: "file", ...textPlan } })],
  "datasets.createText": [({ datasetId }) => ({ uploadId: datasetId, fileName: "book.txt", name: "Mine now", plan: { ...textPlan, context: 32 } })],
  "datasets.inspectPictures": [({ datasetId }) => ({ uploadId: datasetId })],
  "datasets.createPictures": [({ datasetId }) => ({ uploadId: datasetId, fileName: "pictures.zip", name: "Mine now", plan: picturePlan })],
  "datasets.inspectArrays": [({ datasetId }) => ({ uploadId: datasetId })],
  "datasets.createArrays": [({ datasetId }) => ({ uploadId: datasetId, fileName: "arrays.npz", name: "Mine now", plan: arrayPlan })],
  "datasets.delete": [({ datasetId }) => ({ datasetId })],
  "runs.organize": [({ runId }) => ({ runIds: [runId], action: { kind: "tag", add: ["mine"] } })],
  "runs.setNotes": [({ runId }) => ({ runId, notes: "Mine now" })],
  "runs.get": [({ runId }) => ({ runId })],
  "runs.start": [
    ({ modelId }, own) => ({ modelId, settings: own.settings, idempotencyKey: randomUUID() }),
    ({ datasetId }, own) => ({ modelId: own.modelId, settings: { ...own.settings, datasetId }, idempotencyKey: randomUUID() }),
  ],
  "runs.findLr": [({ modelId }, own) => ({ modelId, settings: own.settings })],
  "runs.measure": [({ modelId }, own) => ({ modelId, settings: own.settings })],
  "runs.findBatch": [({ modelId }, own) => ({ modelId, settings: own.settings })],
  "runs.shrink": [({ runId }) => ({ runId, batchSize: 8, idempotencyKey: randomUUID() })],
  "runs.cancel": [({ runId }) => ({ runId })],
  "runs.stop": [({ runId }) => ({ runId })],
  "runs.pause": [({ runId }) => ({ runId })],
  "runs.turn": [({ runId }) => ({ runId, turn: { kind: "lr", lr: 0.1, hold: false } })],
  "runs.resume": [({ runId }) => ({ runId })],
  "runs.repeat": [({ runId }) => ({ runId })],
  "runs.openCheckpoint": [({ runId, checkpointId }) => ({ runId, checkpointId })],
  "runs.fork": [({ runId, checkpointId }) => ({ runId, checkpointId })],
  "runs.delete": [({ runId }) => ({ runId })],
  "runs.metrics": [({ runId }) => ({ runId })],
  "runs.log": [({ runId }) => ({ runId })],
  "runs.watch": [({ runId }) => ({ runId })],
  "runViews.delete": [({ viewId }) => ({ viewId })],
};
/** These take no id of a thing that must exist: a list that is filtered by a foreign id is empty. */
const withoutIds = [
  "workspace.me",
  "workspace.status",
  "projects.list",
  "projects.create",
  "datasets.list",
  "runs.list",
  "runs.count",
  "runs.columns",
  "runs.groups",
  "runs.tags",
  "runViews.list",
  "runViews.save",
];
/** What those of them need that do not go without any input. */
const plain: Record<string, unknown> = {
  "projects.create": { name: "x" },
  "runs.list": {},
  "runs.count": {},
  "runs.groups": { by: "model" },
  "runViews.save": { name: "x", view: "q=x" },
};

async function call(name: string, caller: ReturnType<typeof callerOf>, input: unknown): Promise<unknown> {
  const [noun = "", verb = ""] = name.split(".");
  return (caller as unknown as Record<string, Record<string, (input: unknown) => Promise<unknown>>>)[noun]?.[verb]?.(input);
}

async function refusalOf(name: string, caller: ReturnType<typeof callerOf>, input: unknown): Promise<{ code: string; message: string }> {
  try {
    await call(name, caller, input);
  } catch (error) {
    const { message, cause } = error as { message: string; cause: { code: string } };
    return { code: cause.code, message };
  }
  throw new Error(`${name} answered ${JSON.stringify(input)}.`);
}

describe("the wall between organizations", () => {
  let own: Tenant;
  let other: Tenant;
  let theirs: Ids;
  const CANARY = "canary-of-the-others";

  beforeAll(async () => {
    own = await makeTenant(db, { name: "Own" });
    other = await makeTenant(db, { name: CANARY });
    const { runId } = await callerOf(context(other.session)).runs.start({
      modelId: other.modelId,
      settings: other.settings,
      idempotencyKey: randomUUID(),
    });
    const leaseToken = await claim(db, runId);
    const checkpoint = await db.checkpoint.create({
      data: {
        orgId: other.orgId,
        runId,
        leaseToken,
        step: 1,
        epoch: 0,
        storageKey: `runs/${runId}/step-1.safetensors`,
        sizeBytes: 1n,
        sha256: "0".repeat(64),
      },
    });
    await db.run.update({ where: { id: runId }, data: { tags: [CANARY], notes: CANARY } });
    const view = await db.runView.create({ data: { orgId: other.orgId, name: CANARY, view: "", createdBy: other.userId } });
    theirs = { ...other, runId, checkpointId: checkpoint.id, viewId: view.id };
  });

  test("is asked about by a case for every procedure", () => {
    expect([...Object.keys(inputs), ...withoutIds].sort()).toEqual(Object.keys(procedures).sort());
  });

  test.each(Object.entries(inputs).flatMap(([name, makers]) => makers.map((make, index) => [name, index, make] as const)))(
    "%s (%i) says of another's id what it says of one that never was",
    async (name, _, make) => {
      const caller = callerOf(context(own.session));
      const nobodys = {
        modelId: randomUUID(),
        projectId: randomUUID(),
        datasetId: randomUUID(),
        runId: randomUUID(),
        checkpointId: randomUUID(),
        viewId: randomUUID(),
      };
      const foreign = await refusalOf(name, caller, make(theirs, own));
      expect(foreign.code).toBe("NOT_FOUND");
      expect(foreign).toEqual(await refusalOf(name, caller, make(nobodys, own)));
      expect(JSON.stringify(foreign)).not.toContain(CANARY);
    },
  );

  test("keeps lists apart", async () => {
    const caller = callerOf(context(own.session));
    for (const name of withoutIds.filter((one) => one !== "projects.create" && one !== "runViews.save"))
      expect(JSON.stringify(await call(name, caller, name === "runs.list" ? { modelId: theirs.modelId } : plain[name])), name).not.toContain(CANARY);
    expect(await caller.runs.groups({ by: "model", modelId: theirs.modelId })).toEqual([]);
    expect(await caller.runs.count({ modelId: theirs.modelId })).toEqual({ total: 0, active: 0 });
    expect((await caller.runs.list({ modelId: theirs.modelId })).runs).toEqual([]);
  });

  test("leaves the others as they were", async () => {
    const caller = callerOf(context(other.session));
    expect((await caller.models.get({ modelId: other.modelId })).name).toBe(`${CANARY} model`);
    expect((await caller.runs.get({ runId: theirs.runId })).status).toBe("running");
    expect((await caller.projects.list())[0]?.name).toBe(`${CANARY} project`);
  });

  test("stands in the database too: a row cannot hang under another organization's", async () => {
    await expect(db.model.create({ data: { orgId: own.orgId, projectId: other.projectId, name: "x", graph: {} } })).rejects.toThrow();
    await expect(db.model.create({ data: { orgId: own.orgId, projectId: own.projectId, datasetId: other.datasetId, name: "x", graph: {} } })).rejects.toThrow();
    await expect(db.runLog.create({ data: { orgId: own.orgId, runId: theirs.runId, level: "info", message: "x", leaseToken: 99 } })).rejects.toThrow();
    await expect(db.project.update({ where: { id: own.projectId }, data: { orgId: other.orgId } })).rejects.toThrow();
  });
});

test("nobody and a viewer get what their role allows, procedure by procedure", async () => {
  const viewer = await makeTenant(db, { name: "Viewers", role: "viewer" });
  const ids = {
    modelId: viewer.modelId,
    projectId: viewer.projectId,
    datasetId: viewer.datasetId,
    runId: randomUUID(),
    checkpointId: randomUUID(),
    viewId: randomUUID(),
  };
  for (const [name, role] of Object.entries(expected)) {
    const input = inputs[name]?.[0]?.(ids, viewer) ?? plain[name];
    expect((await refusalOf(name, callerOf(context(null)), input)).code, name).toBe("UNAUTHENTICATED");
    if (role !== "viewer") expect((await refusalOf(name, callerOf(context(viewer.session)), input)).code, name).toBe("FORBIDDEN");
  }
});
