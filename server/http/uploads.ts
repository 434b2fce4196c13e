import { createHash, randomUUID } from "node:crypto";
import { open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ONNX_LIMITS } from "../../core/import/onnx-proto.ts";
import { say } from "../../core/language/say.ts";
import type { Context } from "../auth/procedure.ts";
import type { Session } from "../auth/session.ts";
import { AppError, notFound } from "../errors.ts";
import type { FileStore } from "../storage/files.ts";

/** Where a browser sends a file's bytes, as they are, before it says what is to be done with them. */
export const UPLOAD_PATH = "/api/uploads";

const limits = { fileBytes: ONNX_LIMITS.fileBytes, waitingBytes: 2 * 2 ** 30, keepMs: 60 * 60_000, idleMs: 30_000 };

/** Storage key of an upload. It names the organization, so that an id of another's leads nowhere. */
export const uploadKey = (orgId: string, uploadId: string): string => `uploads/${orgId}/${uploadId}`;

/**
 * Takes a file of up to 512 MiB into the store and answers `{ uploadId, sizeBytes }`; with `Upload-Length` and no body it only begins one, whose bytes
 * come in parts. Nothing looks inside it here. What nobody asks for or adds to within an hour is removed.
 * @throws AppError UPLOAD_TOO_LARGE, UPLOADS_FULL
 */
export async function receiveUpload({ files }: Pick<Context, "files">, who: Session, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const inParts = req.headers["upload-length"];
  const announced = Number(inParts ?? req.headers["content-length"] ?? 0);
  if (announced > limits.fileBytes) throw tooLarge();
  const waiting = await sweep(files, who.org.id);
  if (waiting + announced > limits.waitingBytes) throw new AppError("UPLOADS_FULL", say("Too many uploaded files wait to be read: import them first, or try again in an hour."));
  if (inParts !== undefined) return announceUpload(files, who, announced, res);
  const uploadId = randomUUID();
  req.setTimeout(limits.idleMs, () => req.destroy());
  const { sizeBytes } = await files.put(uploadKey(who.org.id, uploadId), bounded(req));
  answer(res, 201, { uploadId, sizeBytes });
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
  return new AppError("UPLOAD_TOO_LARGE", say("A file may have up to {fileBytes} MiB.", { fileBytes: limits.fileBytes / 2 ** 20 }), { details: { limit: limits.fileBytes } });
}

/** A file that comes in parts: who sends it, and how long it is to be. Kept beside its bytes until the last one is there. */
const Announced = z.strictObject({ userId: z.string(), sizeBytes: z.int().min(1).max(limits.fileBytes) });
type Announced = z.infer<typeof Announced>;

/** Uploads that a request is writing to: a second one would mix its bytes in. */
const busy = new Set<string>();

const idOf = (path: string): string | null => /^\/api\/uploads\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(path)?.[1] ?? null;

/** Whether the path is that of an upload in parts. */
export const isUploadPart = (path: string): boolean => idOf(path) !== null;

/** Begins an upload in parts: `Upload-Length` says how long it will be. @throws AppError as `receiveUpload` */
async function announceUpload(files: FileStore, who: Session, sizeBytes: number, res: ServerResponse): Promise<void> {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1) throw new AppError("INPUT_SHAPE", say("Upload-Length must say how many bytes will come: at least one."));
  const uploadId = randomUUID();
  const places = placesOf(files, who.org.id, uploadId);
  const announced: Announced = { userId: who.user.id, sizeBytes };
  await files.put(places.announcedKey, Buffer.from(JSON.stringify(announced)));
  await (await open(places.part, "wx")).close();
  answer(res, 201, { uploadId, sizeBytes, offset: 0 });
}

/**
 * An upload in parts, as the tus protocol has it: HEAD says how much is there, PATCH adds the bytes from `Upload-Offset` on, DELETE gives it up. With
 * `Upload-Checksum: sha256 <base64>` a part counts only whole and unharmed; without, what came before a connection broke is kept.
 * @throws AppError NOT_FOUND, UPLOAD_OFFSET, UPLOAD_CHECKSUM, UPLOAD_TOO_LARGE
 */
