import { randomUUID } from "node:crypto";
import { existsSync, utimesSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { deleteRun } from "../../../server/runs/change.ts";
import { deleteWithFolder, sweepDeleted } from "../../../server/storage/deletion.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, makeContext, makeTenant, type Tenant, temporaryFiles } from "../world.ts";

const { db } = await openTestDatabase();
const files = temporaryFiles();
const context = makeContext(db, { files });
let tenant: Tenant;
beforeAll(async () => {
  tenant = await makeTenant(db);
});

async function endedRun(): Promise<string> {
  const caller = callerOf(context(tenant.session));
  const { runId } = await caller.runs.start({ modelId: tenant.modelId, settings: tenant.settings, idempotencyKey: randomUUID() });
  await caller.runs.cancel({ runId });
  await files.put(`runs/${runId}/lease-1/step-1.safetensors`, new Uint8Array(10));
  return runId;
}
const markOf = (folder: string) => `deleted/${folder.replace("/", ".")}`;
const age = (folder: string) => utimesSync(files.path(markOf(folder)), 0, 0);
const isThere = (folder: string) => existsSync(files.path(folder));

test("a run that is deleted takes its folder along", async () => {
  const runId = await endedRun();
  await deleteRun(db, files, tenant.orgId, runId);
  expect(isThere(`runs/${runId}`)).toBe(false);
  await expect(deleteRun(db, files, tenant.orgId, runId)).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(isThere(`runs/${runId}`)).toBe(false);
});

test("where the process died, or the store went, between row and folder, the sweep removes the folder, and no other", async () => {
  const [dead, living, foreign] = [await endedRun(), await endedRun(), randomUUID()];
  // As far as a process gets that is killed right after its transaction.
  await deleteWithFolder({ ...files, removeFolder: () => Promise.reject(new Error("killed")) }, `runs/${dead}`, async () => {
    await db.run.delete({ where: { id: dead } });
  });
  // And one that is killed before it.
  await files.put(markOf(`runs/${living}`), new Uint8Array());
  await files.put(`runs/${foreign}/step-1.safetensors`, new Uint8Array(1));
  expect(await sweepDeleted(db, files)).toEqual([]);
  age(`runs/${dead}`);
  age(`runs/${living}`);
  expect(await sweepDeleted(db, files)).toEqual([`runs/${dead}`]);
  expect([isThere(`runs/${dead}`), isThere(`runs/${living}/lease-1`), isThere(markOf(`runs/${living}`)), isThere(`runs/${foreign}`)]).toEqual([false, true, false, true]);
  expect(await sweepDeleted(db, files)).toEqual([]);
});

test("a deletion that is refused leaves no mark", async () => {
  const { runId } = await callerOf(context(tenant.session)).runs.start({ modelId: tenant.modelId, settings: tenant.settings, idempotencyKey: randomUUID() });
  await expect(deleteRun(db, files, tenant.orgId, runId)).rejects.toMatchObject({ code: "RUN_ACTIVE" });
  expect(await files.list("deleted")).toEqual([]);
});
