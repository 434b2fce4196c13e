import { availableParallelism } from "node:os";
import { z } from "zod";
import { Manifest, Task } from "../../core/data/manifest.ts";
import { Graph } from "../../core/graph/document.ts";
import { dataFor } from "../../core/tasks/index.ts";
import { Summary } from "../../core/training/evaluation.ts";
import { knobOf, type RunKnob } from "../../core/training/knobs.ts";
import { AVERAGES, type Average } from "../../core/training/metrics/average.ts";
import { TrainSpec } from "../../core/training/spec.ts";
import type { Lease } from "../agent/lease.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { datasetFolder } from "../ingest/write.ts";
import { LeaseLost } from "../metrics/store.ts";
import type { FileStore } from "../storage/files.ts";
import { checkpointFolder } from "./checkpoints.ts";
import { placeVariable } from "./order.ts";

/** A claimed run with everything that decides it, read and checked once. */
export type LoadedRun = {
  status: "running" | "finished" | "cancelled";
  cancelRequested: boolean;
  /** How often the engine has crashed in it. */
  crashes: number;
  /** The engine that it was trained with last, and the data that it was started on; null: not known. */
  engineBuild: string | null;
  dataHash: string | null;
  number: number;
  modelName: string;
  step: number;
  summary: Summary;
  spec: TrainSpec;
  graph: Graph;
  datasetId: string;
  /** How figures of the classes become one. */
  average: Average;
  /** The data set as the run's task sees it, and as it was made. */
  manifest: Manifest;
  ownManifest: Manifest;
  manifestHash: string | null;
  /** Storage key of the checkpoint of another run, or of the model's own weights, that this one starts from. */
  startKey: string | null;
  createdAt: Date;
};

const Row = z.object({
  status: z.enum(["running", "finished", "cancelled"]),
  cancelRequested: z.boolean(),
  crashes: z.int(),
  engineBuild: z.string().nullable(),
  dataHash: z.string().nullable(),
  number: z.int(),
  modelName: z.string(),
  step: z.int(),
  summary: Summary,
  spec: TrainSpec,
  graph: Graph,
  datasetId: z.string(),
  task: Task.nullable(),
  average: z.enum(AVERAGES).nullable(),
  manifest: Manifest,
  manifestHash: z.string().nullable(),
  startKey: z.string().nullable(),
  createdAt: z.date(),
});

/** @throws LeaseLost where the lease is over */
export async function loadRun(db: Database, { runId, orgId, token }: Lease): Promise<LoadedRun> {
  const rows = await db.$queryRaw<unknown[]>`
    SELECT "run"."status"::text, "run"."cancelRequestedAt" IS NOT NULL AS "cancelRequested", "run"."crashes", "run"."engineBuild", "run"."dataHash", "run"."number", "model"."name" AS "modelName",
      "run"."step", "run"."summary", "run"."spec", "version"."graph", "run"."datasetId", "run"."settings" ->> 'task' AS "task", "run"."settings" ->> 'average' AS "average", "dataset"."manifest", "dataset"."manifestHash",
      coalesce("start"."storageKey", "run"."startKey") AS "startKey", "run"."createdAt"
    FROM "Run" AS "run"
    JOIN "Model" AS "model" ON "model"."id" = "run"."modelId"
    JOIN "ModelVersion" AS "version" ON "version"."id" = "run"."modelVersionId"
    JOIN "Dataset" AS "dataset" ON "dataset"."id" = "run"."datasetId"
    LEFT JOIN "Checkpoint" AS "start" ON "start"."id" = "run"."startCheckpointId"
    WHERE "run"."id" = ${runId}::uuid AND "run"."orgId" = ${orgId}::uuid AND "run"."leaseToken" = ${token}`;
  if (rows.length === 0) throw new LeaseLost({ id: runId, orgId }, token);
  const { task, average, manifest, ...run } = Row.parse(rows[0]);
  return { ...run, average: average ?? "macro", manifest: dataFor(manifest, task ?? undefined) ?? manifest, ownManifest: manifest };
}

/** A spec with the data set's files where they are on this machine. */
export function placeFiles(spec: TrainSpec, datasetId: string, files: FileStore): TrainSpec {
  const pathOf = (file: string) => files.path(`${datasetFolder(datasetId)}/${file}`);
  const place = (split: TrainSpec["data"]["train"]): TrainSpec["data"]["train"] => ({
    ...split,
    arrays: Object.fromEntries(Object.entries(split.arrays).map(([name, array]) => [name, { ...array, file: pathOf(array.file) }])),
    ...(split.lengths ? { lengths: { ...split.lengths, file: pathOf(split.lengths.file) } } : {}),
  });
  return { ...spec, data: { train: place(spec.data.train), validation: place(spec.data.validation) } };
}

/** What the tensors of one run may take on this machine's CPU. */
export function memoryLimitBytes({ MEMORY_LIMIT_MB }: Pick<Config, "MEMORY_LIMIT_MB">): number {
  return MEMORY_LIMIT_MB * 2 ** 20;
}

/** The frozen spec with what only this machine and this lease know: where files are, and where to go on from. */
export function placeSpec(
  run: LoadedRun,
  lease: Lease,
  files: FileStore,
  options: { checkpointEveryMs: number; maxRuns: number; memoryLimitBytes: number; resumeKey: string | null; knobs: readonly RunKnob[] },
): TrainSpec {
  return {
    ...placeFiles(run.spec, run.datasetId, files),
    // A machine that may train several runs at once shares its cores among them: threads that wait for each other's cores are slower than none.
    threads: run.spec.threads || Math.max(1, Math.floor(availableParallelism() / options.maxRuns)),
    checkpoint: { folder: files.path(checkpointFolder(lease)), everyMs: options.checkpointEveryMs },
    resumeFrom: options.resumeKey === null ? null : files.path(options.resumeKey),
    startFrom: run.startKey === null ? null : files.path(run.startKey),
    histograms: true,
    memoryLimitBytes: options.memoryLimitBytes,
    ...(process.env[placeVariable] === undefined ? {} : { placeFile: Number(process.env[placeVariable]), followsBackward: run.crashes > 0 }),
    ...(options.knobs.length > 0 ? { knobs: options.knobs.map(knobOf) } : {}),
  };
}