export async function continueUpload(context: Pick<Context, "files">, who: Session, req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
  const uploadId = idOf(path) ?? "";
  const places = placesOf(context.files, who.org.id, uploadId);
  const announced = await readAnnounced(places.announced);
  if (announced === null || announced.userId !== who.user.id) throw notFound("upload");
  const offset = async () => (await stat(places.part)).size;
  res.setHeader("Cache-Control", "private, no-store");
  res.setHeader("Upload-Length", announced.sizeBytes);
  if (req.method === "HEAD") {
    res.writeHead(200, { "Upload-Offset": await offset() }).end();
    return;
  }
  if (busy.has(uploadId)) throw new AppError("UPLOAD_OFFSET", say("Another request is sending this file."), { details: { offset: await offset() } });
  busy.add(uploadId);
  try {
    if (req.method === "DELETE") {
      await Promise.all([places.part, places.announced].map((file) => rm(file, { force: true })));
      res.writeHead(204).end();
      return;
    }
    const from = Number(req.headers["upload-offset"]);
    const there = await offset();
    if (from !== there) throw new AppError("UPLOAD_OFFSET", say("The next part begins at byte {there}.", { there }), { details: { offset: there } });
    req.setTimeout(limits.idleMs, () => req.destroy());
    const more = from + Number(req.headers["content-length"] ?? 0);
    // Refused unread: ended in the middle of a part, a connection would break before its answer is there.
    if (more > announced.sizeBytes) throw beyond(announced.sizeBytes);
    await appendPart(places.part, there, announced.sizeBytes, req);
    const now = await offset();
    // Not forgotten while bytes come.
    await utimes(places.announced, new Date(), new Date());
    if (now === announced.sizeBytes) {
      await rename(places.part, places.whole);
      await rm(places.announced, { force: true });
    }
    res.writeHead(204, { "Upload-Offset": now }).end();
  } finally {
    busy.delete(uploadId);
  }
}

async function appendPart(file: string, offset: number, sizeBytes: number, req: IncomingMessage): Promise<void> {
  const checksum = /^sha256 ([A-Za-z0-9+/]{43}=)$/.exec(String(req.headers["upload-checksum"] ?? ""))?.[1];
  if (req.headers["upload-checksum"] !== undefined && checksum === undefined) throw new AppError("INPUT_SHAPE", say("Upload-Checksum must be sha256 and the digest in base64."));
  const hash = createHash("sha256");
  const part = await open(file, "r+");
  let at = offset;
  let isWhole = false;
  try {
    for await (const bytes of req as AsyncIterable<Uint8Array>) {
      if (at + bytes.length > sizeBytes)
        throw new AppError("UPLOAD_TOO_LARGE", say("The file was announced with {sizeBytes} bytes, and more have come.", { sizeBytes }), { details: { limit: sizeBytes } });
      for (let written = 0; written < bytes.length; ) written += (await part.write(bytes, written, bytes.length - written, at + written)).bytesWritten;
      hash.update(bytes);
      at += bytes.length;
    }
    if (checksum !== undefined && hash.digest("base64") !== checksum)
      throw new AppError("UPLOAD_CHECKSUM", say("A part of the file was changed on its way: send it again."), { details: { offset } });
    isWhole = true;
  } finally {
    // Bytes whose checksum never came are not known to be right.
    if (!isWhole && (checksum !== undefined || at > sizeBytes)) await part.truncate(offset);
    await part.sync();
    await part.close();
  }
}

function beyond(sizeBytes: number): AppError {
  return new AppError("UPLOAD_TOO_LARGE", say("The file was announced with {sizeBytes} bytes, and more have come.", { sizeBytes }), { details: { limit: sizeBytes } });
}

function placesOf(files: FileStore, orgId: string, uploadId: string) {
  const announcedKey = `${uploadKey(orgId, uploadId)}.json`;
  return { announcedKey, announced: files.path(announcedKey), part: files.path(`${uploadKey(orgId, uploadId)}.part`), whole: files.path(uploadKey(orgId, uploadId)) };
}

async function readAnnounced(file: string): Promise<Announced | null> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  return text === null ? null : Announced.parse(JSON.parse(text));
}

function answer(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "Content-Type": "application/json; charset=utf-8", "Cache-Control": "private, no-store" });
  res.end(JSON.stringify(body));
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
