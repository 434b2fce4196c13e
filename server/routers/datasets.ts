import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import { say } from "../../core/language/say.ts";
import { tasksOf } from "../../core/tasks/index.ts";
import { Failure } from "../../core/training/events.ts";
import type { Prisma } from "../../prisma/generated/client.ts";
import { org, router } from "../auth/procedure.ts";
import type { Database } from "../database/client.ts";
import { readHealth } from "../datasets/health.ts";
import {
  CreateArrays,
  CreateTable,
  CreateText,
  createOwnArrays,
  createOwnTable,
  createOwnText,
  deleteDataset,
  InspectArrays,
  InspectTable,
  InspectText,
  inspectOwnArrays,
  inspectOwnTable,
  inspectOwnText,
} from "../datasets/own.ts";
import { CreatePictures, createOwnPictures, InspectPictures, inspectOwnPictures } from "../datasets/ownPictures.ts";
import { findRowsOfClass, readNames, shrink } from "../datasets/rows.ts";
import { AppError, notFound } from "../errors.ts";
import { Progress } from "../ingest/child.ts";
import { bringDataset } from "../ingest/place.ts";
import { Id } from "../input.ts";
import type { FileStore } from "../storage/files.ts";
import { readRows, readTargets } from "../trainer/evaluation.ts";

/** Raw bytes of one answer: 1 MiB of base64 is what a page can take without a stutter. */
const SAMPLE_BYTES = 768 * 1024;

const ReadSamples = z.strictObject({
  datasetId: Id,
  split: z.enum(["train", "validation"]),
  /** These rows, instead of a page. */
  rows: z.array(z.int().min(0)).max(256).optional(),
  offset: z.int().min(0).default(0),
  limit: z.int().min(1).max(256).default(32),
  /** Only rows of this class; `offset` then counts among them. */
  classIndex: z.int().min(0).optional(),
  /** Pictures with longer sides are made smaller; their class numbers then come as `mask`. */
  side: z.int().min(16).max(256).optional(),
});

export const datasets = router({
  list: org("viewer").query(async ({ ctx: { db, orgId } }) => (await db.dataset.findMany({ where: { orgId }, orderBy: { createdAt: "asc" }, select: fields })).map(toSummary)),

  get: org("viewer")
    .input(z.strictObject({ datasetId: Id }))
    .query(async ({ ctx: { db, orgId }, input: { datasetId } }) => {
      const row = await db.dataset.findUnique({ where: { id: datasetId, orgId }, select: fields });
      if (!row) throw notFound("data set");
      return { ...toSummary(row), manifest: Manifest.nullable().parse(row.manifest) };
    }),

  samples: org("viewer")
    .input(ReadSamples)
    .query(({ ctx, input }) => readSamples(ctx.db, ctx.files, ctx.orgId, input)),

  /** What may be wrong with the rows: found by looking through all of them, once for each version. */
  health: org("viewer")
    .input(z.strictObject({ datasetId: Id }))
    .query(({ ctx, input }) => readHealth(ctx, input.datasetId)),

  /** What is in the columns of an uploaded table, before it is made a data set. */
  inspectTable: org("member")
    .input(InspectTable)
    .mutation(({ ctx, input }) => inspectOwnTable(ctx, input)),

  createTable: org("member")
    .input(CreateTable)
    .mutation(({ ctx, input }) => createOwnTable(ctx, input)),

  /** What a tokenizer makes of an uploaded text, or of a column of a table, before it is made a data set. */
  inspectText: org("member")
    .input(InspectText)
    .mutation(({ ctx, input }) => inspectOwnText(ctx, input)),

  createText: org("member")
    .input(CreateText)
    .mutation(({ ctx, input }) => createOwnText(ctx, input)),

  /** What is in an uploaded NumPy file, before it is made a data set. */
  inspectArrays: org("member")
    .input(InspectArrays)
    .mutation(({ ctx, input }) => inspectOwnArrays(ctx, input)),

  createArrays: org("member")
    .input(CreateArrays)
    .mutation(({ ctx, input }) => createOwnArrays(ctx, input)),

  /** What is in an uploaded archive of pictures, before it is made a data set. */
  inspectPictures: org("member")
    .input(InspectPictures)
    .mutation(({ ctx, input }) => inspectOwnPictures(ctx, input)),

  createPictures: org("member")
    .input(CreatePictures)
    .mutation(({ ctx, input }) => createOwnPictures(ctx, input)),

  delete: org("member")
    .input(z.strictObject({ datasetId: Id }))
    .mutation(({ ctx, input }) => deleteDataset(ctx, input.datasetId)),
});

