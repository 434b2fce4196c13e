import { availableParallelism } from "node:os";
import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import type { Graph } from "../../core/graph/document.ts";
import { untuned } from "../../core/graph/tuning.ts";
import { DEPTHS, depthFor, planFineTune, recommend, secondsOf, whyNotFineTune } from "../../core/pretrained/fineTune.ts";
import { findPretrained, pretrained } from "../../core/pretrained/index.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { runChild } from "../ingest/child.ts";
import { WeightsAnswer } from "../ingest/model.ts";
import { inTurn, rootOf } from "../ingest/upload.ts";
import { Id } from "../input.ts";
import { requireManifest, startRun } from "../runs/start.ts";
import type { FileStore } from "../storage/files.ts";
import { startWeightsOf, weightsKey } from "./import.ts";
import { placeModel } from "./place.ts";
import type { StartWeights } from "./startWeights.ts";

type Tuner = { db: Database; files: FileStore; config: Config; orgId: string; userId: string };

export const FineTune = z.strictObject({
  datasetId: Id,
  networkId: z.string().max(64),
  depth: z.enum(DEPTHS).optional(),
  /** Trains the same network from drawn weights too, to say what the pretrained ones are worth. */
  compare: z.boolean().default(false),
  idempotencyKey: z.string().min(8).max(100),
});

/** The networks that can be fine-tuned on a data set, the one to take first in front, each with what would be done and about how long it takes. */
export async function listFineTunes(db: Database, orgId: string, datasetId: string) {
  const row = await db.dataset.findUnique({ where: { id: datasetId, orgId }, select: { name: true, status: true, manifest: true } });
  if (!row) throw notFound("data set");
  const manifest = Manifest.nullable().parse(row.manifest);
  const networks = pretrained.map((network) => {
    const why = manifest ? whyNotFineTune(network, manifest) : "The data set is still being read in.";
    const { id } = network;
    if (why !== null || !manifest) return { id, why: why ?? "", depth: null, plans: [] };
    const plans = DEPTHS.map((depth) => {
      const { size, settings, graph } = planFineTune(network, manifest, { depth });
      return { depth, size, epochs: settings.epochs, ...secondsOf(graph, settings, manifest, availableParallelism()) };
    });
    return { id, why: null, depth: depthFor(manifest.splits.train.rows), plans };
  });
  const rows = manifest ? { train: manifest.splits.train.rows, validation: manifest.splits.validation.rows } : null;
  const able = networks.flatMap(({ id, depth, plans }) => plans.filter((plan) => plan.depth === depth).map(({ seconds }) => ({ id, seconds })));
  const first = recommend(able);
  networks.sort((a, b) => Number(b.id === first) - Number(a.id === first));
  return { name: row.name, rows, classes: manifest?.classes.length ?? 0, networks };
}

/**
 * Makes a model of a pretrained network with a new head for a data set's classes, and starts its training. The same key gives the same run.
 * @throws AppError NOT_FOUND, CONFIG_RANGE where the network cannot learn from the data set, and as `startRun`
 */
export async function fineTune({ db, files, config, orgId, userId }: Tuner, input: z.infer<typeof FineTune>): Promise<{ modelId: string; runId: string }> {
  const { datasetId, networkId, depth, compare, idempotencyKey } = input;
  const earlier = await db.run.findUnique({ where: { orgId_idempotencyKey: { orgId, idempotencyKey } }, select: { id: true, modelId: true } });
  if (earlier) return { modelId: earlier.modelId, runId: earlier.id };
  const network = findPretrained(networkId);
  if (!network) throw notFound("pretrained network");
  const manifest = await requireManifest(db, orgId, { datasetId, task: undefined });
  const why = whyNotFineTune(network, manifest);
  if (why !== null) throw new AppError("CONFIG_RANGE", why, { details: { field: "datasetId" } });
  const plan = planFineTune(network, manifest, { depth });
  const settings: RunSettings = { ...plan.settings, datasetId };
  const key = weightsKey();
  const answer = await inTurn(() =>
    runChild(["pretrained", rootOf(files), network.id, key], WeightsAnswer, { input: JSON.stringify(plan.graph), fileBytes: network.weights.sizeBytes }),
  );
  if (!answer.ok || !answer.weights) throw new AppError("PRETRAINED_UNREADABLE", answer.ok ? `${network.title} has no weights for this graph.` : answer.failure.message);
  const weights = startWeightsOf(answer.weights, `${network.title}, pretrained`);
  const { name } = await db.dataset.findUniqueOrThrow({ where: { id: datasetId, orgId }, select: { name: true } });
  const start = async (model: string, graph: Graph, startWeights: StartWeights | null, runKey: string) => {
    const modelId = await placeModel(db, orgId, { name: model.slice(0, 120), graph, startWeights, datasetId, settings });
    const { runId } = await startRun(db, config, { orgId, userId }, { modelId, settings, idempotencyKey: runKey });
    return { modelId, runId };
  };
  const tuned = await start(`${name} with ${network.title}`, plan.graph, weights, idempotencyKey).catch(async (error: unknown) => {
    await files.remove(key).catch(() => {});
    throw error;
  });
  if (compare) await start(`${name} from scratch`, untuned(plan.graph), null, scratchKey(idempotencyKey));
  return tuned;
}

/** The key of the run that trains the same network from drawn weights. */
export function scratchKey(idempotencyKey: string): string {
  return `${idempotencyKey}:scratch`;
}
