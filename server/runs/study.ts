import { Manifest } from "../../core/data/manifest.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import type { RowArray } from "../../core/preview/order.ts";
import type { ExplainAnswer, TensorsAnswer } from "../../core/preview/study.ts";
import { dataFor, taskNamed } from "../../core/tasks/index.ts";
import { spread } from "../../core/training/build.ts";
import { StoredRunSettings } from "../../core/training/settings.ts";
import { TrainSpec } from "../../core/training/spec.ts";
import { type Study, studyOf } from "../../core/training/study.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { bringDataset } from "../ingest/place.ts";
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
  if (task.show || task.writes) throw new AppError("CONFIG_RANGE", say("The rows of this task are looked at one by one."));
  const width = Math.max(1, manifest.classes.length || validation.target.shape.reduce((product, size) => product * size, 1));
  const rows = spread(validation.rows, Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_NUMBERS / width))));
  const answer = await host.study(orgId, `${userId} study ${runId}`, { ...(await orderOf(trained, files)), rows, batchSize: BATCH, budgetMs: BUDGET_MS });
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
  if (row >= rows) throw new AppError("INPUT_SHAPE", say("The validation rows of this data set end at {rows}.", { rows: rows - 1 }));
  const answer = await around.host.explain(around.orgId, `${around.userId} explain ${runId}`, { ...(await orderOf(trained, around.files)), row, at, node });
  return { ...answer, step: trained.checkpoint.step, epoch: trained.checkpoint.epoch };
}

/** A node of a run's network, or null for all, and how many validation rows. */
type TensorsWanted = { runId: string; node: string | null; rows: number };
type TensorsGiven = Pick<TensorsAnswer, "tensors"> & { step: number; rows: number };

/** What one answer may take: the page writes the file, and keeps it in memory until it is saved. */
const MOST_TENSOR_BYTES = 32 * 2 ** 20;

/**
 * What nodes of a run's network give for its first validation rows, as its last checkpoint has it, in evaluation: as one batch, sequences cut to the longest of them.
 * @throws as `studyRun`
 */
export async function takeActivations(around: Around, { runId, node, rows: wanted }: TensorsWanted): Promise<TensorsGiven> {
  const trained = await findTrained(around, runId, null);
  const rows = Math.min(wanted, trained.manifest.splits.validation.rows);
  const answer = await around.host.activations(around.orgId, `${around.userId} activations ${runId}`, {
    ...(await orderOf(trained, around.files)),
    ...firstRows(rows),
    node,
  });
  if (answer.bytes > MOST_TENSOR_BYTES) throw tooMany(`For ${rows} rows these take`, answer, say("Ask for fewer rows, or for one layer."));
  if (answer.tensors.length === 0) throw new AppError("NOT_FOUND", say("This node gives nothing that has one value: what is inside a branch or a loop has many."));
  return { step: trained.checkpoint.step, rows, tensors: answer.tensors };
}

/**
 * How the loss of a run's first validation rows, taken as one batch, changes with each weight that learns, as its last checkpoint has it, in evaluation.
 * @throws as `studyRun`
 */
export async function takeGradients(around: Around, { runId, node, rows: wanted }: TensorsWanted): Promise<TensorsGiven> {
  const trained = await findTrained(around, runId, null);
  const { validation } = trained.manifest.splits;
  const rows = Math.min(wanted, validation.rows);
  const { arrays, file } = await orderOf(trained, around.files);
  const target = placeOf(trained.datasetId, around.files)(validation.target);
  const answer = await around.host.gradients(around.orgId, `${around.userId} gradients ${runId}`, {
    program: TrainSpec.parse(trained.spec).program,
    arrays: { ...arrays, more: { ...arrays.more, target } },
    file,
    ...firstRows(rows),
    node,
  });
  if (answer.bytes > MOST_TENSOR_BYTES) throw tooMany("These take", answer, say("Ask for one layer."));
  if (answer.tensors.length === 0) throw new AppError("NOT_FOUND", node === null ? say("No weight of this run learns.") : say("This layer has no weights that learn."));
  return { step: trained.checkpoint.step, rows, tensors: answer.tensors };
}

const firstRows = (rows: number) => ({ rows: Array.from({ length: rows }, (_, row) => row), mostBytes: MOST_TENSOR_BYTES });

const tooMany = (what: string, { bytes }: TensorsAnswer, advice: string) =>
  new AppError(
    "CONFIG_RANGE",
    say("{what} {value} MiB; up to {value2} are given out at once. {advice}", { what, value: printCount(Math.ceil(bytes / 2 ** 20)), value2: MOST_TENSOR_BYTES / 2 ** 20, advice }),
  );

type Trained = Awaited<ReturnType<typeof findTrained>>;

async function findTrained({ db, orgId }: Around, runId: string, wanted: number | null) {
  const run = await db.run.findUnique({
    where: { id: runId, orgId },
    select: {
      settings: true,
      spec: true,
      datasetId: true,
      dataHash: true,
      modelVersion: { select: { graph: true } },
      dataset: { select: { manifest: true, manifestHash: true, name: true } },
      checkpoints: { orderBy: { step: "desc" }, select: { id: true, step: true, epoch: true, storageKey: true, sha256: true } },
    },
  });
  if (!run) throw notFound("run");
  const { task } = StoredRunSettings.parse(run.settings);
  const made = Manifest.nullable().parse(run.dataset.manifest);
  const manifest = made && dataFor(made, task);
  if (!manifest) throw new AppError("DATASET_NOT_READY", say("{name} is not there any more as this run saw it.", { name: run.dataset.name }));
  if (run.dataHash !== null && run.dataHash !== run.dataset.manifestHash)
    throw new AppError("DATASET_NOT_READY", say("{name} was read in anew since this run was started: its rows are not those of this run any more.", { name: run.dataset.name }));
  const checkpoint = run.checkpoints.find(({ step }) => step === wanted) ?? run.checkpoints[0];
  if (!checkpoint) throw new AppError("NO_CHECKPOINT", say("This run has no checkpoint yet: the first one comes with its first evaluation."));
  return { graph: keptGraph(run.modelVersion.graph), spec: run.spec, manifest, datasetId: run.datasetId, checkpoint };
}

/** Where an array of a data set lies on this machine. */
const placeOf =
  (datasetId: string, files: FileStore) =>
  ({ file, dtype, shape, window }: RowArray): RowArray => ({ window, file: files.path(`${datasetFolder(datasetId)}/${file}`), dtype, shape });

async function orderOf({ graph, manifest, datasetId, checkpoint }: Trained, files: FileStore) {
  await bringDataset(files, datasetId, manifest);
  await files.bring(checkpoint.storageKey, checkpoint.sha256);
  const place = placeOf(datasetId, files);
  const { input, lengths, more = {} } = manifest.splits.validation;
  return {
    graph,
    preprocess: manifest.preprocess,
    arrays: { input: place(input), lengths: lengths ? place(lengths) : null, more: Object.fromEntries(Object.entries(more).map(([name, array]) => [name, place(array)])) },
    file: files.path(checkpoint.storageKey),
  };
}