const fields = {
  id: true,
  builtin: true,
  name: true,
  description: true,
  status: true,
  manifest: true,
  failure: true,
  progress: true,
  sizeBytes: true,
} satisfies Prisma.DatasetSelect;

function toSummary({ manifest, failure, progress, sizeBytes, ...row }: Prisma.DatasetGetPayload<{ select: typeof fields }>) {
  const known = Manifest.nullable().parse(manifest);
  return {
    ...row,
    task: known?.task ?? null,
    /** What can be learned from it, its own task first. */
    tasks: known ? tasksOf(known) : [],
    rows: { train: known?.splits.train.rows ?? 0, validation: known?.splits.validation.rows ?? 0 },
    inputShape: known?.splits.train.input.shape ?? [],
    classes: known?.classes ?? [],
    columns: known?.columns ?? [],
    text: known?.text ?? null,
    series: known?.series ?? null,
    /** Whether it holds another one's rows, as a pretrained network reads them. */
    isReadFor: known?.readFor !== undefined,
    sizeBytes: Number(sizeBytes),
    failure: Failure.nullable().parse(failure),
    /** How far reading is, where that takes its time. */
    progress: Progress.nullable().parse(progress),
  };
}

async function readSamples(db: Database, files: FileStore, orgId: string, { datasetId, split, rows, offset, limit, classIndex, side }: z.infer<typeof ReadSamples>) {
  const found = await db.dataset.findUnique({ where: { id: datasetId, orgId }, select: { status: true, manifest: true } });
  if (!found) throw notFound("data set");
  const manifest = Manifest.nullable().parse(found.manifest);
  if (found.status !== "ready" || !manifest) throw new AppError("DATASET_NOT_READY", say("This data set is still being read in: try again when it is ready."));
  await bringDataset(files, datasetId, manifest);
  const part = manifest.splits[split];
  const { shape, dtype } = part.input;
  const all = classIndex === undefined ? null : await findRowsOfClass(files, datasetId, part, classIndex);
  const total = all?.length ?? part.rows;
  const small = side !== undefined && dtype === "uint8" && shape.length === 3 ? side : null;
  const rowBytes = shape.reduce((product, size, axis) => product * (small !== null && axis > 0 ? Math.min(size, small) : size), { uint8: 1, float32: 4, int64: 8 }[dtype]);
  const most = Math.max(1, Math.min(limit, Math.floor(SAMPLE_BYTES / rowBytes)));
  const wanted = rows ?? (all ? all.slice(offset, offset + most) : Array.from({ length: Math.max(0, Math.min(most, total - offset)) }, (_, index) => offset + index));
  if (wanted.some((row) => row >= part.rows)) throw new AppError("INPUT_SHAPE", say("The {split} rows of this data set end at {rows}.", { split, rows: part.rows - 1 }));
  const hasMasks = small !== null && part.target.dtype === "uint8" && part.target.shape.length === 2;
  const [inputs, targets, masks, names] = await Promise.all([
    readRows(files, datasetId, part.input, part.rows, wanted),
    hasMasks ? [] : readTargets(files, datasetId, part, wanted),
    hasMasks ? readRows(files, datasetId, part.target, part.rows, wanted) : [],
    readNames(files, datasetId, part),
  ]);
  const toText = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  return {
    total,
    samples: wanted.map((row, index) => {
      const [input, mask] = [inputs[index] as Uint8Array, masks[index]];
      return {
        row,
        input: toText(small === null ? input : shrink(input, shape, small, "mean").bytes),
        target: targets[index] ?? [],
        mask: mask && small !== null ? toText(shrink(mask, part.target.shape, small, "middle").bytes) : null,
        name: names?.[row] ?? null,
      };
    }),
    dtype,
    shape: small === null ? shape : shrink(new Uint8Array(), shape, small, "mean").shape,
  };
}
