import { z } from "zod";
import { Graph } from "../../core/graph/document.ts";
import { nameOfNode } from "../../core/graph/find.ts";
import { RunKnob } from "../../core/training/knobs.ts";
import type { RunMark } from "../../core/training/marks.ts";
import { Prisma } from "../../prisma/generated/client.ts";
import type { Database, Tx } from "../database/client.ts";
import { type AfterLoss, afterLoss, type Loss } from "./loss.ts";
import type { ProcessIdentity } from "./process.ts";

/**
 * The run row is the queue. A claim raises `leaseToken`, and every later write names the token it was claimed with; taking a run away
 * raises it again. So whoever writes with an old token is refused by the database, however long it slept.
 * All times are the database's own: a machine whose clock is wrong steals nothing.
 */
export type Lease = { runId: string; orgId: string; token: number };

/** `host pid start`, as kept with the run: by it an agent finds its trainers again after a restart. */
export type Owner = { agent: string; process: ProcessIdentity };

function ownerText({ agent, process }: Owner): string {
  return `${agent} ${process.pid} ${process.startTicks}`;
}

export function readOwner(text: string): Owner | null {
  const [agent, pid, startTicks] = text.split(" ");
  return agent && Number.isInteger(Number(pid)) && startTicks ? { agent, process: { pid: Number(pid), startTicks } } : null;
}

/** When a lease given now runs out, by the database's clock. */
export const until = (leaseMs: number) => Prisma.sql`clock_timestamp() + ${leaseMs} * interval '1 millisecond'`;

/**
 * Takes the oldest queued run for a trainer, or null where there is none, this agent trains `maxRuns` already, or it is being drained.
 * Runs of organizations that train as many as they may keep their place. Claims come one after the other, so that no two together exceed a number.
 */
export async function claimRun(
  db: Database,
  owner: Owner,
  { leaseMs, maxRuns, maxRunning = 10_000 }: { leaseMs: number; maxRuns: number /** Of one organization, where it has no number of its own. */; maxRunning?: number },
): Promise<Lease | null> {
  const [, rows] = await db.$transaction([
    // Before the statement that counts: it must see what the claim before it did.
    db.$executeRaw`SELECT pg_advisory_xact_lock(7316552)`,
    db.$queryRaw<Lease[]>`
    WITH "next" AS (
      SELECT "id" FROM "Run"
      WHERE "status" = 'queued' AND NOT EXISTS (SELECT 1 FROM "Agent" WHERE "name" = ${owner.agent} AND "draining")
        AND (SELECT count(*) FROM "Run" AS "busy" WHERE "busy"."orgId" = "Run"."orgId" AND "busy"."status" = 'running')
          < (SELECT coalesce("maxRunning", ${maxRunning}) FROM "Organization" WHERE "id" = "Run"."orgId")
        AND (SELECT count(*) FROM "Run" WHERE "status" = 'running' AND split_part("owner", ' ', 1) = ${owner.agent}) < ${maxRuns}
      ORDER BY "createdAt", "id" LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE "Run" AS "run"
    SET "status" = 'running', "leaseToken" = "leaseToken" + 1, "leaseUntil" = ${until(leaseMs)}, "owner" = ${ownerText(owner)},
      "attempts" = "attempts" + 1, "flushed" = 0, "startedAt" = coalesce("startedAt", now())
    FROM "next" WHERE "run"."id" = "next"."id"
    RETURNING "run"."id" AS "runId", "run"."orgId", "run"."leaseToken" AS "token"`,
  ]);
  return rows[0] ?? null;
}

/** Takes a run that has ended but whose exports nobody finishes. One whose holder is silent is taken away from it first, which counts how often. */
export async function claimExports(db: Database, owner: Owner, { leaseMs }: { leaseMs: number }): Promise<Lease | null> {
  const rows = await db.$queryRaw<Lease[]>`
    WITH "next" AS (
      SELECT "id" FROM "Run" WHERE "status" IN ('finished', 'cancelled') AND "leaseUntil" < clock_timestamp() AND "owner" IS NULL
      ORDER BY "leaseUntil" LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE "Run" AS "run"
    SET "leaseToken" = "leaseToken" + 1, "leaseUntil" = ${until(leaseMs)}, "owner" = ${ownerText(owner)}, "attempts" = "attempts" + 1, "flushed" = 0
    FROM "next" WHERE "run"."id" = "next"."id"
    RETURNING "run"."id" AS "runId", "run"."orgId", "run"."leaseToken" AS "token"`;
  return rows[0] ?? null;
}

