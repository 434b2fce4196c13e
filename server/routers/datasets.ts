import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import { tasksOf } from "../../core/tasks/index.ts";
import { Failure } from "../../core/training/events.ts";
import type { Prisma } from "../../prisma/generated/client.ts";
import { org, router } from "../auth/procedure.ts";
import type { Database } from "../database/client.ts";
import { readHealth } from "../datasets/health.ts";
import { CreateTable, createOwnTable, deleteDataset, InspectTable, inspectOwnTable } from "../datasets/own.ts";
import { findRowsOfClass } from "../datasets/rows.ts";
import { AppError, notFound } from "../errors.ts";
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
  sizeBytes: true,
} satisfies Prisma.DatasetSelect;

function toSummary({ manifest, failure, sizeBytes, ...row }: Prisma.DatasetGetPayload<{ select: typeof fields }>) {
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
    sizeBytes: Number(sizeBytes),
    failure: Failure.nullable().parse(failure),
  };
}

async function readSamples(db: Database, files: FileStore, orgId: string, { datasetId, split, rows, offset, limit, classIndex }: z.infer<typeof ReadSamples>) {
  const found = await db.dataset.findUnique({ where: { id: datasetId, orgId }, select: { status: true, manifest: true } });
  if (!found) throw notFound("data set");
  const manifest = Manifest.nullable().parse(found.manifest);
  if (found.status !== "ready" || !manifest) throw new AppError("DATASET_NOT_READY", "This data set is still being read in: try again when it is ready.");
  const part = manifest.splits[split];
  const { shape, dtype } = part.input;
  const all = classIndex === undefined ? null : await findRowsOfClass(files, datasetId, part, classIndex);
  const total = all?.length ?? part.rows;
  const rowBytes = shape.reduce((product, size) => product * size, { uint8: 1, float32: 4, int64: 8 }[dtype]);
  const most = Math.max(1, Math.min(limit, Math.floor(SAMPLE_BYTES / rowBytes)));
  const wanted = rows ?? (all ? all.slice(offset, offset + most) : Array.from({ length: Math.max(0, Math.min(most, total - offset)) }, (_, index) => offset + index));
  if (wanted.some((row) => row >= part.rows)) throw new AppError("INPUT_SHAPE", `The ${split} rows of this data set end at ${part.rows - 1}.`);
  const [inputs, targets] = await Promise.all([readRows(files, datasetId, part.input, part.rows, wanted), readTargets(files, datasetId, part, wanted)]);
  return {
    total,
    samples: wanted.map((row, index) => ({
      row,
      input: Buffer.from(inputs[index] as Uint8Array).toString("base64"),
      target: targets[index] ?? [],
    })),
    dtype,
    shape,
  };
}
