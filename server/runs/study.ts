import { Manifest } from "../../core/data/manifest.ts";
import type { RowArray } from "../../core/preview/order.ts";
import type { ExplainAnswer } from "../../core/preview/study.ts";
import { dataFor, taskNamed } from "../../core/tasks/index.ts";
import { spread } from "../../core/training/build.ts";
import { StoredRunSettings } from "../../core/training/settings.ts";
import { type Study, studyOf } from "../../core/training/study.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { datasetFolder } from "../ingest/write.ts";
import { keptGraph } from "../models/graph.ts";
import type { PreviewHost } from "../preview/host.ts";
import type { FileStore } from "../storage/files.ts";
import { readTargets } from "../trainer/evaluation.ts";

type Around = { db: Database; files: FileStore; host: PreviewHost; orgId: string; userId: string };

/** So many validation rows are looked at, fewer where a row's answer is long; and for so long. */
const MOST_ROWS = 16_384;
const MOST_NUMBERS = 2_000_000;
const BUDGET_MS = 5_000;
const BATCH = 64;

/** What was studied lately, by checkpoint: it does not change any more. */
const kept = new Map<string, Promise<StudyOfRun>>();
const MOST_KEPT = 64;

/** A study of a run's validation rows, as the network was at a checkpoint; `total`: how many there are. */
type StudyOfRun = { step: number; epoch: number; total: number; study: Study };

/**
 * Sends validation rows through the network of a run, as it was at the evaluation of a step (or, where its checkpoint is gone, as it was last), and tells how it does.
 * @throws AppError NOT_FOUND, NO_CHECKPOINT, DATASET_NOT_READY, CONFIG_RANGE, QUEUE_FULL, PREVIEW_DROPPED, PREVIEW_FAILED
 */
export async function studyRun(around: Around, { runId, step }: { runId: string; step: number | null }): Promise<StudyOfRun> {
  const trained = await findTrained(around, runId, step);
  const key = `${around.orgId} ${trained.checkpoint.id}`;
  const before = kept.get(key);
  if (before) return before;
  const made = makeStudy(around, runId, trained);
  kept.set(key, made);
  for (const old of kept.keys()) if (kept.size > MOST_KEPT) kept.delete(old);
  // What failed may go well the next time.
  made.catch(() => kept.delete(key));
  return made;
}

async function makeStudy({ host, files, orgId, userId }: Around, runId: string, trained: Trained): Promise<StudyOfRun> {
  const { manifest, datasetId, checkpoint } = trained;
  const task = taskNamed(manifest.task);
  const { validation } = manifest.splits;
  if (task.show || task.writes) throw new AppError("CONFIG_RANGE", "The rows of this task are looked at one by one.");
  const width = Math.max(1, manifest.classes.length || validation.target.shape.reduce((product, size) => product * size, 1));
  const rows = spread(validation.rows, Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_NUMBERS / width))));
  const answer = await host.study(orgId, `${userId} study ${runId}`, { ...orderOf(trained, files), rows, batchSize: BATCH, budgetMs: BUDGET_MS });
  const seen = rows.slice(0, answer.rows);
  const bytes = Uint8Array.from(Buffer.from(answer.outputs, "base64"));
  const targets = await readTargets(files, datasetId, validation, seen);
  const study = studyOf({ rows: seen, outputs: new Float32Array(bytes.buffer), width: answer.width, targets, classCount: manifest.classes.length });
  return { step: checkpoint.step, epoch: checkpoint.epoch, total: validation.rows, study };
}

/** What in one validation row speaks for an answer of the run's network. @throws as `studyRun`, and INPUT_SHAPE */
export async function explainRow(
  around: Around,
  { runId, step, row, at, node }: { runId: string; step: number | null; row: number; at: number | null; node: string | null },
): Promise<ExplainAnswer & { step: number; epoch: number }> {
  const trained = await findTrained(around, runId, step);
  const { rows } = trained.manifest.splits.validation;
  if (row >= rows) throw new AppError("INPUT_SHAPE", `The validation rows of this data set end at ${rows - 1}.`);
  const answer = await around.host.explain(around.orgId, `${around.userId} explain ${runId}`, { ...orderOf(trained, around.files), row, at, node });
  return { ...answer, step: trained.checkpoint.step, epoch: trained.checkpoint.epoch };
}

type Trained = Awaited<ReturnType<typeof findTrained>>;

async function findTrained({ db, orgId }: Around, runId: string, wanted: number | null) {
  const run = await db.run.findUnique({
    where: { id: runId, orgId },
    select: {
      settings: true,
      datasetId: true,
      dataHash: true,
      modelVersion: { select: { graph: true } },
      dataset: { select: { manifest: true, manifestHash: true, name: true } },
      checkpoints: { orderBy: { step: "desc" }, select: { id: true, step: true, epoch: true, storageKey: true } },
    },
  });
  if (!run) throw notFound("run");
  const { task } = StoredRunSettings.parse(run.settings);
  const made = Manifest.nullable().parse(run.dataset.manifest);
  const manifest = made && dataFor(made, task);
  if (!manifest) throw new AppError("DATASET_NOT_READY", `${run.dataset.name} is not there any more as this run saw it.`);
  if (run.dataHash !== null && run.dataHash !== run.dataset.manifestHash)
    throw new AppError("DATASET_NOT_READY", `${run.dataset.name} was read in anew since this run was started: its rows are not those of this run any more.`);
  const checkpoint = run.checkpoints.find(({ step }) => step === wanted) ?? run.checkpoints[0];
  if (!checkpoint) throw new AppError("NO_CHECKPOINT", "This run has no checkpoint yet: the first one comes with its first evaluation.");
  return { graph: keptGraph(run.modelVersion.graph), manifest, datasetId: run.datasetId, checkpoint };
}

function orderOf({ graph, manifest, datasetId, checkpoint }: Trained, files: FileStore) {
  const place = ({ file, dtype, shape, window }: RowArray): RowArray => ({ window, file: files.path(`${datasetFolder(datasetId)}/${file}`), dtype, shape });
  const { input, lengths, more = {} } = manifest.splits.validation;
  return {
    graph,
    preprocess: manifest.preprocess,
    arrays: { input: place(input), lengths: lengths ? place(lengths) : null, more: Object.fromEntries(Object.entries(more).map(([name, array]) => [name, place(array)])) },
    file: files.path(checkpoint.storageKey),
  };
}
