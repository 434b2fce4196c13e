import { say } from "../../core/language/say.ts";
import { Prisma } from "../../prisma/generated/client.ts";
import { markAtCheckpoint } from "../agent/lease.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { deleteWithFolder } from "../storage/deletion.ts";
import type { FileStore } from "../storage/files.ts";
import { lockQueue, requireRoom } from "./start.ts";

/** What the mark of a run says that was stopped to keep its best. */
export const STOPPED = "Stopped by hand; the best checkpoint is kept.";

/**
 * Takes a queued run out of the queue at once, and ends a paused one, whose exports are then made; asks a running one's trainer to stop after its
 * present step. Asking twice is the same as once.
 */
export async function cancelRun(db: Database, orgId: string, id: string): Promise<void> {
  const cancelRequestedAt = new Date();
  // A run that is just being claimed, or given back, changes sides between the two questions: so they are asked again.
  for (let turn = 0; turn < 5; turn++) {
    const queued = await db.run.updateMany({
      where: { id, orgId, status: "queued" },
      data: { status: "cancelled", cancelRequestedAt, endedAt: cancelRequestedAt },
    });
    if (queued.count === 1) return;
    if (await endPaused(db, orgId, id, { keepBest: false })) return;
    const running = await db.run.updateMany({
      where: { id, orgId, status: "running", cancelRequestedAt: null },
      data: { cancelRequestedAt },
    });
    if (running.count === 1) return;
    const found = await db.run.findUnique({ where: { id, orgId }, select: { status: true, cancelRequestedAt: true } });
    if (!found) throw notFound("run");
    if (found.status === "cancelled" || (found.status === "running" && found.cancelRequestedAt !== null)) return;
    if (found.status === "finished" || found.status === "failed") throw new AppError("RUN_ENDED", say("This run has already {status}.", { status: found.status }));
  }
  throw new AppError("RUN_ACTIVE", say("This run is changing hands just now: try again."));
}

/** Ends a run that nobody trains; a lease that is over already lets a trainer make its exports. False where it is not paused. */
async function endPaused(db: Database, orgId: string, id: string, { keepBest }: { keepBest: boolean }): Promise<boolean> {
  const count = await db.$executeRaw`
    UPDATE "Run" SET "status" = ${keepBest ? "finished" : "cancelled"}::"RunStatus", "keepBest" = ${keepBest}, "cancelRequestedAt" = clock_timestamp(), "endedAt" = clock_timestamp(),
      "leaseUntil" = clock_timestamp(), "marks" = ${keepBest ? markAtCheckpoint("stop", STOPPED) : Prisma.sql`"marks"`}
    WHERE "id" = ${id}::uuid AND "orgId" = ${orgId}::uuid AND "status" = 'paused'`;
  return count === 1;
}

/**
 * Lays a run aside: a queued one at once, a running one after its present step, with a checkpoint. Asking twice is the same as once.
 * @throws AppError RUN_ACTIVE, RUN_ENDED
 */
export async function pauseRun(db: Database, orgId: string, id: string): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    const queued = await db.run.updateMany({ where: { id, orgId, status: "queued" }, data: { status: "paused", pauseRequestedAt: null } });
    if (queued.count === 1) return;
    const running = await db.run.updateMany({ where: { id, orgId, status: "running", cancelRequestedAt: null, pauseRequestedAt: null }, data: { pauseRequestedAt: new Date() } });
    if (running.count === 1) return;
    const found = await db.run.findUnique({ where: { id, orgId }, select: { status: true, cancelRequestedAt: true, pauseRequestedAt: true } });
    if (!found) throw notFound("run");
    if (found.status === "paused" || (found.status === "running" && found.pauseRequestedAt !== null)) return;
    if (found.status === "running" && found.cancelRequestedAt !== null) throw new AppError("RUN_ACTIVE", say("This run is being stopped already."));
    if (found.status !== "running" && found.status !== "queued")
      throw new AppError("RUN_ENDED", say("This run has already {been}.", { been: found.status === "cancelled" ? say("been cancelled") : found.status }));
  }
  throw new AppError("RUN_ACTIVE", say("This run is changing hands just now: try again."));
}

/**
 * Asks a running run's trainer to end it finished after its present step, with its best checkpoint exported; a paused one ends so at once. Asking
 * twice is the same as once.
 * @throws AppError RUN_ACTIVE, RUN_ENDED, NO_CHECKPOINT
 */
