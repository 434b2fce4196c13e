import { z } from "zod";
import type { Context } from "../auth/procedure.ts";
import type { Session } from "../auth/session.ts";
import type { Tx } from "../database/client.ts";

/**
 * The trail: who changed what, when. Every change of an organization's procedures is written down by itself (server/auth/procedure.ts), but for
 * those named here, which come by the hundred or change nothing that outlives a minute.
 */
export const quiet: ReadonlySet<string> = new Set([
  "models.push",
  "models.point",
  "preview.evaluate",
  "models.saveSettings",
  "datasets.inspectTable",
  "datasets.inspectText",
  "datasets.inspectPictures",
  "datasets.inspectArrays",
  "runs.measure",
  "tuning.measure",
  "runs.findLr",
  "runs.findBatch",
]);

/** What an input calls the thing it is about, the most particular first. */
const subjects = ["memberId", "invitationId", "tokenId", "linkId", "checkpointId", "runId", "modelId", "datasetId", "projectId", "id"];
/** Words of an input that may be told: names, roles, addresses. Never what is secret, and never much. */
const tellable = ["name", "email", "role", "scope", "kind"];

const isId = (value: unknown): value is string => typeof value === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
const fieldsOf = (value: unknown): { [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as { [key: string]: unknown }) : {};

/** Writes down that somebody did something. What was done stays done where writing fails; the log then says so. */
export async function recordTrail({ db, log, requestId }: Pick<Context, "db" | "log" | "requestId">, who: Session, action: string, input: unknown, result: unknown): Promise<void> {
  if (quiet.has(action)) return;
  const [asked, made] = [fieldsOf(input), fieldsOf(result)];
  const subjectId = subjects.map((name) => asked[name]).find(isId) ?? subjects.map((name) => made[name]).find(isId) ?? null;
  const details = Object.fromEntries(tellable.flatMap((name) => (typeof asked[name] === "string" ? [[name, asked[name].slice(0, 120)]] : [])));
  try {
    await db.trailEvent.createMany({
      data: [{ orgId: who.org.id, userId: who.user.id, userName: who.user.name, action, subjectId, details, byToken: who.scope !== null, requestId }],
    });
  } catch (error) {
    log.error({ requestId, action, error }, "The trail could not be written.");
  }
}

/** What concerns people and keys rather than work is for those who look after the organization. */
const nouns = ["organization", "shares", "operator"];

/**
 * A page of the trail, newest first, with the names that things have now; null where one is gone. `next` is the cursor of the following page.
 * `activity` leaves out what concerns people, keys and links.
 */
export async function readTrail(db: Tx, orgId: string, kind: "activity" | "audit", { cursor, limit }: { cursor?: string; limit: number }) {
  const rows = await db.trailEvent.findMany({
    where: {
      orgId,
      ...(cursor === undefined ? {} : { id: { lt: BigInt(cursor) } }),
      ...(kind === "activity" ? { NOT: nouns.map((noun) => ({ action: { startsWith: `${noun}.` } })) } : {}),
    },
    orderBy: { id: "desc" },
    take: limit + 1,
  });
  const page = rows.slice(0, limit);
  const names = await namesOf(
    db,
    orgId,
    page.flatMap(({ subjectId }) => subjectId ?? []),
  );
  return {
    events: page.map(({ id, at, userName, action, subjectId, details, byToken }) => ({
      id: String(id),
      at: at.toISOString(),
      by: userName,
      byToken,
      action,
      subject: subjectId === null ? null : { id: subjectId, ...(names.get(subjectId) ?? { kind: null, name: null }) },
      details: Details.parse(details),
    })),
    next: rows.length > limit ? String(page.at(-1)?.id) : null,
  };
}

const Details = z.record(z.string(), z.string()).catch({});

type Named = { kind: "model" | "dataset" | "project" | "run" | "person"; name: string };

async function namesOf(db: Tx, orgId: string, ids: string[]): Promise<Map<string, Named>> {
  const where = { orgId, id: { in: ids } };
  const named = { id: true, name: true } as const;
  const [models, datasets, projects, runs, people] = await Promise.all([
    db.model.findMany({ where, select: named }),
    db.dataset.findMany({ where, select: named }),
    db.project.findMany({ where, select: named }),
    db.run.findMany({ where, select: { id: true, number: true, model: { select: { name: true } } } }),
    db.user.findMany({ where: { id: { in: ids }, memberships: { some: { orgId } } }, select: named }),
  ]);
  const of = (kind: Named["kind"]) => (row: { id: string; name: string }) => [row.id, { kind, name: row.name }] as const;
  return new Map([
    ...models.map(of("model")),
    ...datasets.map(of("dataset")),
    ...projects.map(of("project")),
    ...runs.map(({ id, number, model }) => [id, { kind: "run" as const, name: `${model.name}, run ${number}` }] as const),
    ...people.map(of("person")),
  ]);
}
