import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import { say } from "../../core/language/say.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { runChild } from "../ingest/child.ts";
import { Health } from "../ingest/health.ts";
import { bringDataset } from "../ingest/place.ts";
import { inTurn, rootOf } from "../ingest/upload.ts";
import type { FileStore } from "../storage/files.ts";

const Answer = z.discriminatedUnion("ok", [Health, z.strictObject({ ok: z.literal(false), failure: z.strictObject({ code: z.string(), message: z.string() }) })]);

/** What was found, by the hash of a version: it never changes. */
const remembered = new Map<string, Promise<Health>>();
const MOST_REMEMBERED = 32;

/** What may be wrong with a data set's rows. */
export async function readHealth({ db, files, orgId }: { db: Database; files: FileStore; orgId: string }, datasetId: string): Promise<Health> {
  const row = await db.dataset.findUnique({ where: { id: datasetId, orgId }, select: { status: true, manifest: true, manifestHash: true, sizeBytes: true } });
  if (!row) throw notFound("data set");
  const manifest = Manifest.nullable().parse(row.manifest);
  if (row.status !== "ready" || !manifest) throw new AppError("DATASET_NOT_READY", say("This data set is still being read in: try again when it is ready."));
  const key = `${datasetId} ${row.manifestHash}`;
  const known = remembered.get(key);
  if (known) return known;
  const found = inTurn(async () => {
    await bringDataset(files, datasetId, manifest);
    const answer = await runChild(["health", rootOf(files), datasetId], Answer, { input: JSON.stringify(manifest), fileBytes: Number(row.sizeBytes) });
    if (!answer.ok) throw new AppError("INTERNAL", answer.failure.message);
    return answer;
  });
  remembered.set(key, found);
  found.catch(() => remembered.delete(key));
  for (const oldest of remembered.keys()) if (remembered.size > MOST_REMEMBERED) remembered.delete(oldest);
  return found;
}
