import { randomUUID } from "node:crypto";
import { createTRPCClient, httpLink } from "@trpc/client";
import { beforeAll, expect, test } from "vitest";
import { appendMetrics } from "../../../server/metrics/store.ts";
import type { AppRouter } from "../../../server/router.ts";
import { openTestDatabase } from "../postgres.ts";
import { serveWeb } from "../visitor.ts";
import { callerOf, claim, makeContext, makeTenant, type Tenant, temporaryFiles } from "../world.ts";

/** Links by which people without an account see one thing: a model, a run, or some of its curves. */
const { db } = await openTestDatabase();
const { base } = await serveWeb(db, temporaryFiles(), { AUTH: "required" });
const context = makeContext(db);
const anybody = createTRPCClient<AppRouter>({ links: [httpLink({ url: `${base}/api/trpc` })] });

let home: Tenant;
let other: Tenant;
let runId: string;
beforeAll(async () => {
  home = await makeTenant(db, { name: "Home" });
  other = await makeTenant(db, { name: "Other" });
  ({ runId } = await callerOf(context(home.session)).runs.start({ modelId: home.modelId, settings: home.settings, idempotencyKey: randomUUID() }));
  const token = await claim(db, runId);
  for (const key of ["train/loss", "validation/accuracy"])
    await db.$transaction((tx) => appendMetrics(tx, { id: runId, orgId: home.orgId }, token, [{ key, steps: [1, 2, 3], values: [3, 2, 1] }]));
});

const share = (what: Parameters<ReturnType<typeof callerOf>["shares"]["create"]>[0]["what"], { mayFork = false, days = null as number | null } = {}) =>
  callerOf(context(home.session)).shares.create({ what, mayFork, days });
const secretOf = ({ url }: { url: string }) => url.split("/").at(-1) ?? "";
const open = (secret: string) => anybody.shares.open.query({ secret });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "OK",
    (error: { data?: { code: string }; cause?: { code: string } }) => error.data?.code ?? error.cause?.code,
  );

test("a model, a run and a chart are each shown to whoever has the link, without people, data or files", async () => {
  const model = await open(secretOf(await share({ kind: "model", modelId: home.modelId })));
  expect(model).toMatchObject({ kind: "model", name: "Home model", mayFork: false, graph: { nodes: expect.any(Array) } });
  const run = await open(secretOf(await share({ kind: "run", runId })));
  expect(run).toMatchObject({ kind: "run", status: "running", graph: { nodes: expect.any(Array) } });
  expect(run.kind === "run" && run.series.map(({ key }) => key).sort()).toEqual(["train/loss", "validation/accuracy"]);
  const chart = await open(secretOf(await share({ kind: "chart", runId, keys: ["train/loss"] })));
  expect(chart.kind === "chart" && chart.series.map(({ key }) => key)).toEqual(["train/loss"]);
  expect(Object.keys(chart)).not.toContain("graph");
  for (const shown of [model, run, chart]) expect(JSON.stringify(shown)).not.toMatch(/Home's owner|storageKey|sha256|@/);
});

test("a copy is taken only where the link lets it be, into one's own organization, and a chart holds none", async () => {
  const looking = secretOf(await share({ kind: "model", modelId: home.modelId }));
  const lending = secretOf(await share({ kind: "run", runId }, { mayFork: true }));
  const taker = callerOf(context(other.session));
  expect(await codeOf(taker.shares.fork({ secret: looking }))).toBe("FORBIDDEN");
  const { modelId } = await taker.shares.fork({ secret: lending });
  expect(await db.model.findUniqueOrThrow({ where: { id: modelId }, select: { orgId: true, name: true, startWeights: true } })).toEqual({
    orgId: other.orgId,
    name: "Home model (copy)",
    startWeights: null,
  });
  expect(await codeOf(share({ kind: "chart", runId, keys: ["train/loss"] }, { mayFork: true }))).toBe("CONFIG_RANGE");
  // Whoever only looks in their own organization takes no copy into it.
  const viewer = { ...other.session, role: "viewer" as const };
  expect(await codeOf(callerOf(context(viewer)).shares.fork({ secret: lending }))).toBe("FORBIDDEN");
});

test("a link is over when it was revoked, when its days are, and when what it shows is gone", async () => {
  const revoked = await share({ kind: "model", modelId: home.modelId });
  await callerOf(context(home.session)).shares.revoke({ linkId: revoked.linkId });
  expect(await codeOf(open(secretOf(revoked)))).toBe("LINK_OVER");
  const dated = await share({ kind: "model", modelId: home.modelId }, { days: 1 });
  expect(await codeOf(open(secretOf(dated)))).toBe("OK");
  await db.shareLink.update({ where: { id: dated.linkId }, data: { expiresAt: new Date(Date.now() - 1) } });
  expect(await codeOf(open(secretOf(dated)))).toBe("LINK_OVER");
  expect((await callerOf(context(home.session)).shares.list({ modelId: home.modelId })).find(({ id }) => id === dated.linkId)?.isOver).toBe(true);
  const gone = await db.model.create({ data: { orgId: home.orgId, projectId: home.projectId, name: "Gone", graph: {} } });
  const left = await share({ kind: "model", modelId: gone.id });
  await callerOf(context(home.session)).models.delete({ modelId: gone.id });
  expect(await codeOf(open(secretOf(left)))).toBe("LINK_OVER");
  // What lies in the trash is shown to nobody, until it is taken out again.
  const binned = await share({ kind: "chart", runId, keys: ["train/loss"] });
  await db.run.update({ where: { id: runId }, data: { status: "cancelled", endedAt: new Date(), leaseUntil: null, owner: null, deletedAt: new Date() } });
  expect(await codeOf(open(secretOf(binned)))).toBe("LINK_OVER");
  await db.run.update({ where: { id: runId }, data: { deletedAt: null } });
  expect(await codeOf(open(secretOf(binned)))).toBe("OK");
  expect(await codeOf(open("a".repeat(43)))).toBe("LINK_OVER");
  // The secret itself is nowhere.
  expect(JSON.stringify(await db.shareLink.findMany())).not.toContain(secretOf(dated));
});
