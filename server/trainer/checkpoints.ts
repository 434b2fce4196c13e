import type { Lease } from "../agent/lease.ts";
import type { Database, Sender } from "../database/client.ts";
import { Damaged, type FileStore, Gone } from "../storage/files.ts";

/** A checkpoint whose file is there and has the bytes that it was recorded with. */
export type GoodCheckpoint = { id: string; step: number; epoch: number; storageKey: string; isBest: boolean };
type Row = GoodCheckpoint & { sha256: string };

/** Besides the best one and those that other runs start from. */
export const keptLatest = 2;

/** Folder that one lease's checkpoints go to. Each lease has its own, so that a trainer that should be gone overwrites nothing. */
export const checkpointFolder = ({ runId, token }: Pick<Lease, "runId" | "token">): string => `runs/${runId}/lease-${token}`;

/**
 * The latest checkpoint that can be trusted, and the later ones that cannot: file missing, or a bit changed.
 * Null where training has to start from the beginning.
 */
export async function findResumePoint(db: Database, files: FileStore, runId: string): Promise<{ good: GoodCheckpoint | null; damaged: GoodCheckpoint[] }> {
  const rows = await db.$queryRaw<Row[]>`SELECT "id", "step", "epoch", "storageKey", "sha256", "isBest" FROM "Checkpoint" WHERE "runId" = ${runId}::uuid ORDER BY "step" DESC`;
  const damaged: GoodCheckpoint[] = [];
  for (const row of rows) {
    if (await isSound(files, row)) return { good: row, damaged };
    damaged.push(row);
  }
  return { good: null, damaged };
}

/** The best checkpoint of a run, or the latest where none is the best, if its file is sound. */
export async function findBest(db: Database, files: FileStore, runId: string): Promise<GoodCheckpoint | null> {
  const rows = await db.$queryRaw<
    Row[]
  >`SELECT "id", "step", "epoch", "storageKey", "sha256", "isBest" FROM "Checkpoint" WHERE "runId" = ${runId}::uuid ORDER BY "isBest" DESC, "step" DESC`;
  for (const row of rows) if (await isSound(files, row)) return row;
  return null;
}

async function isSound(files: FileStore, { storageKey, sha256 }: Row): Promise<boolean> {
  if (!files.isShared) return (await files.inspect(storageKey))?.sha256 === sha256;
  return files.bring(storageKey, sha256).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Gone || error instanceof Damaged) return false;
      throw error;
    },
  );
}

/**
 * Forgets all but the last two checkpoints, the best one, and those that other runs start from. Returns the keys of files that may be
 * removed once the transaction is through.
 */
export async function pruneCheckpoints(tx: Sender, runId: string): Promise<string[]> {
  const rows = await tx.$queryRaw<{ storageKey: string }[]>`
    DELETE FROM "Checkpoint" AS "old"
    WHERE "runId" = ${runId}::uuid AND NOT "isBest"
      AND "step" < (SELECT min("step") FROM (SELECT "step" FROM "Checkpoint" WHERE "runId" = ${runId}::uuid ORDER BY "step" DESC LIMIT ${keptLatest}) AS "latest")
      AND NOT EXISTS (SELECT 1 FROM "Run" WHERE "startCheckpointId" = "old"."id")
    RETURNING "storageKey"`;
  return rows.map(({ storageKey }) => storageKey);
}

/** Removes files that no row speaks of: what a trainer wrote before it could record it, or was about to remove when it died. */
export async function removeOrphans(db: Database, files: FileStore, runId: string): Promise<void> {
  const rows = await db.$queryRaw<{ storageKey: string }[]>`SELECT "storageKey" FROM "Checkpoint" WHERE "runId" = ${runId}::uuid`;
  const known = new Set(rows.map(({ storageKey }) => storageKey));
  for (const { key } of await files.list(`runs/${runId}`)) if (key.startsWith(`runs/${runId}/lease-`) && !known.has(key)) await files.remove(key);
}
