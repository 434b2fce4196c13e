import { z } from "zod";
import { say } from "../../core/language/say.ts";
import type { Context } from "../auth/procedure.ts";
import { hashSecret, makeSecret } from "../auth/secrets.ts";
import type { Session } from "../auth/session.ts";
import { type Database, walled } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { Id } from "../input.ts";
import { queryMetrics } from "../metrics/query.ts";
import { keptGraph } from "../models/graph.ts";
import { placeModel } from "../models/place.ts";
import { summaryFields, toSummary } from "../runs/read.ts";
import { LinkSecret } from "./signIn.ts";

const MOST_LINKS = 100;
const MOST_POINTS = 600;

/** What a link shows: a model as it is drawn now, a run with its curves, or some of a run's curves. */
export const CreateShare = z.strictObject({
  what: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("model"), modelId: Id }),
    z.strictObject({ kind: z.literal("run"), runId: Id }),
    z.strictObject({ kind: z.literal("chart"), runId: Id, keys: z.array(z.string().min(1).max(120)).min(1).max(12) }),
  ]),
  mayFork: z.boolean(),
  days: z.int().min(1).max(366).nullable(),
});
export const ShareOf = z.union([z.strictObject({ modelId: Id }), z.strictObject({ runId: Id })]);
export const OpenShare = z.strictObject({ secret: LinkSecret });

/** Makes a link. Its secret is returned once. @throws AppError NOT_FOUND, RATE_LIMITED, CONFIG_RANGE */
export async function createShare({ db, system, origin }: Context, who: Session, { what, mayFork, days }: z.infer<typeof CreateShare>): Promise<{ linkId: string; url: string }> {
  const orgId = who.org.id;
  if (what.kind === "model") {
    if ((await db.model.count({ where: { id: what.modelId, orgId, deletedAt: null } })) === 0) throw notFound("model");
  } else if ((await db.run.count({ where: { id: what.runId, orgId } })) === 0) throw notFound("run");
  if (what.kind === "chart" && mayFork)
    throw new AppError("CONFIG_RANGE", say("A chart holds no model to take a copy of: share the run instead."), { details: { field: "mayFork" } });
  if ((await system.shareLink.count({ where: { orgId } })) >= MOST_LINKS)
    throw new AppError("RATE_LIMITED", say("{MOST_LINKS} links are shared, as many as may: revoke one first.", { MOST_LINKS }));
  const secret = makeSecret();
  const { kind } = what;
  const { id } = await system.shareLink.create({
    data: {
      orgId,
      kind,
      ...(kind === "model" ? { modelId: what.modelId } : { runId: what.runId }),
      keys: kind === "chart" ? what.keys : [],
      mayFork,
      createdBy: who.user.id,
      tokenHash: hashSecret(secret),
      expiresAt: days === null ? null : new Date(Date.now() + days * 86_400_000),
    },
    select: { id: true },
  });
  return { linkId: id, url: `${origin}/shared/${secret}` };
}

/** The links to one thing. Their secrets are nowhere any more. */
export async function listShares(db: Database, orgId: string, of: z.infer<typeof ShareOf>) {
  const rows = await db.shareLink.findMany({
    where: { orgId, ...of },
    orderBy: { createdAt: "desc" },
    select: { id: true, kind: true, keys: true, mayFork: true, createdAt: true, expiresAt: true },
  });
  return rows.map(({ createdAt, expiresAt, ...row }) => ({
    ...row,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    isOver: expiresAt !== null && expiresAt < new Date(),
  }));
}

export async function revokeShare(db: Database, orgId: string, id: string): Promise<void> {
  const { count } = await db.shareLink.deleteMany({ where: { id, orgId } });
  if (count === 0) throw notFound("link");
}

async function findShare(system: Database, secret: string) {
  const found = await system.shareLink.findUnique({
    where: { tokenHash: hashSecret(secret), OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] },
    select: { orgId: true, kind: true, modelId: true, runId: true, keys: true, mayFork: true },
  });
  if (!found) throw new AppError("LINK_OVER", say("This link was revoked, or is over: ask for a new one."));
  return found;
}

/** What a link shows to whoever holds it, read behind the wall of the organization that shares it. No names of people, no data, no files. @throws AppError LINK_OVER */
export async function openShare({ system }: Pick<Context, "system">, { secret }: z.infer<typeof OpenShare>) {
  const share = await findShare(system, secret);
  const db = walled(system, share.orgId);
  const { orgId, mayFork } = share;
  if (share.kind === "model") {
    const model = await db.model.findUnique({ where: { id: share.modelId ?? "", orgId, deletedAt: null }, select: { name: true, graph: true, updatedAt: true } });
    if (!model) throw new AppError("LINK_OVER", say("What this link showed has been deleted."));
    return { kind: "model" as const, mayFork, name: model.name, graph: keptGraph(model.graph), changedAt: model.updatedAt.toISOString() };
  }
  const row = await db.run.findUnique({ where: { id: share.runId ?? "", orgId, deletedAt: null }, select: { ...summaryFields, modelVersion: { select: { graph: true } } } });
  if (!row) throw new AppError("LINK_OVER", say("What this link showed has been deleted."));
  const { modelName, number, datasetName, status, epoch, epochs, step, totalSteps, elapsedMs, summary, startedAt, endedAt } = toSummary(row);
  const series = await queryMetrics(db, { id: row.id, orgId }, { ...(share.kind === "chart" ? { keys: share.keys } : {}), maxPoints: MOST_POINTS });
  const head = { mayFork, name: modelName, number, status, epoch, epochs, step, totalSteps, series };
  if (share.kind === "chart") return { kind: "chart" as const, ...head };
  return { kind: "run" as const, ...head, datasetName, elapsedMs, summary, startedAt, endedAt, graph: keptGraph(row.modelVersion.graph) };
}

/** Takes a copy of what a link shows into one's own organization: the drawing, not its weights or data. @throws AppError LINK_OVER, FORBIDDEN */
export async function forkShare({ db, system, orgId }: Pick<Context, "db" | "system"> & { orgId: string }, { secret }: z.infer<typeof OpenShare>): Promise<{ modelId: string }> {
  const shown = await openShare({ system }, { secret });
  if (!shown.mayFork || shown.kind === "chart") throw new AppError("FORBIDDEN", say("This link shows, and lets nobody take a copy."));
  return { modelId: await placeModel(db, orgId, { name: `${shown.name.slice(0, 110)} (copy)`, graph: shown.graph, startWeights: null }) };
}
