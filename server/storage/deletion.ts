import type { Database } from "../database/client.ts";
import { isDatabaseAway } from "../errors.ts";
import type { FileStore } from "./files.ts";

/** Key of an empty object that says that a folder's row is being deleted. Marks lie together, so that few keys need be listed to find them. */
const markOf = (folder: string): string => `deleted/${folder.replace("/", ".")}`;
/** A deletion under way is left alone. */
const settledAfterMs = 60_000;

/**
 * Deletes a row, then the folder that is its own. The folder is marked first: where the process dies in between, or the store is away, `sweepDeleted` does the rest.
 * Folders without a row and without a mark are never touched: they may belong to another database.
 * @throws AppError STORE_AWAY where it cannot be marked: then nothing is deleted
 */
export async function deleteWithFolder(files: FileStore, folder: string, deleteRow: () => Promise<void>): Promise<void> {
  await files.put(markOf(folder), new Uint8Array());
  try {
    await deleteRow();
  } catch (error) {
    // Without an answer the row may be gone or not: the sweep will see.
    if (!isDatabaseAway(error)) await unmark(files, folder);
    throw error;
  }
  // The row is gone, and so is the thing for everybody who asks.
  await files.removeFolder(folder).then(
    () => unmark(files, folder),
    () => {},
  );
}

/** Removes the marked folders whose run or data set is gone, and the marks of those that stayed. Returns what was removed. */
export async function sweepDeleted(db: Database, files: FileStore, now = Date.now()): Promise<string[]> {
  const marks = (await files.list("deleted")).filter(({ modifiedMs }) => now - modifiedMs > settledAfterMs).map(({ key }) => key.slice("deleted/".length).split("."));
  const removed: string[] = [];
  for (const kind of ["runs", "datasets"] as const) {
    const marked = marks.flatMap(([of, id = ""]) => (of === kind ? [id] : []));
    if (marked.length === 0) continue;
    const where = { where: { id: { in: marked } }, select: { id: true } };
    const rows = kind === "runs" ? await db.run.findMany(where) : await db.dataset.findMany(where);
    const kept = new Set(rows.map(({ id }) => id));
    for (const id of marked) {
      const folder = `${kind}/${id}`;
      if (!kept.has(id)) {
        await files.removeFolder(folder);
        removed.push(folder);
      }
      await unmark(files, folder);
    }
  }
  return removed;
}

async function unmark(files: FileStore, folder: string): Promise<void> {
  await files.remove(markOf(folder)).catch(() => {});
}
