import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guessPlan } from "../../../core/data/table.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import { uploadKey } from "../../../server/http/uploads.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, makeContext, makeTenant, type Tenant, temporaryFiles } from "../world.ts";

const { db } = await openTestDatabase();
const files = temporaryFiles();
const context = makeContext(db, { files });
let own: Tenant;
let other: Tenant;
beforeAll(async () => {
  own = await makeTenant(db, { name: "Own" });
  other = await makeTenant(db, { name: "Other" });
});
afterAll(() => db.$disconnect());

const text = `size,kind\n${Array.from({ length: 60 }, (_, row) => `${((row * 7) % 11) / 2},${row % 2 ? "a" : "b"}`).join("\n")}\n`;

async function upload(content = text): Promise<string> {
  const uploadId = randomUUID();
  await files.put(uploadKey(own.orgId, uploadId), Buffer.from(content));
  return uploadId;
}

async function addTable(): Promise<string> {
  const caller = callerOf(context(own.session)).datasets;
  const uploadId = await upload();
  const facts = await caller.inspectTable({ uploadId, fileName: "t.csv" });
  if (!facts.ok) throw new Error(facts.failure.message);
  const made = await caller.createTable({ uploadId, fileName: "t.csv", name: "Mine", plan: guessPlan(facts.form, facts.columns) });
  if (!made.ok) throw new Error(made.failure.message);
  expect(await files.inspect(uploadKey(own.orgId, uploadId))).toBeNull();
  return made.datasetId;
}

describe("a table of one's own", () => {
  it("becomes a data set of the organization's, and nobody else's", async () => {
    const datasetId = await addTable();
    const { manifest, ...row } = await callerOf(context(own.session)).datasets.get({ datasetId });
    expect(row).toMatchObject({
      builtin: null,
      name: "Mine",
      status: "ready",
      task: "tabular-classification",
      rows: { train: 48, validation: 12 },
      columns: ["size"],
      classes: ["a", "b"],
    });
    expect(manifest?.table?.split).toEqual({ how: "stratified", column: null, validationShare: 0.2, seed: 1 });
    const foreign = callerOf(context(other.session)).datasets;
    expect((await foreign.list()).some(({ id }) => id === datasetId)).toBe(false);
    for (const ask of [foreign.get, foreign.delete]) await expect(ask({ datasetId })).rejects.toMatchObject({ cause: { code: "NOT_FOUND" } });
    const uploadId = await upload();
    await expect(foreign.inspectTable({ uploadId, fileName: "t.csv" })).rejects.toMatchObject({ cause: { code: "NOT_FOUND" } });
  });

  it("that cannot be read leaves nothing but the upload, for another try", async () => {
    const before = await db.dataset.count();
    const uploadId = await upload("a,b\n1,2\n1,2,3\n");
    const caller = callerOf(context(own.session)).datasets;
    expect(await caller.inspectTable({ uploadId, fileName: "t.csv" })).toMatchObject({ ok: false, failure: { code: "CSV_RAGGED" } });
    const plan = guessPlan({ format: "delimited", delimiter: ",", header: true }, []);
    const columns = ["a", "b"].map((name) => ({ name, kind: "number" as const, missing: null }));
    const answer = await caller.createTable({
      uploadId,
      fileName: "t.csv",
      name: "No",
      plan: { ...plan, columns, target: 1, task: "tabular-regression", split: { ...plan.split, how: "random" } },
    });
    expect(answer).toMatchObject({ ok: false, failure: { code: "CSV_RAGGED" } });
    expect(await db.dataset.count()).toBe(before);
    expect(await files.inspect(uploadKey(own.orgId, uploadId))).not.toBeNull();
  });
});

describe("deleting a data set", () => {
  it("takes its files and the choice of models with it", async () => {
    const datasetId = await addTable();
    const caller = callerOf(context(own.session));
    const { id: modelId } = await caller.models.create({ datasetId });
    await caller.models.saveSettings({ modelId, settings: { ...defaultSettings("tabular-classification", 48), datasetId } });
    expect(existsSync(files.path(`datasets/${datasetId}`))).toBe(true);
    await caller.datasets.delete({ datasetId });
    expect(existsSync(files.path(`datasets/${datasetId}`))).toBe(false);
    expect(await caller.models.get({ modelId })).toMatchObject({ datasetId: null, settings: null });
  });

  it("is refused while runs hold it, and says which", async () => {
    const datasetId = await addTable();
    const caller = callerOf(context(own.session));
    const { id: modelId } = await caller.models.create({ datasetId, name: "Learner" });
    // What a model begins as on a table trains as it stands.
    const { runId } = await caller.runs.start({ modelId, settings: { ...defaultSettings("tabular-classification", 48), datasetId }, idempotencyKey: randomUUID() });
    await expect(caller.datasets.delete({ datasetId })).rejects.toMatchObject({
      cause: { code: "IN_USE", message: "Mine is what run 1 of Learner learned from. Delete that run first.", details: { runs: [{ runId, number: 1, model: "Learner" }] } },
    });
    expect(existsSync(files.path(`datasets/${datasetId}`))).toBe(true);
  });

  it("is refused for what comes with the product", async () => {
    await expect(callerOf(context(own.session)).datasets.delete({ datasetId: own.datasetId })).rejects.toMatchObject({ cause: { code: "IN_USE" } });
  });
});
