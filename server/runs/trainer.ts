import type { Database } from "../database/client.ts";
import { notFound } from "../errors.ts";

/**
 * For how long nothing was heard of the trainer of a run that trains, ms; null while it gives its signs as it should, and where no trainer has the run.
 * A lease is renewed three times in its time: one that was missed is silence, long before the run is taken away.
 *
 * @throws AppError NOT_FOUND
 */
export async function readTrainer(db: Database, orgId: string, runId: string, leaseMs: number): Promise<{ silentMs: number | null }> {
  const [row] = await db.$queryRaw<{ silentMs: number | null }[]>`
    SELECT CASE WHEN "status" = 'running' THEN ${leaseMs}::float8 - extract(epoch FROM "leaseUntil" - clock_timestamp())::float8 * 1000 END AS "silentMs"
    FROM "Run" WHERE "id" = ${runId}::uuid AND "orgId" = ${orgId}::uuid`;
  if (!row) throw notFound("run");
  return { silentMs: row.silentMs !== null && row.silentMs > leaseMs / 2 ? Math.round(row.silentMs) : null };
}