export async function stopRun(db: Database, orgId: string, id: string): Promise<void> {
  const asked = await db.run.updateMany({ where: { id, orgId, status: "running", cancelRequestedAt: null }, data: { cancelRequestedAt: new Date(), keepBest: true } });
  if (asked.count === 1) return;
  const found = await db.run.findUnique({ where: { id, orgId }, select: { status: true, _count: { select: { checkpoints: true } } } });
  if (!found) throw notFound("run");
  if (found.status === "paused") {
    if (found._count.checkpoints === 0)
      throw new AppError("NO_CHECKPOINT", say("This run was paused before its first checkpoint, so there is nothing to keep: resume it, or cancel it."));
    await endPaused(db, orgId, id, { keepBest: true });
    return;
  }
  if (found.status === "queued") throw new AppError("RUN_ACTIVE", say("This run is waiting for its turn, so there is nothing to stop: cancel it, or wait until it trains."));
  if (found.status !== "running")
    throw new AppError("RUN_ENDED", say("This run has already {been}.", { been: found.status === "cancelled" ? say("been cancelled") : found.status }));
}

/** Puts a paused, cancelled or failed run back into the queue; its next trainer goes on from the last checkpoint. */
export async function resumeRun(db: Database, config: Config, orgId: string, id: string): Promise<void> {
  await db.$transaction(async (tx) => {
    await lockQueue(tx, orgId);
    const run = await tx.run.findUnique({
      where: { id, orgId },
      select: { status: true, step: true, deletedAt: true, _count: { select: { checkpoints: true } } },
    });
    if (!run) throw notFound("run");
    if (run.deletedAt !== null) throw new AppError("RUN_ENDED", say("This run lies in the trash: restore it first."));
    if (run.status === "queued" || run.status === "running") throw new AppError("RUN_ACTIVE", say("This run is {status} already.", { status: run.status }));
    if (run.status === "finished") throw new AppError("RUN_ENDED", say("This run has finished: start a new one, or fork it from a checkpoint."));
    if (run._count.checkpoints === 0 && run.step > 0 && run.status !== "paused")
      throw new AppError("NO_CHECKPOINT", say("This run ended before its first checkpoint, so there is nothing to go on from: start a new one."));
    await requireRoom(tx, config, orgId);
    await tx.$executeRaw`
      UPDATE "Run" SET "status" = 'queued', "failure" = NULL, "endedAt" = NULL, "mailedAt" = NULL, "cancelRequestedAt" = NULL, "pauseRequestedAt" = NULL, "attempts" = 0, "crashes" = 0,
        "leaseUntil" = NULL, "owner" = NULL, "leaseToken" = "leaseToken" + 1, "marks" = ${run.step > 0 ? markAtCheckpoint("resume", say("Resumed by hand.")) : Prisma.sql`"marks"`}
      WHERE "id" = ${id}::uuid AND "orgId" = ${orgId}::uuid AND "status" = ${run.status}::"RunStatus"`;
  });
}

/** Removes a run that has ended, with its metrics, log, checkpoints and files. */
export async function deleteRun(db: Database, files: FileStore, orgId: string, id: string): Promise<void> {
  // Whose it is comes first: a mark is put into no folder of somebody else's.
  if ((await db.run.count({ where: { id, orgId } })) === 0) throw notFound("run");
  await deleteWithFolder(files, `runs/${id}`, () => deleteRow(db, orgId, id));
}

async function deleteRow(db: Database, orgId: string, id: string): Promise<void> {
  await db.$transaction(async (tx) => {
    const run = await tx.run.findUnique({ where: { id, orgId }, select: { status: true, locked: true } });
    if (!run) throw notFound("run");
    if (run.locked) throw new AppError("RUN_LOCKED", say("This run is locked: unlock it first."));
    if (run.status === "queued" || run.status === "running" || run.status === "paused") throw new AppError("RUN_ACTIVE", say("This run has not ended: cancel it first."));
    const ofThisRun = { orgId, startCheckpoint: { runId: id, orgId } };
    const waiting = await tx.run.count({ where: { ...ofThisRun, status: { in: ["queued", "running", "paused"] } } });
    if (waiting > 0) throw new AppError("IN_USE", say("{waiting} runs that begin with this run's weights have not ended: cancel them or wait for them.", { waiting }));
    await tx.run.updateMany({ where: ofThisRun, data: { startCheckpointId: null } });
    // Only if it still has ended: a resume may have come between.
    const { count } = await tx.run.deleteMany({ where: { id, orgId, status: run.status, locked: false } });
    if (count === 0) throw new AppError("RUN_ACTIVE", say("This run has just been resumed or locked."));
  });
}