/** What people want of a run that trains. `knobs` are those that wait to take hold. */
export const Wishes = z.object({ cancelRequested: z.boolean(), pauseRequested: z.boolean(), knobs: z.array(RunKnob) });
export type Wishes = z.infer<typeof Wishes>;

/** The columns of a run's row that say its wishes. */
export const wishes = Prisma.sql`"cancelRequestedAt" IS NOT NULL AS "cancelRequested", "pauseRequestedAt" IS NOT NULL AS "pauseRequested",
  CASE WHEN "knobs" = '[]' THEN '[]' ELSE (SELECT coalesce(jsonb_agg("knob" ORDER BY "at"), '[]') FROM jsonb_array_elements("knobs") WITH ORDINALITY AS "each"("knob", "at") WHERE "knob" -> 'step' = 'null') END AS "knobs"`;

/** Lengthens a lease. Null where it is over. */
export async function renewLease(db: Database, { runId, token }: Lease, leaseMs: number): Promise<Wishes | null> {
  const rows = await db.$queryRaw<unknown[]>`
    UPDATE "Run" SET "leaseUntil" = ${until(leaseMs)} WHERE "id" = ${runId}::uuid AND "leaseToken" = ${token} AND "leaseUntil" IS NOT NULL RETURNING ${wishes}`;
  return rows.length === 0 ? null : Wishes.parse(rows[0]);
}

/** The same question without lengthening anything. */
export async function readLease(db: Database, { runId, token }: Lease): Promise<Wishes | null> {
  const rows = await db.$queryRaw<unknown[]>`SELECT ${wishes} FROM "Run" WHERE "id" = ${runId}::uuid AND "leaseToken" = ${token} AND "leaseUntil" IS NOT NULL`;
  return rows.length === 0 ? null : Wishes.parse(rows[0]);
}

/** The mark of something that befell a run between two trainings: at the checkpoint that it goes on from. */
export const markAtCheckpoint = (kind: RunMark["kind"], text: string) => Prisma.sql`"marks" || jsonb_build_array(jsonb_build_object(
  'step', (SELECT coalesce(max("step"), 0) FROM "Checkpoint" WHERE "Checkpoint"."runId" = "Run"."id"), 'kind', ${kind}::text, 'text', ${text}::text))`;

const PAUSED = markAtCheckpoint("pause", "Paused by hand.");

/** Lays a run aside of its holder's own will, its checkpoint written; marked where that was `byHand`. False where the lease was over, or where it is to end instead. */
export async function pauseLease(db: Database, { runId, token }: Lease, { byHand }: { byHand: boolean }): Promise<boolean> {
  const count = await db.$executeRaw`
    UPDATE "Run" SET "status" = 'paused', "pauseRequestedAt" = NULL, "leaseToken" = "leaseToken" + 1, "leaseUntil" = NULL, "owner" = NULL, "attempts" = 0, "marks" = ${byHand ? PAUSED : Prisma.sql`"marks"`}
    WHERE "id" = ${runId}::uuid AND "leaseToken" = ${token} AND "status" = 'running' AND "cancelRequestedAt" IS NULL`;
  return count === 1;
}

/** Ends the lease of a run that has ended, its exports made or refused. */
export async function releaseLease(db: Database | Tx, { runId, token }: Lease): Promise<void> {
  await db.$executeRaw`UPDATE "Run" SET "leaseUntil" = NULL, "owner" = NULL WHERE "id" = ${runId}::uuid AND "leaseToken" = ${token}`;
}

/**
 * Gives a running run back to the queue of its holder's own will: nothing is counted against it. One that was to end ends here, and one that was
 * to pause does; where its best was to be kept, a lease that is over already lets another trainer make its exports. False where the lease was over.
 */
export async function requeueRun(db: Database, { runId, token }: Lease): Promise<boolean> {
  const count = await db.$executeRaw`
    UPDATE "Run" SET
      "status" = CASE WHEN "cancelRequestedAt" IS NULL AND "pauseRequestedAt" IS NOT NULL THEN 'paused' WHEN "cancelRequestedAt" IS NULL THEN 'queued' WHEN "keepBest" THEN 'finished' ELSE 'cancelled' END::"RunStatus",
      "endedAt" = CASE WHEN "cancelRequestedAt" IS NULL THEN NULL ELSE clock_timestamp() END,
      "leaseToken" = "leaseToken" + 1, "leaseUntil" = CASE WHEN "keepBest" THEN clock_timestamp() END, "owner" = NULL, "attempts" = greatest("attempts" - 1, 0),
      "marks" = CASE WHEN "cancelRequestedAt" IS NULL AND "pauseRequestedAt" IS NOT NULL THEN ${PAUSED} ELSE "marks" END, "pauseRequestedAt" = NULL
    WHERE "id" = ${runId}::uuid AND "leaseToken" = ${token} AND "status" = 'running'`;
  return count === 1;
}

