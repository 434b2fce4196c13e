import { randomUUID } from "node:crypto";
import { say } from "../../core/language/say.ts";
import { StoredRunSettings } from "../../core/training/settings.ts";
import { TrainSpec } from "../../core/training/spec.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { keptGraph } from "../models/graph.ts";
import type { StartWeights } from "../models/startWeights.ts";
import type { FileStore, StoredFile } from "../storage/files.ts";

/**
 * A new model beside a run's own, with the graph and settings that the run had and a copy of a checkpoint's weights to start from: so it
 * stays when the run is deleted, and graph, data and settings can be changed before it is trained.
 * @throws AppError NOT_FOUND, NO_CHECKPOINT, CHECKPOINT_CHECKSUM with the checkpoint before it
 */
export async function openCheckpoint(around: Around, which: Which): Promise<{ modelId: string }> {
  const { run, epoch, startWeights } = await takeCheckpoint(around, which);
  const settings = StoredRunSettings.nullable().catch(null).parse(run.settings);
  const { id } = await around.db.model.create({
    data: {
      orgId: around.orgId,
      projectId: run.model.projectId,
      name: `${run.model.name.slice(0, 80)} from run ${run.number}, epoch ${epoch}`,
      graph: keptGraph(run.modelVersion.graph),
      datasetId: run.datasetId,
      startWeights,
      ...(settings === null ? {} : { settings }),
    },
    select: { id: true },
  });
  return { modelId: id };
}

type Around = { db: Database; files: FileStore; orgId: string };
type Which = { runId: string; checkpointId: string };

/**
 * A copy of a checkpoint's weights, and the run that they came out of.
 * @throws AppError as `openCheckpoint`
 */
export async function takeCheckpoint({ db, files, orgId }: Around, { runId, checkpointId }: Which) {
  const run = await db.run.findUnique({
    where: { id: runId, orgId },
    select: {
      number: true,
      settings: true,
      spec: true,
      datasetId: true,
      model: { select: { name: true, projectId: true } },
      modelVersion: { select: { graph: true } },
      checkpoints: { where: { id: checkpointId, orgId }, select: { step: true, epoch: true, storageKey: true, sha256: true } },
    },
  });
  if (!run) throw notFound("run");
  const [checkpoint] = run.checkpoints;
  if (!checkpoint) throw notFound("checkpoint");
  const copy = await copyCheckpoint(files, checkpoint).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (copy?.sha256 !== checkpoint.sha256) {
    if (copy !== null) await files.remove(copy.key);
    const before = await db.checkpoint.findFirst({ where: { runId, orgId, step: { lt: checkpoint.step } }, orderBy: { step: "desc" }, select: { id: true, step: true } });
    throw new AppError(
      copy === null ? "NO_CHECKPOINT" : "CHECKPOINT_CHECKSUM",
      before === null
        ? say("The checkpoint at step {step} is {gone, select, true {no longer there} other {damaged: its SHA-256 is not the recorded one}}. There is none before it.", {
            step: checkpoint.step,
            gone: String(copy === null),
          })
        : say(
            "The checkpoint at step {step} is {gone, select, true {no longer there} other {damaged: its SHA-256 is not the recorded one}}. Take the one before it, at step {before}.",
            { step: checkpoint.step, gone: String(copy === null), before: before.step },
          ),
      { details: { before } },
    );
  }
  const { weights } = TrainSpec.parse(run.spec).program;
  const startWeights: StartWeights = {
    storageKey: copy.key,
    sizeBytes: copy.sizeBytes,
    sha256: copy.sha256,
    fileName: `Run ${run.number}, step ${checkpoint.step}`,
    runId,
    importedAt: new Date().toISOString(),
    matched: weights.length,
    total: weights.length,
    shapes: Object.fromEntries(weights.map(({ name, shape }) => [name, shape])),
  };
  return { run, epoch: checkpoint.epoch, startWeights };
}

async function copyCheckpoint(files: FileStore, { storageKey, sha256 }: { storageKey: string; sha256: string }): Promise<StoredFile> {
  await files.bring(storageKey, sha256);
  return files.put(`weights/${randomUUID()}.safetensors`, files.stream(storageKey));
}
