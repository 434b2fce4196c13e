import type { Manifest } from "../../core/data/manifest.ts";
import { printCount } from "../../core/language/numbers.ts";
import type { Database } from "../database/client.ts";
import { PictureOrder, sourceKey } from "../datasets/ownPictures.ts";
import { type IngestAnswer, ingestInChild, type Progress, readPicturesInChild } from "../ingest/child.ts";
import { publishDataset } from "../ingest/place.ts";
import { rootOf } from "../ingest/upload.ts";
import { datasetFolder, hashManifest } from "../ingest/write.ts";
import type { Log } from "../log.ts";
import type { FileStore } from "../storage/files.ts";
import { untilStore } from "../trainer/outage.ts";

type Claim = { id: string; orgId: string; builtin: string | null; order: unknown; token: number };

const attemptLimit = 3;
/** Those that are made up on the spot. */
const quickest = ["moons", "spiral"];
/** How often a page can see how far reading is. */
const reportMs = 1_000;

/**
 * Takes one data set that waits, or whose reader is gone, has it decoded in a process of its own and records what came of it.
 * False where none waits. The claim is fenced as a run's is; where the data set is deleted meanwhile, reading ends.
 */
export async function ingestNext(options: { db: Database; files: FileStore; leaseMs: number; log: Log; signal: AbortSignal }): Promise<boolean> {
  const { db, files, leaseMs, log, signal } = options;
  const claim = await claimDataset(db, leaseMs);
  if (claim === null) return false;
  const started = performance.now();
  const gone = new AbortController();
  let progress: Progress | null = null;
  const renewal = setInterval(
    () => {
      void db.$executeRaw`
        UPDATE "Dataset" SET "leaseUntil" = clock_timestamp() + ${leaseMs} * interval '1 millisecond', "progress" = ${progress === null ? null : JSON.stringify(progress)}::jsonb
        WHERE "id" = ${claim.id}::uuid AND "leaseToken" = ${claim.token} AND "status" = 'ingesting'`.then(
        (rows) => rows === 0 && gone.abort(),
        () => {},
      );
    },
    Math.min(reportMs, leaseMs / 3),
  );
  try {
    const answer = await decode(claim, files, AbortSignal.any([signal, gone.signal]), (at) => {
      progress = at;
    });
    if (gone.signal.aborted) {
      await discard(claim, files);
    } else if (signal.aborted) {
      await db.$executeRaw`UPDATE "Dataset" SET "status" = 'queued', "leaseUntil" = NULL, "attempts" = "attempts" - 1 WHERE "id" = ${claim.id}::uuid AND "leaseToken" = ${claim.token} AND "status" = 'ingesting'`;
    } else if (answer.ok) {
      const description = claim.builtin === null ? describePictures(answer.manifest) : null;
      await db.$executeRaw`
        UPDATE "Dataset" SET "status" = 'ready', "manifest" = ${JSON.stringify(answer.manifest)}::jsonb, "manifestHash" = ${hashManifest(answer.manifest)},
          "sizeBytes" = ${answer.sizeBytes}, "description" = coalesce(${description}, "description"), "failure" = NULL, "order" = NULL, "progress" = NULL, "leaseUntil" = NULL
        WHERE "id" = ${claim.id}::uuid AND "leaseToken" = ${claim.token} AND "status" = 'ingesting'`;
      if (claim.builtin === null) await files.remove(sourceKey(claim.id)).catch(() => {});
    } else {
      await db.$executeRaw`
        UPDATE "Dataset" SET "status" = 'failed', "failure" = ${JSON.stringify(answer.failure)}::jsonb, "order" = NULL, "progress" = NULL, "leaseUntil" = NULL
        WHERE "id" = ${claim.id}::uuid AND "leaseToken" = ${claim.token} AND "status" = 'ingesting'`;
      await discard(claim, files);
    }
    log.info({ datasetId: claim.id, builtin: claim.builtin, ok: answer.ok, ms: Math.round(performance.now() - started) }, "data set read");
  } finally {
    clearInterval(renewal);
  }
  return true;
}

async function decode(claim: Claim, files: FileStore, signal: AbortSignal, onProgress: (progress: Progress) => void): Promise<IngestAnswer> {
  const root = rootOf(files);
  if (claim.builtin !== null) return handOver(files, claim.id, await ingestInChild({ root, datasetId: claim.id, builtin: claim.builtin }, signal), signal);
  const { fileName, sizeBytes, plan } = PictureOrder.parse(claim.order);
  await untilStore(() => files.bring(sourceKey(claim.id)), signal);
  const answer = await readPicturesInChild({ root, datasetId: claim.id, source: { key: sourceKey(claim.id), sizeBytes }, fileName, plan }, signal, onProgress);
  return handOver(files, claim.id, answer, signal);
}

/** Puts what was read where every machine finds it. */
async function handOver(files: FileStore, datasetId: string, answer: IngestAnswer, signal: AbortSignal): Promise<IngestAnswer> {
  if (answer.ok) await untilStore(() => publishDataset(files, datasetId, answer.manifest), signal);
  return answer;
}

/** Nobody else has what a person's own order left behind. */
async function discard({ id, builtin }: Claim, files: FileStore): Promise<void> {
  if (builtin === null) await files.removeFolder(datasetFolder(id)).catch(() => {});
}

function describePictures({ task, classes, splits: { train, validation } }: Manifest): string {
  const [channels, , size] = train.input.shape;
  const what = `${printCount(train.rows + validation.rows)} pictures, ${size} × ${size} in ${channels === 1 ? "grey" : "colour"}`;
  const some = classes.length <= 4 ? classes.join(", ") : `${classes.slice(0, 3).join(", ")} and ${classes.length - 3} more`;
  return task === "semantic-segmentation" ? `${what}, each pixel marked as one of ${classes.length}: ${some}.` : `${what}, of ${classes.length} classes: ${some}.`;
}

async function claimDataset(db: Database, leaseMs: number): Promise<Claim | null> {
  await db.$executeRaw`
    UPDATE "Dataset" SET "status" = 'failed', "leaseUntil" = NULL, "leaseToken" = "leaseToken" + 1,
      "failure" = jsonb_build_object('code', 'INGEST_STOPPED', 'message', 'Reading this data set took its process down three times.')
    WHERE "status" = 'ingesting' AND "leaseUntil" < clock_timestamp() AND "attempts" >= ${attemptLimit}`;
  const rows = await db.$queryRaw<Claim[]>`
    WITH "next" AS (
      SELECT "id" FROM "Dataset" WHERE ("builtin" IS NOT NULL OR "order" IS NOT NULL) AND ("status" = 'queued' OR ("status" = 'ingesting' AND "leaseUntil" < clock_timestamp()))
      -- What somebody's model waits for comes first, then what takes a moment, so that a newcomer's first click need not wait for the large ones.
      ORDER BY EXISTS (SELECT 1 FROM "Model" WHERE "Model"."orgId" = "Dataset"."orgId" AND "Model"."datasetId" = "Dataset"."id") DESC, "builtin" = ANY(${quickest}) DESC NULLS LAST, "createdAt", "id" LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE "Dataset" AS "set" SET "status" = 'ingesting', "leaseToken" = "leaseToken" + 1, "attempts" = "attempts" + 1, "leaseUntil" = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    FROM "next" WHERE "set"."id" = "next"."id" RETURNING "set"."id", "set"."orgId", "set"."builtin", "set"."order", "set"."leaseToken" AS "token"`;
  return rows[0] ?? null;
}
