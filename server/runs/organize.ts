import { z } from "zod";
import { say } from "../../core/language/say.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { Id } from "../input.ts";
import type { FileStore } from "../storage/files.ts";
import { cancelRun, deleteRun } from "./change.ts";
import { moveRuns } from "./move.ts";

/** How long a run stays in the trash before it is deleted for good, in days. */
export const TRASH_DAYS = 30;

const Tag = z.string().trim().min(1, "A tag needs at least one character.").max(40, "A tag has at most 40 characters.");
const MOST_TAGS = 20;

/** What can be done to many runs at once. */
export const Organize = z.strictObject({
  runIds: z.array(Id).min(1).max(1000),
  action: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("tag"), add: z.array(Tag).max(MOST_TAGS).default([]), remove: z.array(Tag).max(MOST_TAGS).default([]) }),
    z.strictObject({ kind: z.literal("lock"), locked: z.boolean() }),
    z.strictObject({ kind: z.literal("trash") }),
    z.strictObject({ kind: z.literal("restore") }),
    z.strictObject({ kind: z.literal("move"), projectId: Id }),
    z.strictObject({ kind: z.literal("cancel") }),
    z.strictObject({ kind: z.literal("delete") }),
  ]),
});
export type Organize = z.infer<typeof Organize>;

/** How many runs an action changed, and why it left the others as they were. */
type Organized = { changed: number; refused: { runId: string; number: number; reason: string }[] };

/**
 * Does one thing to many runs. Those it may not be done to stay as they are and are named with the reason.
 * @throws AppError NOT_FOUND where one of them is not there: then none is changed
 */
export async function organizeRuns(db: Database, files: FileStore, orgId: string, { runIds, action }: Organize): Promise<Organized> {
  const ids = [...new Set(runIds)];
  const rows = await db.run.findMany({ where: { orgId, id: { in: ids } }, select: { id: true, number: true, status: true, locked: true, tags: true, deletedAt: true } });
  if (rows.length !== ids.length) throw notFound("run");
  const refused: Organized["refused"] = [];
  const allowed = rows.filter((row) => {
    const reason = whyNot(action, row);
    if (reason !== null) refused.push({ runId: row.id, number: row.number, reason });
    return reason === null;
  });
  const changing = { orgId, id: { in: allowed.map(({ id }) => id) } };
  if (action.kind === "cancel" || action.kind === "delete") {
    let changed = 0;
    for (const { id, number } of allowed) {
      try {
        await (action.kind === "cancel" ? cancelRun(db, orgId, id) : deleteRun(db, files, orgId, id));
        changed++;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        refused.push({ runId: id, number, reason: error.message });
      }
    }
    return { changed, refused };
  }
  if (action.kind === "move") return { changed: await moveRuns(db, orgId, changing.id.in, action.projectId), refused };
  if (action.kind === "tag") {
    const { count } = await tagRuns(db, orgId, changing.id.in, action);
    return { changed: count, refused };
  }
  const ended = ["finished", "cancelled", "failed"] as const;
  // What holds now may not hold a moment later: the conditions stand in the statement too.
  const { count } =
    action.kind === "lock"
      ? await db.run.updateMany({ where: { ...changing, deletedAt: null }, data: { locked: action.locked } })
      : action.kind === "trash"
        ? await db.run.updateMany({ where: { ...changing, locked: false, status: { in: [...ended] }, deletedAt: null }, data: { deletedAt: new Date() } })
        : await db.run.updateMany({ where: changing, data: { deletedAt: null } });
  return { changed: count, refused };
}

type Standing = { status: string; locked: boolean; tags: string[]; deletedAt: Date | null };

function whyNot(action: Organize["action"], { status, locked, tags, deletedAt }: Standing): string | null {
  const active = status === "queued" || status === "running" || status === "paused";
  switch (action.kind) {
    case "trash":
    case "move":
    case "delete":
      if (locked) return say("It is locked: unlock it first.");
      return active ? say("It has not ended: cancel it first.") : null;
    case "lock":
      return action.locked && deletedAt !== null ? say("It lies in the trash: restore it first.") : null;
    case "cancel":
      return active ? null : say("It has ended already.");
    case "tag":
      return new Set([...tags.filter((tag) => !action.remove.includes(tag)), ...action.add]).size > MOST_TAGS ? say("A run has at most {MOST_TAGS} tags.", { MOST_TAGS }) : null;
    default:
      return null;
  }
}

async function tagRuns(db: Database, orgId: string, ids: string[], { add, remove }: { add: string[]; remove: string[] }): Promise<{ count: number }> {
  const count = await db.$executeRaw`
    UPDATE "Run" SET "tags" = ARRAY(SELECT DISTINCT "tag" FROM unnest("tags" || ${add}::text[]) AS "tag" WHERE "tag" <> ALL (${remove}::text[]) ORDER BY "tag")
    WHERE "orgId" = ${orgId}::uuid AND "id" = ANY (${ids}::uuid[])`;
  return { count };
}

/** What somebody writes about a run. */
export async function setNotes(db: Database, orgId: string, id: string, notes: string): Promise<void> {
  const { count } = await db.run.updateMany({ where: { id, orgId }, data: { notes } });
  if (count === 0) throw notFound("run");
}

/** Every tag that runs of the organization have, the commonest first. */
export async function listTags(db: Database, orgId: string): Promise<{ tag: string; count: number }[]> {
  return db.$queryRaw`
    SELECT "tag", count(*)::int AS "count" FROM "Run", unnest("tags") AS "tag" WHERE "orgId" = ${orgId}::uuid AND "deletedAt" IS NULL AND "tags" <> '{}' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 200`;
}

/** Deletes for good what has lain in the trash for its time. Returns the ids. */
export async function emptyTrash(db: Database, files: FileStore, { now = new Date() }: { now?: Date } = {}): Promise<string[]> {
  const rows = await db.run.findMany({ where: { deletedAt: { lt: new Date(now.getTime() - TRASH_DAYS * 86_400_000) } }, take: 200, select: { id: true, orgId: true } });
  const gone: string[] = [];
  for (const { id, orgId } of rows) {
    // A run that others wait for stays until they have begun.
    await deleteRun(db, files, orgId, id)
      .then(() => gone.push(id))
      .catch((error: unknown) => {
        if (!(error instanceof AppError)) throw error;
      });
  }
  return gone;
}
