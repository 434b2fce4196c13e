import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type DatasetArray, datasetArrays } from "../../core/data/datasetArrays.ts";
import { Manifest } from "../../core/data/manifest.ts";
import { itemSizeBytes, npyHeaderOf } from "../../core/data/npy.ts";
import { MOST_ZIP_BYTES } from "../../core/export/zipRecords.ts";
import { say } from "../../core/language/say.ts";
import type { Context } from "../auth/procedure.ts";
import type { Session } from "../auth/session.ts";
import { type Tx, walled } from "../database/client.ts";
import { readWindows } from "../datasets/rows.ts";
import { AppError, notFound } from "../errors.ts";
import { bringDataset } from "../ingest/place.ts";
import { datasetFolder, hashManifest } from "../ingest/write.ts";
import type { FileStore } from "../storage/files.ts";
import { slug } from "../storage/slug.ts";
import { type StoredEntry, streamZip, zipBytes } from "./zipStream.ts";

/** A file that a person takes along: stored as it is, or put together as it is sent. */
type Download = { fileName: string; sizeBytes: number; sha256: string } & ({ storageKey: string } | { content: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array> });

type Find = (context: { db: Tx; files: FileStore }, orgId: string, id: string, part: string | null) => Promise<Download | null>;

/** The kinds of files there are to take along, by the path they stand under. Each looks in the person's own organization only. */
const downloads: { [kind: string]: Find } = {
  async artifacts({ db }, orgId, id) {
    const row = await db.artifact.findUnique({
      where: { id, orgId },
      select: { storageKey: true, fileName: true, sizeBytes: true, sha256: true, refusal: true },
    });
    if (!row || row.refusal !== null) return null;
    return { ...row, sizeBytes: Number(row.sizeBytes) };
  },
  async checkpoints({ db }, orgId, id) {
    const row = await db.checkpoint.findUnique({
      where: { id, orgId },
      select: { storageKey: true, sizeBytes: true, sha256: true, step: true, run: { select: { number: true } } },
    });
    if (!row) return null;
    return { ...row, sizeBytes: Number(row.sizeBytes), fileName: `run-${row.run.number}-step-${row.step}.safetensors` };
  },
  datasets: findDataset,
};

/** A data set as one `.npz`, or one of its arrays as `.npy`. */
async function findDataset({ db, files }: { db: Tx; files: FileStore }, orgId: string, id: string, part: string | null): Promise<Download | null> {
  const row = await db.dataset.findUnique({ where: { id, orgId }, select: { name: true, status: true, manifest: true } });
  const manifest = Manifest.nullable().parse(row?.manifest ?? null);
  if (row?.status !== "ready" || !manifest) return null;
  const arrays = datasetArrays(manifest);
  await bringDataset(files, id, manifest);
  const keyOf = (file: string) => `${datasetFolder(id)}/${file}`;
  const base = slug(row.name) || "data";
  if (part !== null) {
    const array = arrays.find(({ name }) => name === part);
    if (!array || !("file" in array)) return null;
    if (array.window) return { ...windowsEntry(files, keyOf(array.file), array), sha256: hashManifest(manifest), fileName: `${base}-${part}.npy` };
    const { size } = await stat(files.path(keyOf(array.file)));
    return { storageKey: keyOf(array.file), sizeBytes: size, sha256: array.sha256, fileName: `${base}-${part}.npy` };
  }
  const entries: StoredEntry[] = [];
  for (const array of arrays) {
    const name = `${array.name}.npy`;
    if ("window" in array) entries.push({ name, ...windowsEntry(files, keyOf(array.file), array) });
    else if ("file" in array) entries.push({ name, sizeBytes: (await stat(files.path(keyOf(array.file)))).size, content: () => files.stream(keyOf(array.file)) });
    else entries.push({ name, sizeBytes: array.content.length, content: () => [array.content] });
  }
  const sizeBytes = zipBytes(entries);
  if (sizeBytes > MOST_ZIP_BYTES) throw new AppError("FILE_TOO_LARGE", say("An .npz holds up to 4 GiB, and this data set is larger: take its arrays one by one."));
  return { content: () => streamZip(entries), sizeBytes, sha256: hashManifest(manifest), fileName: `${base}.npz` };
}

/** Rows that lie within one another in their file, one after the other. */
function windowsEntry(files: FileStore, key: string, { dtype, shape, window }: Extract<DatasetArray, { file: string }>): Pick<StoredEntry, "sizeBytes" | "content"> {
  if (dtype === "text") throw new Error("Texts are no windows.");
  const head = npyHeaderOf(dtype, shape);
  const [rows = 0, ...rest] = shape;
  const rowBytes = rest.reduce((product, size) => product * size, itemSizeBytes[dtype]);
  return {
    sizeBytes: head.length + rows * rowBytes,
    content: async function* () {
      yield head;
      yield* readWindows(files.path(key), { dtype, shape: rest, window }, rows);
    },
  };
}

const address = /^\/api\/(\w+)\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\/([\w.-]{1,200}))?$/;

type Address = { kind: string; id: string; part: string | null };

/** Whether a path belongs to a download, by its kind. */
export function matchDownload(path: string): Address | null {
  const [, kind = "", id = "", part = null] = address.exec(path) ?? [];
  return Object.hasOwn(downloads, kind) && (part === null || kind === "datasets") ? { kind, id, part } : null;
}

/** Sends a file as an attachment: a browser never shows it as a page of ours. @throws AppError NOT_FOUND, FILE_TOO_LARGE */
export async function sendDownload(context: Context, session: Session, req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
  const asked = matchDownload(path);
  if (asked === null) throw notFound("file");
  const found = await downloads[asked.kind]?.({ db: walled(context.db, session.org.id), files: context.files }, session.org.id, asked.id, asked.part).catch(
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") throw gone(cause);
      throw cause;
    },
  );
  if (!found) throw notFound("file");
  const stream = "content" in found ? Readable.from(found.content(), { objectMode: false }) : await openFile(context.files, found);
  res.writeHead(200, {
    "Content-Type": "application/octet-stream",
    "Content-Length": found.sizeBytes,
    "Content-Disposition": `attachment; filename="${found.fileName.replace(/[^\w.-]+/g, "_")}"; filename*=UTF-8''${encodeURIComponent(found.fileName).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)}`,
    "Content-Security-Policy": "sandbox; default-src 'none'",
    ETag: `"${found.sha256}"`,
  });
  if (req.method === "HEAD") {
    stream.destroy();
    res.end();
    return;
  }
  // A reader who leaves halfway is no error of ours.
  await pipeline(stream, res).catch(() => {});
}

async function openFile(files: FileStore, { storageKey, sha256 }: { storageKey: string; sha256: string }): Promise<Readable> {
  await files.bring(storageKey, sha256).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === "ENOENT" ? gone(cause) : cause;
  });
  const stream = files.stream(storageKey);
  await new Promise<void>((opened, fail) => {
    stream.once("open", () => opened());
    stream.once("error", (cause) => fail(gone(cause)));
  });
  return stream;
}

function gone(cause: unknown): AppError {
  return new AppError("NOT_FOUND", say("This file is no longer kept."), { cause });
}
