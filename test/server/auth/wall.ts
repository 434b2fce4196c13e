import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import type { ArrayPlan } from "../../../core/data/arrays.ts";
import type { LanguagePlan } from "../../../core/data/language.ts";
import type { PicturePlan } from "../../../core/data/pictures.ts";
import type { TablePlan } from "../../../core/data/table.ts";
import { exportPyTorch } from "../../../core/export/pytorch.ts";
import { emptyGraph } from "../../../core/graph/document.ts";
import { findTemplate } from "../../../core/templates/index.ts";
import { policyOf } from "../../../server/auth/procedure.ts";
import type { Database } from "../../../server/database/client.ts";
import { appRouter } from "../../../server/router.ts";
import { callerOf, claim, makeContext, makeTenant, type Tenant } from "../world.ts";

const procedures = appRouter._def.procedures as unknown as Record<string, unknown>;

const pytorchCode = exportPyTorch(findTemplate("mlp")?.graph ?? emptyGraph);

const previewOrder = { graph: emptyGraph, split: "train", row: 0, seed: 0, training: true, draw: 0, paths: [], large: null };

export type Ids = {
  modelId: string;
  projectId: string;
  datasetId: string;
  runId: string;
  checkpointId: string;
  userId: string;
  orgId: string;
  invitationId: string;
  tokenId: string;
  linkId: string;
  sessionId: string;
  viewId: string;
};
/** Ids that never were: the same one whenever the same name is asked for. */
const nobodysIds = (): Ids => new Proxy({} as Ids, { get: (given, name: keyof Ids) => (given[name] ??= randomUUID()) });