/** A lease that somebody holds, as the agent sees it. */
export type HeldLease = Lease & { owner: string; expired: boolean };

export async function listLeases(db: Database): Promise<HeldLease[]> {
  return db.$queryRaw<HeldLease[]>`
    SELECT "id" AS "runId", "orgId", "leaseToken" AS "token", coalesce("owner", '') AS "owner", "leaseUntil" < clock_timestamp() AS "expired"
    FROM "Run" WHERE "leaseUntil" IS NOT NULL`;
}

/**
 * Takes a run away from a trainer that is lost, and decides what becomes of it. Null where the lease was over, or alive again where
 * `onlyExpired` is asked for: somebody was quicker.
 */
export async function takeAway(db: Database, { runId, token }: Lease, loss: Loss, { onlyExpired = false } = {}): Promise<AfterLoss | null> {
  return db.$transaction(async (tx) => {
    const [run] = await tx.$queryRaw<
      {
        orgId: string;
        status: string;
        cancelRequested: boolean;
        pauseRequested: boolean;
        keepBest: boolean;
        attempts: number;
        crashes: number;
        crashedBefore: boolean;
        step: number;
        graph: unknown;
      }[]
    >`
      SELECT "orgId", "status"::text, "cancelRequestedAt" IS NOT NULL AS "cancelRequested", "pauseRequestedAt" IS NOT NULL AS "pauseRequested", "keepBest", "attempts", "crashes", "step",
        EXISTS (SELECT 1 FROM "Run" AS "other" WHERE "other"."modelVersionId" = "Run"."modelVersionId" AND "other"."id" <> "Run"."id" AND "other"."failure" ->> 'code' = 'ENGINE_CRASHED' AND "other"."crashes" > 0) AS "crashedBefore",
        (SELECT "graph" FROM "ModelVersion" WHERE "id" = "Run"."modelVersionId") AS "graph"
      FROM "Run"
      WHERE "id" = ${runId}::uuid AND "leaseToken" = ${token} AND "leaseUntil" IS NOT NULL AND (NOT ${onlyExpired} OR "leaseUntil" < clock_timestamp())
      FOR UPDATE`;
    if (run === undefined) return null;
    const after = afterLoss(run, loss, (node) => nameOfNode(Graph.parse(run.graph), node));
    const ended = run.status !== "running";
    await tx.$executeRaw`
      INSERT INTO "RunLog" ("orgId", "runId", "at", "level", "message", "leaseToken") VALUES (${run.orgId}::uuid, ${runId}::uuid, clock_timestamp(), 'warn', ${after.sentence}, ${token})`;
    if (ended) {
      // Only its exports were under way. They are claimed again at once, and given up where they keep taking their process with them.
      const again = after.next.status !== "failed" && run.attempts < 3;
      await tx.$executeRaw`
        UPDATE "Run" SET "leaseToken" = "leaseToken" + 1, "owner" = NULL, "leaseUntil" = ${again ? Prisma.sql`clock_timestamp()` : Prisma.sql`NULL`},
          "crashes" = "crashes" + ${after.crashed ? 1 : 0} WHERE "id" = ${runId}::uuid`;
      return after;
    }
    const failure = after.next.status === "failed" ? JSON.stringify(after.next.failure) : null;
    await tx.$executeRaw`
      UPDATE "Run" SET "status" = ${after.next.status}::"RunStatus", "leaseToken" = "leaseToken" + 1, "owner" = NULL,
        "leaseUntil" = CASE WHEN ${after.next.status} = 'finished' THEN clock_timestamp() END,
        "crashes" = "crashes" + ${after.crashed ? 1 : 0}, "failure" = ${failure}::jsonb,
        "endedAt" = CASE WHEN ${after.next.status} IN ('queued', 'paused') THEN NULL ELSE clock_timestamp() END,
        "marks" = CASE WHEN ${after.next.status} = 'paused' THEN ${PAUSED} ELSE "marks" END, "pauseRequestedAt" = NULL
      WHERE "id" = ${runId}::uuid`;
    return after;
  });
}
