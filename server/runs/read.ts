import { z } from "zod";
import type { ParityReport } from "../../core/export/parity.ts";
import { type Evaluation, StoredEvaluation, Summary } from "../../core/training/evaluation.ts";
import { Failure } from "../../core/training/events.ts";
import { type HistogramKind, PackedHistogram } from "../../core/training/histograms.ts";
import { RunKnob } from "../../core/training/knobs.ts";
import { type RunMark, type RunText, StoredMarks } from "../../core/training/marks.ts";
import { Forecast } from "../../core/training/probe.ts";
import { RunSettings } from "../../core/training/settings.ts";
import type { Prisma } from "../../prisma/generated/client.ts";
import type { Database, Tx } from "../database/client.ts";
import { notFound } from "../errors.ts";
import type { RunRef } from "../metrics/store.ts";
import { Refusal, Report } from "./artifact.ts";

/** How far a run is: what changes many times a second. */
export type RunProgress = ReturnType<typeof toProgress>;
/** What a run has produced: changes with an evaluation, a checkpoint or an export. */
export type RunResults = {
  evaluation: Evaluation | null /** What a language model wrote after its evaluations. */;
  texts: RunText[];
  checkpoints: CheckpointSummary[];
  artifacts: ArtifactSummary[];
};
type CheckpointSummary = { id: string; step: number; epoch: number; sizeBytes: number; isBest: boolean; createdAt: string };
type ArtifactSummary = {
  id: string;
  kind: "onnx" | "pytorch" | "safetensors";
  fileName: string;
  sizeBytes: number;
  /** What ONNX Runtime was compared with the engine by; null for other kinds, and where nothing could be compared. */
  report: ParityReport | null;
  /** Why the file is not to be had; null where it is. */
  refusal: Refusal | null;
};
export type LogLine = { id: number; at: string; level: string; message: string };

const progressFields = {
  status: true,
  step: true,
  epoch: true,
  totalSteps: true,
  elapsedMs: true,
  stepsPerSecond: true,
  forecast: true,
  peakBytes: true,
  summary: true,
  marks: true,
  knobs: true,
  failure: true,
  startedAt: true,
  endedAt: true,
  cancelRequestedAt: true,
  pauseRequestedAt: true,
  leaseUntil: true,
} satisfies Prisma.RunSelect;

/** What a query has to select for `toSummary`. */
export const summaryFields = {
  ...progressFields,
  id: true,
  number: true,
  modelId: true,
  settings: true,
  createdAt: true,
  model: { select: { name: true } },
  dataset: { select: { name: true } },
  creator: { select: { name: true } },
} satisfies Prisma.RunSelect;

function toProgress(row: Prisma.RunGetPayload<{ select: typeof progressFields }>) {
  return {
    status: row.status,
    step: row.step,
    epoch: row.epoch,
    totalSteps: row.totalSteps,
    elapsedMs: row.elapsedMs,
    stepsPerSecond: row.stepsPerSecond,
    /** What was foretold when it was started, and the most that its tensors took; null: not known. */
    forecast: Forecast.nullable().parse(row.forecast),
    peakBytes: row.peakBytes === null ? null : Number(row.peakBytes),
    summary: Summary.parse(row.summary),
    marks: StoredMarks.parse(row.marks).filter((mark): mark is RunMark => mark.kind !== "text"),
    knobs: z.array(RunKnob).parse(row.knobs),
    failure: Failure.nullable().parse(row.failure),
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
    /** Somebody asked for its end, and it has not come yet. */
    cancelling: row.cancelRequestedAt !== null && (row.status === "running" || row.status === "queued"),
    /** Somebody asked for it to be laid aside, and its trainer has not done so yet. */
    pausing: row.pauseRequestedAt !== null && row.cancelRequestedAt === null && row.status === "running",
    /** It has ended, and its exports are still being made. */
    exporting: (row.status === "finished" || row.status === "cancelled") && row.leaseUntil !== null,
  };
}

/** A run as a line of a list. */
export function toSummary(row: Prisma.RunGetPayload<{ select: typeof summaryFields }>) {
  return {
    ...toProgress(row),
    id: row.id,
    number: row.number,
    modelId: row.modelId,
    modelName: row.model.name,
    datasetName: row.dataset.name,
    epochs: RunSettings.shape.epochs.catch(0).parse((row.settings as { epochs?: unknown } | null)?.epochs),
    createdAt: row.createdAt.toISOString(),
    createdByName: row.creator.name,
  };
}

