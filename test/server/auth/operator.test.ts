import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { hashSecret } from "../../../server/auth/secrets.ts";
import { isSessionAlive } from "../../../server/auth/session.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, makeContext, makeTenant, mnistManifest, type Tenant, temporaryFiles } from "../world.ts";

/** What those who look after the installation do: quotas, machines, people. */
const { db } = await openTestDatabase();
const context = makeContext(db, { files: temporaryFiles() });
let home: Tenant;
let operator: Tenant;
beforeAll(async () => {
  home = await makeTenant(db, { name: "Home" });
  operator = await makeTenant(db, { name: "Operators" });
  await db.user.update({ where: { id: operator.userId }, data: { isOperator: true, email: "op@example.org" } });
});
const asOperator = () => callerOf(context({ ...operator.session, isOperator: true })).operator;
const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => ({ code: "OK", message: "" }),
    (error: { message: string; cause?: { code: string } }) => ({ code: error.cause?.code, message: error.message }),
  );
const start = () => callerOf(context(home.session)).runs.start({ modelId: home.modelId, settings: home.settings, idempotencyKey: randomUUID() });

test("a quota that is reached refuses in words, with what is used and what may be; without one of its own an organization has the installation's", async () => {
  const quota = { orgId: home.orgId, storageLimitBytes: null, maxRunning: null, maxQueued: null };
  await asOperator().setQuota({ ...quota, maxQueued: 1 });
  await start();
  expect(await refusalOf(start())).toEqual({ code: "QUEUE_FULL", message: expect.stringContaining("1 runs are waiting already, as many as may") });
  await db.dataset.create({ data: { orgId: home.orgId, name: "Large", status: "ready", manifest: mnistManifest, sizeBytes: 3n * 2n ** 30n } });
  await asOperator().setQuota({ ...quota, storageLimitBytes: 2 * 2 ** 30 });
  expect(await refusalOf(start())).toEqual({ code: "STORAGE_FULL", message: expect.stringContaining("keeps 3.0 GiB of the 2.0 GiB it may") });
  expect((await callerOf(context(home.session)).organization.get()).usage.storageBytes).toEqual({ used: 3 * 2 ** 30, limit: 2 * 2 ** 30 });
  await asOperator().setQuota(quota);
  expect((await refusalOf(start())).code).toBe("OK");
  expect((await callerOf(context(home.session)).organization.get()).usage).toMatchObject({ storageBytes: { limit: 100 * 2 ** 30 }, queued: { used: 2, limit: 20 } });
});

test("a machine is drained and taken back; only one that is silent is taken off the list", async () => {
  await db.agent.create({ data: { name: "gpu-1", pid: 1, maxRuns: 2 } });
  await asOperator().drain({ name: "gpu-1", draining: true });
  expect((await asOperator().agents()).find(({ name }) => name === "gpu-1")).toMatchObject({ draining: true });
  await asOperator().drain({ name: "gpu-1", draining: false });
  expect((await refusalOf(asOperator().forgetAgent({ name: "gpu-1" }))).code).toBe("NOT_FOUND");
  await db.$executeRaw`UPDATE "Agent" SET "seenAt" = now() - interval '1 minute' WHERE "name" = 'gpu-1'`;
  await asOperator().forgetAgent({ name: "gpu-1" });
  expect(await asOperator().agents()).toEqual([]);
  expect((await refusalOf(asOperator().drain({ name: "nobody", draining: true }))).code).toBe("NOT_FOUND");
});

test("an account that is closed is out at once, nobody closes their own, and a link for a new password is kept as a hash only", async () => {
  const { userId, session } = home;
  expect(await isSessionAlive(db, session)).toBe(true);
  await asOperator().setDisabled({ userId, disabled: true });
  expect(await isSessionAlive(db, session)).toBe(false);
  expect((await asOperator().users({ search: "Home" })).users).toMatchObject([{ id: userId, disabled: true }]);
  await asOperator().setDisabled({ userId, disabled: false });
  expect((await refusalOf(asOperator().setDisabled({ userId: operator.userId, disabled: true }))).code).toBe("FORBIDDEN");
  const { url } = await asOperator().resetLink({ userId: operator.userId });
  const secret = url.split("/").at(-1) ?? "";
  expect(await db.mailToken.findMany({ select: { tokenHash: true } })).toEqual([{ tokenHash: hashSecret(secret) }]);
  // Whoever has no address has no password to set.
  expect((await refusalOf(asOperator().resetLink({ userId }))).code).toBe("NOT_FOUND");
});

test("the state of the installation is told in numbers, and to operators only", async () => {
  expect(await asOperator().health()).toMatchObject({ runs: { queued: expect.any(Number) }, users: 2, organizations: 2, database: { sizeBytes: expect.any(Number) } });
  expect((await refusalOf(callerOf(context(home.session)).operator.health())).code).toBe("FORBIDDEN");
});
