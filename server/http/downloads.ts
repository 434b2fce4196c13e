import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Context } from "../auth/procedure.ts";
import type { Tx } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";

/** A stored file and the name under which a person takes it along. */
type Download = { storageKey: string; fileName: string; sizeBytes: number; sha256: string };

/** The kinds of files there are to take along, by the path they stand under. Each looks in the person's own organization only. */
const downloads: { [kind: string]: { find: (db: Tx, orgId: string, id: string) => Promise<Download | null> } } = {
  artifacts: {
    async find(db, orgId, id) {
      const row = await db.artifact.findUnique({
        where: { id, orgId },
        select: { storageKey: true, fileName: true, sizeBytes: true, sha256: true, refusal: true },
      });
      if (!row || row.refusal !== null) return null;
      return { ...row, sizeBytes: Number(row.sizeBytes) };
    },
  },
  checkpoints: {
    async find(db, orgId, id) {
      const row = await db.checkpoint.findUnique({
        where: { id, orgId },
        select: { storageKey: true, sizeBytes: true, sha256: true, step: true, run: { select: { number: true } } },
      });
      if (!row) return null;
      return { ...row, sizeBytes: Number(row.sizeBytes), fileName: `run-${row.run.number}-step-${row.step}.safetensors` };
    },
  },
};

const address = /^\/api\/(\w+)\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Whether a path belongs to a download, by its kind. */
export function matchDownload(path: string): { kind: string; id: string } | null {
  const [, kind = "", id = ""] = address.exec(path) ?? [];
  return Object.hasOwn(downloads, kind) ? { kind, id } : null;
}

/** Sends a file as an attachment: a browser never shows it as a page of ours. @throws AppError NOT_FOUND, UNAUTHENTICATED */
export async function sendDownload(context: Context, req: IncomingMessage, res: ServerResponse, { kind, id }: { kind: string; id: string }): Promise<void> {
  const session = await context.session();
  if (session === null) throw new AppError("UNAUTHENTICATED", "Sign in first.");
  const found = await downloads[kind]?.find(context.db, session.org.id, id);
  if (!found) throw notFound("file");
  const stream = context.files.stream(found.storageKey);
  await new Promise<void>((opened, fail) => {
    stream.once("open", () => opened());
    stream.once("error", (cause) => fail(new AppError("NOT_FOUND", "This file is no longer kept.", { cause })));
  });
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
