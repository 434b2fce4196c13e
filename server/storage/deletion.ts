import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Database } from "../database/client.ts";
import { isDatabaseAway } from "../errors.ts";
import type { FileStore } from "./files.ts";

/** An empty file in a folder whose row is being deleted. */
const MARK = "deleted";
/** A deletion under way is left alone. */
const settledAfterMs = 60_000;

/**
 * Deletes a row, then the folder that is its own. The folder is marked first: where the process dies in between, `sweepDeleted` does the rest.
 * Folders without a row and without a mark are never touched: they may belong to another database.
 */
export async function deleteWithFolder(files: FileStore, folder: string, deleteRow: () => Promise<void>): Promise<void> {
  await files.put(`${folder}/${MARK}`, new Uint8Array());
  try {
    await deleteRow();
  } catch (error) {
    // Without an answer the row may be gone or not: the sweep will see.
    if (!isDatabaseAway(error)) await unmark(files, folder);
    throw error;
  }
  await files.removeFolder(folder);
}

/** Removes the marked folders whose run or data set is gone, and the marks of those that stayed. Returns what was removed. */
export async function sweepDeleted(db: Database, files: FileStore, now = Date.now()): Promise<string[]> {
  const removed: string[] = [];
  for (const kind of ["runs", "datasets"] as const) {
    const marked: string[] = [];
    for (const id of await readdir(dirname(files.path(`${kind}/any`))).catch(() => [])) {
      const mark = await stat(files.path(`${kind}/${id}/${MARK}`)).catch(() => null);
      if (mark !== null && now - mark.mtimeMs > settledAfterMs) marked.push(id);
    }
    if (marked.length === 0) continue;
    const where = { where: { id: { in: marked } }, select: { id: true } };
    const rows = kind === "runs" ? await db.run.findMany(where) : await db.dataset.findMany(where);
    const kept = new Set(rows.map(({ id }) => id));
    for (const id of marked) {
      const folder = `${kind}/${id}`;
      if (kept.has(id)) await unmark(files, folder);
      else {
        await files.removeFolder(folder);
        removed.push(folder);
      }
    }
  }
  return removed;
}

async function unmark(files: FileStore, folder: string): Promise<void> {
  await files.remove(join(folder, MARK)).catch(() => {});
}
