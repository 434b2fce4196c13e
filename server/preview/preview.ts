import { say } from "../../core/language/say.ts";
import type { PreviewAnswer, PreviewOrder, RowArray } from "../../core/preview/order.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { bringDataset } from "../ingest/place.ts";
import { datasetFolder } from "../ingest/write.ts";
import { readStartWeights } from "../models/startWeights.ts";
import type { PreviewRequest } from "../routers/preview.ts";
import { requireManifest } from "../runs/start.ts";
import type { FileStore } from "../storage/files.ts";
import type { PreviewHost } from "./host.ts";

/** Where the weights of a preview are from; those that the drawing has and the file has not are fresh in any case. */
export type WeightsFrom = { kind: "run"; number: number; step: number } | { kind: "start"; fileName: string } | { kind: "fresh" };

type Around = { db: Database; files: FileStore; host: PreviewHost; orgId: string; userId: string };

/**
 * Sends one row through a drawing with what weights there are: those of the model's newest checkpoint, or those its runs start from where these
 * are newer, else fresh ones.
 * @throws AppError NOT_FOUND, DATASET_NOT_READY, CONFIG_RANGE, INPUT_SHAPE, QUEUE_FULL, PREVIEW_DROPPED, PREVIEW_FAILED
 */
export async function preview({ db, files, host, orgId, userId }: Around, request: PreviewRequest): Promise<PreviewAnswer & { from: WeightsFrom }> {
  const { modelId, datasetId, task, split, row, seed, training, draw, paths, large } = request;
  const [model, manifest, checkpoint] = await Promise.all([
    db.model.findUnique({ where: { id: modelId, orgId, deletedAt: null }, select: { startWeights: true } }),
    requireManifest(db, orgId, { datasetId, ...(task ? { task } : {}) }),
    db.checkpoint.findFirst({
      where: { orgId, run: { modelId, orgId } },
      orderBy: [{ run: { number: "desc" } }, { step: "desc" }],
      select: { storageKey: true, sha256: true, step: true, createdAt: true, run: { select: { number: true } } },
    }),
  ]);
  if (!model) throw notFound("model");
  const { rows, input, lengths, more = {} } = manifest.splits[split];
  if (row >= rows) throw new AppError("INPUT_SHAPE", say("The {split} rows of this data set end at {rows}.", { split, rows: rows - 1 }));
  const start = readStartWeights(model.startWeights);
  const isStartNewer = start !== null && (!checkpoint || new Date(start.importedAt) > checkpoint.createdAt);
  const from: WeightsFrom = isStartNewer
    ? { kind: "start", fileName: start.fileName }
    : checkpoint
      ? { kind: "run", number: checkpoint.run.number, step: checkpoint.step }
      : { kind: "fresh" };
  const key = isStartNewer ? start.storageKey : (checkpoint?.storageKey ?? null);
  await bringDataset(files, datasetId, manifest);
  if (key !== null) await files.bring(key, isStartNewer ? start.sha256 : (checkpoint?.sha256 ?? null));
  const place = ({ file, dtype, shape, window }: RowArray): RowArray => ({ window, file: files.path(`${datasetFolder(datasetId)}/${file}`), dtype, shape });
  const order: PreviewOrder = {
    graph: request.graph,
    preprocess: manifest.preprocess,
    arrays: { input: place(input), lengths: lengths ? place(lengths) : null, more: Object.fromEntries(Object.entries(more).map(([name, array]) => [name, place(array)])) },
    row,
    weights: { file: key === null ? null : files.path(key), seed },
    training,
    draw,
    paths,
    large,
  };
  const answer = await host.evaluate(orgId, `${userId} ${modelId}`, order);
  return { ...answer, from: answer.weights.matched === 0 ? { kind: "fresh" } : from };
}
