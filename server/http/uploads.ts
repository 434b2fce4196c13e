import { randomUUID } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { ONNX_LIMITS } from "../../core/import/onnx-proto.ts";
import { type Context, requireRole } from "../auth/procedure.ts";
import { AppError } from "../errors.ts";
import type { FileStore } from "../storage/files.ts";

/** Where a browser sends a file's bytes, as they are, before it says what is to be done with them. */
export const UPLOAD_PATH = "/api/uploads";

const limits = { fileBytes: ONNX_LIMITS.fileBytes, waitingBytes: 2 * 2 ** 30, keepMs: 60 * 60_000, idleMs: 30_000 };

/** Storage key of an upload. It names the organization, so that an id of another's leads nowhere. */
export const uploadKey = (orgId: string, uploadId: string): string => `uploads/${orgId}/${uploadId}`;

/**
 * Takes a file of up to 512 MiB into the store and answers `{ uploadId, sizeBytes }`. Nothing looks inside it here. What nobody asks
 * for within an hour is removed.
 * @throws AppError UNAUTHENTICATED, FORBIDDEN, UPLOAD_TOO_LARGE, UPLOADS_FULL
 */
export async function receiveUpload(context: Pick<Context, "session" | "files">, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const who = await requireRole(context, "member");
  const { files } = context;
  const announced = Number(req.headers["content-length"] ?? 0);
  if (announced > limits.fileBytes) throw tooLarge();
  const waiting = await sweep(files, who.org.id);
  if (waiting + announced > limits.waitingBytes) throw new AppError("UPLOADS_FULL", "Too many uploaded files wait to be read: import them first, or try again in an hour.");
  const uploadId = randomUUID();
  req.setTimeout(limits.idleMs, () => req.destroy());
  const { sizeBytes } = await files.put(uploadKey(who.org.id, uploadId), bounded(req));
  res.writeHead(201, { "Content-Type": "application/json; charset=utf-8", "Cache-Control": "private, no-store" });
  res.end(JSON.stringify({ uploadId, sizeBytes }));
}

async function* bounded(req: IncomingMessage): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const part of req) {
    const bytes: Uint8Array = part;
    sizeBytes += bytes.length;
    if (sizeBytes > limits.fileBytes) throw tooLarge();
    yield bytes;
  }
}

function tooLarge(): AppError {
  return new AppError("UPLOAD_TOO_LARGE", `A file may have up to ${limits.fileBytes / 2 ** 20} MiB.`, { details: { limit: limits.fileBytes } });
}

/** Removes what has waited too long and gives the bytes of the rest. */
async function sweep(files: FileStore, orgId: string): Promise<number> {
  const folder = dirname(files.path(uploadKey(orgId, "x")));
  let waiting = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const file = join(folder, name);
    const found = await stat(file).catch(() => null);
    if (found === null) continue;
    if (Date.now() - found.mtimeMs > limits.keepMs) await rm(file, { force: true });
    else waiting += found.size;
  }
  return waiting;
}
