import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Mail } from "../../../server/mail.ts";
import { mailEndings } from "../../../server/runs/endings.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, claim, makeContext, makeTenant } from "../world.ts";

const { db } = await openTestDatabase();
const context = makeContext(db);

async function endedRun(tenant: Awaited<ReturnType<typeof makeTenant>>, end: { status: "finished" | "failed" | "cancelled"; elapsedMs: number }): Promise<string> {
  const { runId } = await callerOf(context(tenant.session)).runs.start({ modelId: tenant.modelId, settings: tenant.settings, idempotencyKey: randomUUID() });
  await claim(db, runId);
  const failure = end.status === "failed" ? { code: "INTERNAL", message: "The loss is not a number." } : undefined;
  await db.run.update({ where: { id: runId }, data: { ...end, ...(failure ? { failure } : {}), endedAt: new Date(), leaseUntil: null, owner: null } });
  return runId;
}

test("whoever started a run is told by mail when it ends: once, in words, and only at an address of their own", async () => {
  const tenant = await makeTenant(db, { name: "Own" });
  const mails: Mail[] = [];
  const mailer = { send: async (mail: Mail) => void mails.push(mail), close: () => {} };
  const options = { afterS: 60, pageUrl: "https://loom.example" };
  await db.user.update({ where: { id: tenant.userId }, data: { email: "own@example.org", emailVerifiedAt: new Date() } });

  const runId = await endedRun(tenant, { status: "finished", elapsedMs: 90_000 });
  await endedRun(tenant, { status: "failed", elapsedMs: 3_600_000 });
  await endedRun(tenant, { status: "finished", elapsedMs: 2_000 });
  await endedRun(tenant, { status: "cancelled", elapsedMs: 500_000 });
  // Two processes at once tell of each run once.
  const sent = await Promise.all([mailEndings(db, mailer, options), mailEndings(db, mailer, options)]);
  expect(sent[0] + sent[1]).toBe(2);
  expect(mails.map(({ to, subject }) => `${to} ${subject}`).sort()).toEqual(["own@example.org Run 1 of Own model finished", "own@example.org Run 2 of Own model failed"]);
  expect(mails.find(({ subject }) => subject.endsWith("finished"))?.text).toBe(`Run 1 of Own model finished after 1 min 30 s.\n\nhttps://loom.example/runs/${runId}\n`);
  expect(await mailEndings(db, mailer, options)).toBe(0);

  await db.user.update({ where: { id: tenant.userId }, data: { emailVerifiedAt: null } });
  await endedRun(tenant, { status: "finished", elapsedMs: 90_000 });
  expect(await mailEndings(db, mailer, options)).toBe(0);
});

test("the page is told of its person's own runs that ended since it last asked", async () => {
  const [own, other] = [await makeTenant(db, { name: "First" }), await makeTenant(db, { name: "Second" })];
  const caller = callerOf(context(own.session));
  await endedRun(own, { status: "finished", elapsedMs: 1 });
  const { now, endings } = await caller.runs.endings({});
  expect(endings).toEqual([]);
  await endedRun(other, { status: "finished", elapsedMs: 1 });
  await endedRun(own, { status: "failed", elapsedMs: 1 });
  const next = await caller.runs.endings({ since: now });
  expect(next.endings).toMatchObject([{ number: 2, modelName: "First model", status: "failed", message: "The loss is not a number." }]);
  expect((await caller.runs.endings({ since: next.now })).endings).toEqual([]);
});
