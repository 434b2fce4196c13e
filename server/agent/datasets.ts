import type { Database } from "../database/client.ts";
import { ingestInChild } from "../ingest/child.ts";
import { hashManifest } from "../ingest/write.ts";
import type { Log } from "../log.ts";

type Claim = { id: string; orgId: string; builtin: string; token: number };

const attemptLimit = 3;

/**
 * Takes one data set that waits, or whose reader is gone, has it decoded in a process of its own and records what came of it.
 * False where none waits. The claim is fenced as a run's is.
 */
export async function ingestNext(options: { db: Database; root: string; leaseMs: number; log: Log; signal: AbortSignal }): Promise<boolean> {
  const { db, root, leaseMs, log, signal } = options;
  const claim = await claimDataset(db, leaseMs);
  if (claim === null) return false;
  const started = performance.now();
  const renewal = setInterval(() => {
    void db.$executeRaw`UPDATE "Dataset" SET "leaseUntil" = clock_timestamp() + ${leaseMs} * interval '1 millisecond' WHERE "id" = ${claim.id}::uuid AND "leaseToken" = ${claim.token} AND "status" = 'ingesting'`.catch(
      () => {},
    );
  }, leaseMs / 3);
  try {
    const answer = await ingestInChild({ root, datasetId: claim.id, builtin: claim.builtin }, signal);
    if (signal.aborted) {
      await db.$executeRaw`UPDATE "Dataset" SET "status" = 'queued', "leaseUntil" = NULL, "attempts" = "attempts" - 1 WHERE "id" = ${claim.id}::uuid AND "leaseToken" = ${claim.token} AND "status" = 'ingesting'`;
    } else if (answer.ok) {
      await db.$executeRaw`
        UPDATE "Dataset" SET "status" = 'ready', "manifest" = ${JSON.stringify(answer.manifest)}::jsonb, "manifestHash" = ${hashManifest(answer.manifest)},
          "sizeBytes" = ${answer.sizeBytes}, "failure" = NULL, "leaseUntil" = NULL
        WHERE "id" = ${claim.id}::uuid AND "leaseToken" = ${claim.token} AND "status" = 'ingesting'`;
    } else {
      await db.$executeRaw`
        UPDATE "Dataset" SET "status" = 'failed', "failure" = ${JSON.stringify(answer.failure)}::jsonb, "leaseUntil" = NULL
        WHERE "id" = ${claim.id}::uuid AND "leaseToken" = ${claim.token} AND "status" = 'ingesting'`;
    }
    log.info({ datasetId: claim.id, builtin: claim.builtin, ok: answer.ok, ms: Math.round(performance.now() - started) }, "data set read");
  } finally {
    clearInterval(renewal);
  }
  return true;
}

async function claimDataset(db: Database, leaseMs: number): Promise<Claim | null> {
  await db.$executeRaw`
    UPDATE "Dataset" SET "status" = 'failed', "leaseUntil" = NULL, "leaseToken" = "leaseToken" + 1,
      "failure" = jsonb_build_object('code', 'INGEST_STOPPED', 'message', 'Reading this data set took its process down three times.')
    WHERE "status" = 'ingesting' AND "leaseUntil" < clock_timestamp() AND "attempts" >= ${attemptLimit}`;
  const rows = await db.$queryRaw<Claim[]>`
    WITH "next" AS (
      SELECT "id" FROM "Dataset" WHERE "builtin" IS NOT NULL AND ("status" = 'queued' OR ("status" = 'ingesting' AND "leaseUntil" < clock_timestamp()))
      ORDER BY "createdAt", "id" LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE "Dataset" AS "set" SET "status" = 'ingesting', "leaseToken" = "leaseToken" + 1, "attempts" = "attempts" + 1, "leaseUntil" = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    FROM "next" WHERE "set"."id" = "next"."id" RETURNING "set"."id", "set"."orgId", "set"."builtin", "set"."leaseToken" AS "token"`;
  return rows[0] ?? null;
}
