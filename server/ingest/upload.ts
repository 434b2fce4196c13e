import { say } from "../../core/language/say.ts";
import { AppError, notFound } from "../errors.ts";
import { uploadKey } from "../http/uploads.ts";
import type { FileStore, StoredFile } from "../storage/files.ts";

/** Reading is bounded in memory and time; two at once leave room for everything else on the machine. */
const READERS = 2;
/** More people than this do not wait at once. */
const MOST_WAITING = 20;
let reading = 0;
const waiting: (() => void)[] = [];

/** Does work of the limited process when one of its places is free. */
export async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (reading >= READERS) {
    if (waiting.length >= MOST_WAITING) throw new AppError("UPLOADS_FULL", say("Many files are being read at the moment: try again in a minute."));
    await new Promise<void>((go) => waiting.push(go));
  }
  reading++;
  try {
    return await work();
  } finally {
    reading--;
    waiting.shift()?.();
  }
}

/** What an organization has sent under this id. */
export async function findUpload(files: FileStore, orgId: string, uploadId: string): Promise<StoredFile> {
  const found = await files.inspect(uploadKey(orgId, uploadId));
  if (!found) throw notFound("upload");
  return found;
}

/** The folder of the store, which the limited process opens by itself. */
export function rootOf(files: FileStore): string {
  return files.path("weights/x").slice(0, -"weights/x".length);
}