export async function readProgress(tx: Tx, run: RunRef): Promise<RunProgress> {
  return toProgress(await tx.run.findUniqueOrThrow({ where: { id: run.id, orgId: run.orgId }, select: progressFields }));
}

/** Changes whenever the run's results do; costs next to nothing beside reading them. */
export async function readResultsMark(tx: Tx, run: RunRef): Promise<string> {
  const [row] = await tx.$queryRaw<{ mark: string }[]>`
    SELECT concat_ws(' ', r."evaluation" ->> 'step',
      (SELECT count(*) FROM jsonb_array_elements(r."marks") "mark" WHERE "mark" ->> 'kind' = 'text'),
      (SELECT string_agg(c."step" || CASE WHEN c."isBest" THEN '*' ELSE '' END, ',' ORDER BY c."step") FROM "Checkpoint" c WHERE c."orgId" = r."orgId" AND c."runId" = r."id"),
      (SELECT string_agg(a."id"::text || a."sha256", ',' ORDER BY a."id") FROM "Artifact" a WHERE a."orgId" = r."orgId" AND a."runId" = r."id")) AS "mark"
    FROM "Run" r WHERE r."id" = ${run.id}::uuid AND r."orgId" = ${run.orgId}::uuid`;
  return row?.mark ?? "";
}

export async function readResults(tx: Tx, run: RunRef): Promise<RunResults> {
  const where = { orgId: run.orgId, runId: run.id };
  const { evaluation, marks } = await tx.run.findUniqueOrThrow({ where: { id: run.id, orgId: run.orgId }, select: { evaluation: true, marks: true } });
  const checkpoints = await tx.checkpoint.findMany({
    where,
    orderBy: { step: "asc" },
    select: { id: true, step: true, epoch: true, sizeBytes: true, isBest: true, createdAt: true },
  });
  const artifacts = await tx.artifact.findMany({
    where,
    orderBy: { kind: "asc" },
    select: { id: true, kind: true, fileName: true, sizeBytes: true, report: true, refusal: true },
  });
  return {
    evaluation: StoredEvaluation.nullable().parse(evaluation),
    texts: StoredMarks.parse(marks).filter((mark): mark is RunText => mark.kind === "text"),
    checkpoints: checkpoints.map((row) => ({ ...row, sizeBytes: Number(row.sizeBytes), createdAt: row.createdAt.toISOString() })),
    artifacts: artifacts.map((row) => ({
      ...row,
      sizeBytes: Number(row.sizeBytes),
      report: Report.nullable().parse(row.report),
      refusal: Refusal.nullable().parse(row.refusal),
    })),
  };
}

const Kept = z.array(PackedHistogram);

/** How the tensors of one kind were spread as epochs ended, oldest first. @throws AppError NOT_FOUND */
export async function readHistograms(
  db: Database,
  orgId: string,
  { runId, kind }: { runId: string; kind: HistogramKind },
): Promise<{ step: number; epoch: number; histograms: PackedHistogram[] }[]> {
  if ((await db.run.count({ where: { id: runId, orgId } })) === 0) throw notFound("run");
  const rows = await db.$queryRaw<{ step: number; epoch: number; histograms: unknown }[]>`
    SELECT "step", "epoch", "histograms" -> ${kind} AS "histograms" FROM "RunHistogram" WHERE "orgId" = ${orgId}::uuid AND "runId" = ${runId}::uuid ORDER BY "step"`;
  return rows.map(({ histograms, ...row }) => ({ ...row, histograms: Kept.parse(histograms) }));
}

/** How many lines are read at once. */
export const LOG_LINES = 500;

/** Up to `LOG_LINES` lines of a run's log after the one with this number, oldest first. */
export async function readLog(tx: Tx, run: RunRef, after: number): Promise<LogLine[]> {
  const rows = await tx.runLog.findMany({
    where: { orgId: run.orgId, runId: run.id, id: { gt: after } },
    orderBy: { id: "asc" },
    take: LOG_LINES,
    select: { id: true, at: true, level: true, message: true },
  });
  return rows.map(({ id, at, level, message }) => ({ id: Number(id), at: at.toISOString(), level, message }));
}