const tablePlan: TablePlan = {
  form: { format: "delimited", delimiter: ",", header: true },
  columns: [{ name: "x", kind: "number", missing: null }],
  target: 0,
  task: "tabular-regression",
  categories: 2,
  text: null,
  series: null,
  split: { how: "random", validationShare: 0.2, seed: 1, column: null },
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
export const inputs: Record<string, ((ids: Ids, own: Tenant) => unknown)[]> = {
  "account.endSession": [({ sessionId }) => ({ sessionId })],
  "account.enter": [({ orgId }) => ({ orgId })],
  "organization.setRole": [({ userId }) => ({ memberId: userId, role: "viewer" })],
  "organization.remove": [({ userId }) => ({ memberId: userId })],
  "organization.transfer": [({ userId }) => ({ memberId: userId })],
  "organization.revokeInvitation": [({ invitationId }) => ({ invitationId })],
  "organization.revokeToken": [({ tokenId }) => ({ tokenId })],
  "shares.create": [
    ({ modelId }) => ({ what: { kind: "model", modelId }, mayFork: false, days: null }),
    ({ runId }) => ({ what: { kind: "run", runId }, mayFork: false, days: null }),
    ({ runId }) => ({ what: { kind: "chart", runId, keys: ["train/loss"] }, mayFork: false, days: null }),
  ],
  "shares.revoke": [({ linkId }) => ({ linkId })],
  "preview.evaluate": [
    ({ modelId }, own) => ({ ...previewOrder, modelId, datasetId: own.datasetId }),
    ({ datasetId }, own) => ({ ...previewOrder, modelId: own.modelId, datasetId }),
  ],
  "projects.rename": [({ projectId }) => ({ projectId, name: "Mine now" })],
  "projects.saveCharts": [({ projectId }) => ({ projectId, charts: [] })],
  "projects.delete": [({ projectId }) => ({ projectId })],
  "models.create": [({ projectId }) => ({ projectId }), ({ datasetId }) => ({ datasetId })],
  "models.get": [({ modelId }) => ({ modelId })],
  "models.record": [({ modelId }) => ({ modelId })],
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
  "runs.compare": [({ runId }) => ({ runIds: [runId] })],
  "runs.graph": [({ runId }) => ({ runId })],
  "runs.looks": [({ runId }) => ({ runId, node: "x" })],
  "runs.pulse": [({ modelId }) => ({ modelId })],
  "runs.trainer": [({ runId }) => ({ runId })],
  "runs.overlay": [({ runId }) => ({ runIds: [runId], key: "train/loss" })],
  "runs.setNotes": [({ runId }) => ({ runId, notes: "Mine now" })],
  "runs.get": [({ runId }) => ({ runId })],
  "runs.lineage": [({ runId }) => ({ runId })],
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
  "tuning.options": [({ datasetId }) => ({ datasetId })],
  "tuning.start": [({ datasetId }) => ({ datasetId, networkId: "mobilenet_v2", idempotencyKey: "policy-test" })],
  "tuning.ownRuns": [({ datasetId }) => ({ datasetId })],
  "tuning.startFromRun": [({ datasetId, runId }) => ({ datasetId, runId, depth: "head", idempotencyKey: "policy-test" })],
  "tuning.result": [({ runId }) => ({ runId })],
  "runs.histograms": [({ runId }) => ({ runId, kind: "weights" })],
  "runs.study": [({ runId }) => ({ runId, step: null })],
  "runs.explain": [({ runId }) => ({ runId, step: null, row: 0, at: null, node: null })],
  "runs.activations": [({ runId }) => ({ runId, node: null, rows: 1 })],
  "runs.gradients": [({ runId }) => ({ runId, node: null, rows: 1 })],
  "runs.log": [({ runId }) => ({ runId })],
  "runs.watch": [({ runId }) => ({ runId })],
  "runViews.delete": [({ viewId }) => ({ viewId })],
};
/** These take no id of a thing that must exist: a list that is filtered by a foreign id is empty. */
const aboutPeople = [
  ...["doors", "signIn", "signUp", "guest", "requestReset", "useLink", "invitation", "me", "rename", "changePassword", "sendVerification", "signOut", "endOtherSessions"].map(
    (name) => `account.${name}`,
  ),
  ...["beginTwoFactor", "confirmTwoFactor", "endTwoFactor", "acceptInvitation", "createOrganization"].map((name) => `account.${name}`),
  ...["rename", "leave", "invite", "createToken"].map((name) => `organization.${name}`),
  ...["shares.open", "shares.fork", ...Object.keys(procedures).filter((name) => policyOf(procedures[name])?.kind === "operator")],
];
export const lists: [string, ((ids: Ids) => unknown)?][] = [
  ["workspace.me"],
  ["workspace.status"],
  ["projects.list"],
  ["datasets.list"],
  ["runs.list", ({ modelId }) => ({ modelId })],
  ["runs.count", () => ({})],
  ["runs.columns"],
  ["runs.groups", () => ({ by: "model" })],
  ["runs.tags"],
  ["runs.endings", () => ({})],
  ["runViews.list"],
  ["organization.get"],
  ["organization.members"],
  ["organization.invitations"],
  ["organization.tokens"],
  ["organization.activity", () => ({})],
  ["organization.audit", () => ({})],
  ["shares.list", ({ modelId }) => ({ modelId })],
];
const withoutIds = [...aboutPeople, ...lists.map(([name]) => name), "projects.create", "runViews.save", "tuning.fetch", "tuning.measure", "tuning.opened", "tuning.open"];

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

/** One of everything that has an id, in an organization of its own, with `name` in all texts. */
export async function furnish(db: Database, tenant: Tenant, name: string): Promise<Ids> {
  const { runId } = await callerOf(makeContext(db)(tenant.session)).runs.start({
    modelId: tenant.modelId,
    settings: tenant.settings,
    idempotencyKey: randomUUID(),
  });
  const leaseToken = await claim(db, runId);
  const checkpoint = await db.checkpoint.create({
    data: {
      orgId: tenant.orgId,
      runId,
      leaseToken,
      step: 1,
      epoch: 0,
      storageKey: `runs/${runId}/step-1.safetensors`,
      sizeBytes: 1n,
      sha256: "0".repeat(64),
    },
  });
  await db.run.update({ where: { id: runId }, data: { tags: [name], notes: name } });
  const view = await db.runView.create({ data: { orgId: tenant.orgId, name: name, view: "", createdBy: tenant.userId } });
  const expiresAt = new Date(Date.now() + 3_600_000);
  const { orgId, userId } = tenant;
  const invitation = await db.invitation.create({ data: { orgId, email: `${name}@example.org`, role: "member", tokenHash: randomUUID(), createdBy: userId, expiresAt } });
  const token = await db.apiToken.create({ data: { orgId, userId, name: name, scope: "read", tokenHash: randomUUID(), lastFour: "abcd" } });
  const link = await db.shareLink.create({ data: { orgId, kind: "model", modelId: tenant.modelId, tokenHash: randomUUID(), createdBy: userId } });
  return { ...tenant, runId, checkpointId: checkpoint.id, invitationId: invitation.id, tokenId: token.id, linkId: link.id, sessionId: tenant.session.id, viewId: view.id };
}

/** What every procedure says of things of another organization. Run as the product is, and once more without the filters of its queries (walls.test.ts). */
export function describeWall(db: Database): void {
  const context = makeContext(db);
  let own: Tenant;
  let other: Tenant;
  let theirs: Ids;
  const CANARY = "canary-of-the-others";

  beforeAll(async () => {
    own = await makeTenant(db, { name: "Own" });
    other = await makeTenant(db, { name: CANARY });
    theirs = await furnish(db, other, CANARY);
  });

  test("is asked about by a case for every procedure", () => {
    expect([...Object.keys(inputs), ...withoutIds].sort()).toEqual(Object.keys(procedures).sort());
  });

  test.each(Object.entries(inputs).flatMap(([name, makers]) => makers.map((make, index) => [name, index, make] as const)))(
    "%s (%i) says of another's id what it says of one that never was",
    async (name, _, make) => {
      const caller = callerOf(context(own.session));
      const nobodys = nobodysIds();
      const foreign = await refusalOf(name, caller, make(theirs, own));
      expect(foreign.code).toBe("NOT_FOUND");
      expect(foreign).toEqual(await refusalOf(name, caller, make(nobodys, own)));
      expect(JSON.stringify(foreign)).not.toContain(CANARY);
    },
  );

  test("keeps lists apart", async () => {
    const caller = callerOf(context(own.session));
    for (const [name, make] of lists) expect(JSON.stringify(await call(name, caller, make?.(theirs))), name).not.toContain(CANARY);
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
}
