import { initTRPC } from "@trpc/server";
import { describe, expect, test } from "vitest";
import { trailWords } from "../../../app/organization/trailWords.ts";
import { quiet } from "../../../server/accounts/trail.ts";
import { org, policyOf, publicProcedure, router } from "../../../server/auth/procedure.ts";
import type { Role } from "../../../server/auth/session.ts";
import { appRouter } from "../../../server/router.ts";
import { openTestDatabase } from "../postgres.ts";
import { describeWall } from "./wall.ts";

const { db } = await openTestDatabase();

const procedures = appRouter._def.procedures as unknown as Record<string, unknown>;

/** Who may call what: the whole of it. A new procedure is entered here on purpose. `, people` keeps API tokens out. */
type Expected = Role | `${Role}, people` | "public" | "person" | "operator";
const expected: Record<string, Expected> = {
  "account.doors": "public",
  "account.signIn": "public",
  "account.signUp": "public",
  "account.guest": "public",
  "account.requestReset": "public",
  "account.useLink": "public",
  "account.invitation": "public",
  "shares.open": "public",
  "account.me": "person",
  "account.rename": "person",
  "account.changePassword": "person",
  "account.sendVerification": "person",
  "account.signOut": "person",
  "account.endSession": "person",
  "account.endOtherSessions": "person",
  "account.beginTwoFactor": "person",
  "account.confirmTwoFactor": "person",
  "account.endTwoFactor": "person",
  "account.acceptInvitation": "person",
  "account.enter": "person",
  "account.createOrganization": "person",
  "organization.get": "viewer",
  "organization.rename": "admin, people",
  "organization.members": "viewer",
  "organization.setRole": "admin, people",
  "organization.remove": "admin, people",
  "organization.leave": "viewer, people",
  "organization.transfer": "owner, people",
  "organization.invitations": "admin, people",
  "organization.invite": "admin, people",
  "organization.revokeInvitation": "admin, people",
  "organization.tokens": "viewer, people",
  "organization.createToken": "viewer, people",
  "organization.revokeToken": "viewer, people",
  "organization.activity": "viewer",
  "organization.audit": "admin, people",
  "shares.list": "viewer",
  "shares.create": "member, people",
  "shares.revoke": "member, people",
  "shares.fork": "member",
  "operator.health": "operator",
  "operator.agents": "operator",
  "operator.drain": "operator",
  "operator.forgetAgent": "operator",
  "operator.users": "operator",
  "operator.setDisabled": "operator",
  "operator.resetLink": "operator",
  "operator.organizations": "operator",
  "operator.setQuota": "operator",
  "workspace.me": "viewer",
  "workspace.status": "viewer",
  "projects.list": "viewer",
  "projects.create": "member",
  "projects.rename": "member",
  "projects.saveCharts": "member",
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
  "preview.evaluate": "member",
  "runs.list": "viewer",
  "runs.count": "viewer",
  "runs.columns": "viewer",
  "runs.groups": "viewer",
  "runs.tags": "viewer",
  "runs.organize": "member",
  "runs.compare": "viewer",
  "runs.graph": "viewer",
  "runs.overlay": "viewer",
  "runs.endings": "viewer",
  "runs.setNotes": "member",
  "runs.get": "viewer",
  "runs.lineage": "viewer",
  "tuning.options": "viewer",
  "tuning.start": "member",
  "tuning.result": "viewer",
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
  "runs.looks": "viewer",
  "runs.pulse": "viewer",
  "runs.histograms": "viewer",
  "runs.study": "viewer",
  "runs.explain": "viewer",
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
        return [name, policy?.kind === "org" ? `${policy.role}${policy.peopleOnly ? ", people" : ""}` : policy?.kind];
      }),
    );
    expect(found).toEqual(expected);
  });

  test("lets nobody in without a session but at eight doors, each for a reason", () => {
    const open = Object.values(procedures).flatMap((procedure) => {
      const policy = policyOf(procedure);
      return policy?.kind === "public" ? [policy.reason] : [];
    });
    expect(open.length).toBeLessThanOrEqual(8);
    for (const reason of open) expect(reason.length).toBeGreaterThan(20);
  });

  test("that lets something be changed has words for the trail, or is one that is not written down", () => {
    const changes = Object.entries(procedures).flatMap(([name, procedure]) =>
      policyOf(procedure)?.kind === "org" && (procedure as { _def: { type: string } })._def.type === "mutation" ? [name] : [],
    );
    // Joining is written down by the account's own code.
    expect([...changes, "organization.join"].sort()).toEqual([...Object.keys(trailWords), ...quiet].sort());
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

<<<<<<< HEAD
describe("the wall between organizations", () => describeWall(db));
=======
const pytorchCode = exportPyTorch(findTemplate("mlp")?.graph ?? emptyGraph);

const previewOrder = { graph: emptyGraph, split: "train", row: 0, seed: 0, training: true, draw: 0, paths: [], large: null };

type Ids = {
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
const inputs: Record<string, ((ids: Ids, own: Tenant) => unknown)[]> = {
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
  "runs.compare": [({ runId }) => ({ runIds: [runId] })],
  "runs.graph": [({ runId }) => ({ runId })],
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
  "tuning.result": [({ runId }) => ({ runId })],
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
  ...["shares.open", "shares.fork", ...Object.keys(expected).filter((name) => name.startsWith("operator."))],
];
const lists: [string, ((ids: Ids) => unknown)?][] = [
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
const withoutIds = [...aboutPeople, ...lists.map(([name]) => name), "projects.create", "runViews.save"];

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
    const expiresAt = new Date(Date.now() + 3_600_000);
    const { orgId, userId } = other;
    const invitation = await db.invitation.create({ data: { orgId, email: `${CANARY}@example.org`, role: "member", tokenHash: randomUUID(), createdBy: userId, expiresAt } });
    const token = await db.apiToken.create({ data: { orgId, userId, name: CANARY, scope: "read", tokenHash: randomUUID(), lastFour: "abcd" } });
    const link = await db.shareLink.create({ data: { orgId, kind: "model", modelId: other.modelId, tokenHash: randomUUID(), createdBy: userId } });
    theirs = { ...other, runId, checkpointId: checkpoint.id, invitationId: invitation.id, tokenId: token.id, linkId: link.id, sessionId: other.session.id, viewId: view.id };
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
});
>>>>>>> 92a5fed (A second backbone, the one to take recommended; lineage drawn; a camera in the story)
