import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TrainSpec } from "../../core/training/spec.ts";
import type { Lease } from "../agent/lease.ts";
import type { StoredFile } from "../storage/files.ts";
import { loseLease } from "./exit.ts";
import { keepLease } from "./keep.ts";
import { isStoreAway, untilDatabase } from "./outage.ts";
import type { Bench } from "./train.ts";

/** Beside the checkpoint itself: what the database and the exports want. */
const reserveBytes = 4 << 20;
const lookEveryMs = 500;

/** Where a disk has room for bytes but none for another file, or somebody's share is used up, it cannot be seen from here when that ends. */
const tryAgainMs = 10_000;

/** Whether work failed because the disk, or somebody's share of it, is full: an error of Node's, or the engine's with the system's words in it. */
export function isDiskFull(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || (typeof message === "string" && /No space left on device|Disk quota exceeded/.test(message));
}

/** Free and needed bytes where the next checkpoint would not fit; null where it would. The folder need not be there yet. */
export async function findShortage(folder: string, spec: TrainSpec): Promise<{ freeBytes: number; neededBytes: number } | null> {
  const { bavail, bsize } = await statfs(folder).catch((error: unknown) => {
    if (folder === dirname(folder)) throw error;
    return statfs(dirname(folder));
  });
  const weightBytes = spec.program.weights.reduce((sum, { shape }) => sum + 4 * shape.reduce((product, size) => product * size, 1), 0);
  // Weights, up to three numbers for each in the optimizer, and their averages.
  const neededBytes = (spec.ema ? 5 : 4) * weightBytes + reserveBytes;
  const freeBytes = bavail * bsize;
  return freeBytes < neededBytes ? { freeBytes, neededBytes } : null;
}

/** Adds a line to a run's log. */
export async function say({ db }: Bench, { orgId, runId, token }: Lease, level: "info" | "warn", message: string): Promise<void> {
  await untilDatabase(
    () =>
      db.$executeRaw`INSERT INTO "RunLog" ("orgId", "runId", "at", "level", "message", "leaseToken") VALUES (${orgId}::uuid, ${runId}::uuid, clock_timestamp(), ${level}, ${message}, ${token})`,
  );
}

/** Stores a run's file, waiting for room on the disk, and for the store, for as long as it takes; the run's log says so. The lease has to be kept meanwhile. */
export async function putWhenRoom(bench: Bench, lease: Lease, key: string, content: Uint8Array): Promise<StoredFile> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await bench.files.put(key, content);
    } catch (error) {
      const isAway = isStoreAway(error);
      if ((!isDiskFull(error) && !isAway) || bench.stop.aborted) throw error;
      const why = isAway
        ? "The file store does not answer: what can be taken along from this run is kept once it does."
        : "Disk full: what can be taken along from this run is made once there is room.";
      if (isFirst) await say(bench, lease, "warn", why);
      await sleep(lookEveryMs);
    }
  }
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
  const shortage = await findShortage(folder, spec);
  const what = shortage === null ? "it took no more" : `${mebibytes(shortage.freeBytes)} MiB free, a checkpoint needs ${mebibytes(shortage.neededBytes)} MiB`;
  await say(bench, lease, "warn", `Disk full: ${what}. The run waits and goes on by itself once there is room.`);
  const tryAgainAt = performance.now() + (shortage === null ? tryAgainMs : 0);
  try {
    while ((await findShortage(folder, spec)) !== null || performance.now() < tryAgainAt) {
      if (wish !== null) return wish;
      if (stop.aborted) return "stop";
      await sleep(lookEveryMs);
    }
    await say(bench, lease, "info", "There is room on the disk again: going on.");
    return "room";
  } finally {
    keeping.stop();
  }
}

const mebibytes = (bytes: number): number => Math.ceil(bytes / (1 << 20));
