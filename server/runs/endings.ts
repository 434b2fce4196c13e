import { say } from "../../core/language/say.ts";
import { formatDuration } from "../../core/runs/duration.ts";
import type { Database } from "../database/client.ts";
import type { Mailer } from "../mail.ts";

/** A run of somebody's own that came to its end. */
type Ending = { id: string; number: number; modelName: string; status: "finished" | "cancelled" | "failed"; elapsedMs: number; message: string | null };

/** The person's own runs that ended after a moment, the latest first, and the moment of now to ask with next. Without one: none yet. */
export async function listEndings(db: Database, { orgId, userId }: { orgId: string; userId: string }, since: Date | null): Promise<{ now: string; endings: Ending[] }> {
  const [clock] = await db.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS "now"`;
  const now = clock?.now ?? new Date();
  if (since === null) return { now: now.toISOString(), endings: [] };
  const endings = await db.$queryRaw<Ending[]>`
    SELECT r."id", r."number", m."name" AS "modelName", r."status"::text AS "status", r."elapsedMs", r."failure" ->> 'message' AS "message"
    FROM "Run" r JOIN "Model" m ON m."id" = r."modelId"
    WHERE r."orgId" = ${orgId}::uuid AND r."createdBy" = ${userId}::uuid AND r."endedAt" > ${since} AND r."endedAt" <= ${now} AND r."deletedAt" IS NULL AND r."status" IN ('finished', 'failed')
    ORDER BY r."endedAt" DESC LIMIT 5`;
  return { now: now.toISOString(), endings };
}

/** Runs that ended longer ago are no news any more: a mailer that was away does not tell of last week. */
const NEWS_HOURS = 24;

/**
 * Mails people whose run took at least `afterS` seconds and ended. Each run is told of at most once, by whichever process takes it; only to an
 * address that was confirmed, of somebody who still belongs to the organization. Returns how many mails were handed over.
 *
 * @throws AggregateError where some were refused; the others have gone
 */
export async function mailEndings(db: Database, mailer: Mailer, { afterS, pageUrl }: { afterS: number; pageUrl: string | null }): Promise<number> {
  const rows = await db.$queryRaw<(Ending & { email: string | null; fresh: boolean })[]>`
    WITH "taken" AS (
      UPDATE "Run" SET "mailedAt" = clock_timestamp()
      WHERE "id" IN (SELECT "id" FROM "Run" WHERE "endedAt" IS NOT NULL AND "mailedAt" IS NULL ORDER BY "endedAt" LIMIT 20 FOR UPDATE SKIP LOCKED)
      RETURNING *
    )
    SELECT r."id", r."number", m."name" AS "modelName", r."status"::text AS "status", r."elapsedMs", r."failure" ->> 'message' AS "message",
      CASE WHEN u."emailVerifiedAt" IS NOT NULL AND u."disabledAt" IS NULL AND EXISTS (SELECT 1 FROM "Membership" s WHERE s."orgId" = r."orgId" AND s."userId" = u."id") THEN u."email" END AS "email",
      r."endedAt" > clock_timestamp() - make_interval(hours => ${NEWS_HOURS}::int) AS "fresh"
    FROM "taken" r JOIN "Model" m ON m."id" = r."modelId" JOIN "User" u ON u."id" = r."createdBy"`;
  let sent = 0;
  const refused: unknown[] = [];
  for (const row of rows) {
    if (row.email === null || !row.fresh || row.elapsedMs < afterS * 1000 || row.status === "cancelled") continue;
    try {
      await mailer.send({ to: row.email, ...writeMail(row, pageUrl) });
      sent++;
    } catch (error) {
      // An address that is refused keeps nobody else's mail from going.
      refused.push(error);
    }
  }
  if (refused.length > 0)
    throw new AggregateError(refused, say("{count} of {count2} mails about runs could not be handed over.", { count: refused.length, count2: refused.length + sent }));
  return sent;
}

/** What a mail about a run says. */
function writeMail({ id, number, modelName, status, elapsedMs, message }: Ending, pageUrl: string | null): { subject: string; text: string } {
  const outcome = status === "failed" ? `failed: ${message ?? "no reason was given"}` : `finished after ${formatDuration(elapsedMs)}.`;
  const link = pageUrl === null ? "" : `\n\n${new URL(`/runs/${id}`, pageUrl)}`;
  return {
    subject: say("Run {number} of {modelName} {status, select, failed {failed} other {finished}}", { number, modelName, status }),
    text: say("Run {number} of {modelName} {outcome}{link}\n", { number, modelName, outcome, link }),
  };
}
