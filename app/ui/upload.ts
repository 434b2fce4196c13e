import { say } from "../../core/language/say.ts";

/** Why a file did not arrive: the server's own sentence where it gave one. */
export class UploadError extends Error {}

/** What has been done of a file: the share that is there, and whether it waits for the connection to come back. */
export type UploadProgress = { share: number; waiting: boolean };

const PART_BYTES = 4 * 2 ** 20;
/** The server keeps what nobody adds to for an hour. */
const REMEMBERED_MS = 55 * 60_000;
/** After so many tries in a row without a byte, it is given up; the next one goes on from where it stopped. */
const TRIES = 30;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Sends a file to the server in parts, which keeps it for an hour until it is told what to do with it. A broken connection is waited for; the same
 * file picked again, also after the page was loaded anew, goes on from the last part that arrived.
 * @throws UploadError; a DOMException AbortError once `signal` says so, after which the server forgets the file
 */
export async function uploadFile(file: Blob, onProgress: (progress: UploadProgress) => void, signal: AbortSignal): Promise<{ uploadId: string }> {
  const mark = markOf(file);
  let known = mark === null ? null : recall(mark);
  let failures = 0;
  for (;;) {
    signal.throwIfAborted();
    try {
      const upload = (known !== null && (await findUpload(known, file.size, signal))) || (await beginUpload(file.size, signal));
      known = upload.uploadId;
      if (mark !== null) remember(mark, known);
      let { offset } = upload;
      onProgress({ share: offset / file.size, waiting: false });
      while (offset < file.size) {
        const sent = await sendPart(known, file.slice(offset, offset + PART_BYTES), offset, (bytes) => onProgress({ share: (offset + bytes) / file.size, waiting: false }), signal);
        offset = sent;
        failures = 0;
      }
      if (mark !== null) forget(mark);
      return { uploadId: known };
    } catch (error) {
      if (signal.aborted) {
        if (known !== null) void fetch(`/api/uploads/${known}`, { method: "DELETE" }).catch(() => {});
        if (mark !== null) forget(mark);
        throw error;
      }
      if (error instanceof UploadError || ++failures > TRIES)
        throw error instanceof UploadError ? error : new UploadError(say("The connection broke while the file was sent. Pick the file again: it goes on where it stopped."));
      onProgress({ share: Number.NaN, waiting: true });
      await pause(Math.min(LONGEST_PAUSE_MS, 300 * 2 ** failures), signal);
    }
  }
}

/** The connection, or the server for a moment: worth another try. */
class Broken extends Error {}

async function beginUpload(sizeBytes: number, signal: AbortSignal): Promise<{ uploadId: string; offset: number }> {
  const answer = await ask("/api/uploads", { method: "POST", headers: { "Content-Type": "application/octet-stream", "Upload-Length": String(sizeBytes) }, signal });
  const { uploadId } = readAnswer(await answer.text());
  if (typeof uploadId !== "string") throw new UploadError(say("The file could not be taken."));
  return { uploadId, offset: 0 };
}

/** How much of it the server has; null where it has forgotten it, or it was another file. */
async function findUpload(uploadId: string, sizeBytes: number, signal: AbortSignal): Promise<{ uploadId: string; offset: number } | null> {
  const answer = await fetch(`/api/uploads/${uploadId}`, { method: "HEAD", signal }).catch(() => {
    signal.throwIfAborted();
    throw new Broken();
  });
  if (answer.status >= 500) throw new Broken();
  return answer.ok && Number(answer.headers.get("Upload-Length")) === sizeBytes ? { uploadId, offset: Number(answer.headers.get("Upload-Offset")) } : null;
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init).catch(() => {
    init.signal?.throwIfAborted();
    throw new Broken();
  });
  if (answer.ok) return answer;
  throw refusalOf(answer.status, await answer.text());
}

/** Sends one part and gives the offset behind it. By XMLHttpRequest, which alone says how much of it has gone. */
async function sendPart(uploadId: string, part: Blob, offset: number, onSent: (bytes: number) => void, signal: AbortSignal): Promise<number> {
  const checksum = await checksumOf(part);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PATCH", `/api/uploads/${uploadId}`);
    request.setRequestHeader("Content-Type", "application/offset+octet-stream");
    request.setRequestHeader("Upload-Offset", String(offset));
    if (checksum !== null) request.setRequestHeader("Upload-Checksum", `sha256 ${checksum}`);
    request.upload.onprogress = (event) => onSent(Math.min(part.size, event.loaded));
    request.onload = () => (request.status === 204 ? resolve(Number(request.getResponseHeader("Upload-Offset"))) : reject(refusalOf(request.status, request.responseText)));
    request.onerror = () => reject(new Broken());
    request.onabort = () => reject(new DOMException(say("Stopped."), "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(part);
  });
}

/** SHA-256 in base64; null on pages that browsers hold for insecure, which have no such function. */
async function checksumOf(part: Blob): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await part.arrayBuffer()));
  return btoa(String.fromCharCode(...digest));
}

/** A part out of place, or harmed, is sent anew from where the server is; everything else it refuses is final. */
function refusalOf(status: number, text: string): Error {
  const { code, message } = readAnswer(text);
  if (status >= 500 || code === "UPLOAD_OFFSET" || code === "UPLOAD_CHECKSUM") return new Broken();
  return new UploadError(typeof message === "string" ? message : say("The file could not be taken ({status}).", { status }));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      window.removeEventListener("online", go);
      signal.removeEventListener("abort", go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    window.addEventListener("online", go);
    signal.addEventListener("abort", go);
  });
}

/** By what a file is known again; null for one that was put together here. */
function markOf(file: Blob): string | null {
  return file instanceof File && file.size > PART_BYTES ? `upload ${file.size} ${file.lastModified} ${file.name}` : null;
}

function recall(mark: string): string | null {
  try {
    const [uploadId = "", atMs = "0"] = (localStorage.getItem(mark) ?? "").split(" ");
    return uploadId !== "" && Date.now() - Number(atMs) < REMEMBERED_MS ? uploadId : null;
  } catch {
    return null;
  }
}

function remember(mark: string, uploadId: string): void {
  try {
    localStorage.setItem(mark, `${uploadId} ${Date.now()}`);
  } catch {
    // Private windows may refuse storage: the file then begins anew after a reload.
  }
}

function forget(mark: string): void {
  try {
    localStorage.removeItem(mark);
  } catch {
    // As above.
  }
}

function readAnswer(text: string): { uploadId?: unknown; code?: unknown; message?: unknown } {
  try {
    const answer: unknown = JSON.parse(text);
    return answer && typeof answer === "object" ? answer : {};
  } catch {
    return {};
  }
}
