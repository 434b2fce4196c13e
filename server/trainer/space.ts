import { statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { TrainSpec } from "../../core/training/spec.ts";
import type { Lease } from "../agent/lease.ts";
import { loseLease } from "./exit.ts";
import { keepLease } from "./keep.ts";
import { untilDatabase } from "./outage.ts";
import type { Bench } from "./train.ts";

/** Beside the checkpoint itself: what the database and the exports want. */
const reserveBytes = 4 << 20;
const lookEveryMs = 500;

/** Free and needed bytes where the next checkpoint would not fit; null where it would. */
export async function findShortage(folder: string, spec: TrainSpec): Promise<{ freeBytes: number; neededBytes: number } | null> {
  const { bavail, bsize } = await statfs(folder);
  const weightBytes = spec.program.weights.reduce((sum, { shape }) => sum + 4 * shape.reduce((product, size) => product * size, 1), 0);
  // Weights, up to three numbers for each in the optimizer, and their averages.
  const neededBytes = (spec.ema ? 5 : 4) * weightBytes + reserveBytes;
  const freeBytes = bavail * bsize;
  return freeBytes < neededBytes ? { freeBytes, neededBytes } : null;
}

/**
 * Holds a run, its lease kept, until there is room for its checkpoint. Says so in the run's log.
 * @returns why the waiting ended: there is room, or the run is to stop.
 */
export async function waitForSpace(bench: Bench, lease: Lease, folder: string, spec: TrainSpec): Promise<"room" | "cancel" | "pause" | "stop"> {
  const { db, config, log, stop } = bench;
  let wish = null as "cancel" | "pause" | null;
  const keeping = keepLease(db, lease, config.LEASE_MS, {
    lost: () => loseLease(log, lease),
    asked: ({ cancelRequested, pauseRequested }) => {
      wish = cancelRequested ? "cancel" : pauseRequested ? "pause" : null;
    },
  });
  const say = (level: "info" | "warn", message: string) =>
    untilDatabase(
      () =>
        db.$executeRaw`INSERT INTO "RunLog" ("orgId", "runId", "at", "level", "message", "leaseToken") VALUES (${lease.orgId}::uuid, ${lease.runId}::uuid, clock_timestamp(), ${level}, ${message}, ${lease.token})`,
    );
  const shortage = await findShortage(folder, spec);
  if (shortage !== null)
    await say(
      "warn",
      `Disk full: ${mebibytes(shortage.freeBytes)} MiB free, a checkpoint needs ${mebibytes(shortage.neededBytes)} MiB. The run waits and goes on by itself once there is room.`,
    );
  try {
    while ((await findShortage(folder, spec)) !== null) {
      if (wish !== null) return wish;
      if (stop.aborted) return "stop";
      await sleep(lookEveryMs);
    }
    await say("info", "There is room on the disk again: going on.");
    return "room";
  } finally {
    keeping.stop();
  }
}

const mebibytes = (bytes: number): number => Math.ceil(bytes / (1 << 20));
