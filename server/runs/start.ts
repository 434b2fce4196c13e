import { createHash } from "node:crypto";
import { Manifest } from "../../core/data/manifest.ts";
import { checkGraph } from "../../core/graph/check.ts";
import type { Graph, Json } from "../../core/graph/document.ts";
import { dataFor, taskNamed } from "../../core/tasks/index.ts";
import { buildTrainSpec, planSteps } from "../../core/training/build.ts";
import { objectiveOf } from "../../core/training/objective.ts";
import { lrSchedule } from "../../core/training/schedules/index.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import type { Prisma } from "../../prisma/generated/client.ts";
import type { Config } from "../config.ts";
import type { Database, Tx } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { keptGraph } from "../models/graph.ts";
import { startKeyOf } from "../models/startWeights.ts";

/** Who starts a run, and where it belongs. */
export type Starter = { orgId: string; userId: string };
type Order = { modelId: string; settings: RunSettings; idempotencyKey: string };

/** A schedule is written out step by step into the order that is kept with the run. */
const MOST_SCHEDULED_STEPS = 1_000_000;
const MOST_STEPS = 20_000_000;

/**
 * Puts a run into the queue: the graph as it is saved now, frozen. The same key gives the same run, however often and however
 * many at once it is asked for.
 * @throws AppError GRAPH_INVALID with all problems, CONFIG_RANGE, DATASET_NOT_READY, QUEUE_FULL, IDEMPOTENCY_CONFLICT, START_WEIGHTS_MISMATCH
 */
export async function startRun(db: Database, config: Config, { orgId, userId }: Starter, order: Order): Promise<{ runId: string }> {
  const earlier = await findByKey(db, orgId, order);
  if (earlier) return earlier;
  const model = await db.model.findUnique({ where: { id: order.modelId, orgId, deletedAt: null }, select: { id: true, graph: true, startWeights: true } });
  if (!model) throw notFound("model");
  const graph = keptGraph(model.graph);
  const manifest = await requireManifest(db, orgId, order.settings);
  checkOrder(graph, order.settings, manifest);
  await requireDevice(db, order.settings);
  const spec = buildTrainSpec(graph, order.settings, manifest);
  const startKey = startKeyOf(model.startWeights, spec.program);
  const { stepsPerEpoch } = planSteps(manifest.splits.train.rows, order.settings);

  return db.$transaction(async (tx) => {
    await lockQueue(tx, orgId);
    // Another request with this key may have been quicker than the check above.
    const quicker = await findByKey(tx, orgId, order);
    if (quicker) return quicker;
    await requireRoom(tx, config, orgId);
    return insertRun(tx, {
      orgId,
      modelId: model.id,
      modelVersionId: await freezeGraph(tx, orgId, model.id, graph),
      datasetId: order.settings.datasetId,
      settings: order.settings,
      spec,
      startKey,
      totalSteps: stepsPerEpoch * order.settings.epochs,
      idempotencyKey: order.idempotencyKey,
      createdBy: userId,
    });
  });
}

/** Puts a copy of a run's order into the queue that begins with the weights of one of its checkpoints. */
export async function forkRun(
  db: Database,
  config: Config,
  { orgId, userId }: Starter,
  { runId, checkpointId }: { runId: string; checkpointId: string },
): Promise<{ runId: string }> {
  return db.$transaction(async (tx) => {
    await lockQueue(tx, orgId);
    const source = await tx.run.findUnique({
      where: { id: runId, orgId },
      select: {
        modelId: true,
        modelVersionId: true,
        datasetId: true,
        settings: true,
        spec: true,
        totalSteps: true,
        checkpoints: { where: { id: checkpointId, orgId }, select: { id: true } },
      },
    });
    if (!source) throw notFound("run");
    const { checkpoints, settings, spec, ...order } = source;
    if (!checkpoints[0]) throw notFound("checkpoint");
    await requireRoom(tx, config, orgId);
    return insertRun(tx, {
      orgId,
      ...order,
      settings: settings as Prisma.InputJsonObject,
      spec: spec as Prisma.InputJsonObject,
      startCheckpointId: checkpoints[0].id,
      createdBy: userId,
    });
  });
}

async function findByKey(tx: Tx, orgId: string, { idempotencyKey, modelId, settings }: Order): Promise<{ runId: string } | null> {
  const found = await tx.run.findUnique({
    where: { orgId_idempotencyKey: { orgId, idempotencyKey } },
    select: { id: true, modelId: true, settings: true },
  });
  if (!found) return null;
  if (found.modelId !== modelId || canonical(found.settings) !== canonical(settings))
    throw new AppError("IDEMPOTENCY_CONFLICT", "This idempotency key has already started another run: use a new key for a new order.", {
      details: { runId: found.id },
    });
  return { runId: found.id };
}

/** A data set that can be trained on, as the task sees it. @throws AppError NOT_FOUND, DATASET_NOT_READY, CONFIG_RANGE */
export async function requireManifest(db: Database, orgId: string, { datasetId, task }: Pick<RunSettings, "datasetId" | "task">): Promise<Manifest> {
  const found = await db.dataset.findUnique({ where: { id: datasetId, orgId }, select: { status: true, name: true, manifest: true } });
  if (!found) throw notFound("data set");
  if (found.status === "failed") throw new AppError("DATASET_NOT_READY", `${found.name} could not be read in; its page says why.`);
  const manifest = Manifest.nullable().parse(found.manifest);
  if (found.status !== "ready" || !manifest) throw new AppError("DATASET_NOT_READY", `${found.name} is still being read in: try again when it is ready.`);
  const seen = dataFor(manifest, task);
  if (!seen)
    throw new AppError("CONFIG_RANGE", `${task === undefined ? "This task" : taskNamed(task).title} cannot be learned from ${found.name}: choose another data set or task.`, {
      details: { field: "task" },
    });
  return seen;
}

export function checkOrder(graph: Graph, settings: RunSettings, manifest: Manifest): void {
  const { problems } = checkGraph(graph, { ...objectiveOf(settings), data: manifest });
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) {
    const [first] = errors;
    throw new AppError("GRAPH_INVALID", errors.length === 1 ? (first?.message ?? "") : `The graph has ${errors.length} problems; the first: ${first?.message}`, {
      details: { problems: errors },
    });
  }
  const { stepsPerEpoch } = planSteps(manifest.splits.train.rows, settings);
  const steps = stepsPerEpoch * settings.epochs;
  const limit = lrSchedule(settings, { stepsPerEpoch: 1, totalSteps: 1 }).kind === "table" ? MOST_SCHEDULED_STEPS : MOST_STEPS;
  if (steps > limit)
    throw new AppError(
      "CONFIG_RANGE",
      `${settings.epochs} epochs of ${stepsPerEpoch} steps are ${steps} steps; the limit with this schedule is ${limit}. Train fewer epochs or take a larger batch.`,
      { details: { field: "epochs", limit } },
    );
  if (settings.batchSize > manifest.splits.train.rows)
    throw new AppError("CONFIG_RANGE", `A batch of ${settings.batchSize} is larger than the ${manifest.splits.train.rows} training rows.`, {
      details: { field: "batchSize", limit: manifest.splits.train.rows },
    });
}

/** Where agents have told what they have, a device that none of them has is refused now rather than when the run begins. */
async function requireDevice(db: Database, { device }: RunSettings): Promise<void> {
  if (device === "cpu") return;
  const agents = await db.$queryRaw<
    { cuda: boolean | null }[]
  >`SELECT ("engine" ->> 'cuda')::boolean AS "cuda" FROM "Agent" WHERE "seenAt" > now() - interval '10 seconds' AND "engine" IS NOT NULL`;
  if (agents.length > 0 && !agents.some(({ cuda }) => cuda))
    throw new AppError("CONFIG_RANGE", "No NVIDIA GPU is to be had here: train on the CPU.", { details: { field: "device" } });
}

/** One start at a time in an organization: so numbers have no gaps, and limits and keys hold under any rush. */
export async function lockQueue(tx: Tx, orgId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${orgId}, 0))`;
}

/** @throws AppError QUEUE_FULL. Needs the queue's lock. */
export async function requireRoom(tx: Tx, config: Config, orgId: string): Promise<void> {
  const queued = await tx.run.count({ where: { orgId, status: "queued" } });
  if (queued >= config.MAX_QUEUED_RUNS)
    throw new AppError("QUEUE_FULL", `${queued} runs are waiting already, as many as may: wait for one to begin, or cancel one.`, {
      details: { limit: config.MAX_QUEUED_RUNS },
    });
}

/** The version that holds this graph: an earlier one where the graph is the same, else a new one. */
async function freezeGraph(tx: Tx, orgId: string, modelId: string, graph: Graph): Promise<string> {
  const graphHash = createHash("sha256").update(canonical(graph)).digest("hex");
  const same = await tx.modelVersion.findUnique({ where: { modelId_graphHash: { modelId, graphHash }, orgId }, select: { id: true } });
  if (same) return same.id;
  const { _max } = await tx.modelVersion.aggregate({ where: { orgId, modelId }, _max: { number: true } });
  return (await tx.modelVersion.create({ data: { orgId, modelId, number: (_max.number ?? 0) + 1, graph, graphHash }, select: { id: true } })).id;
}

async function insertRun(tx: Tx, data: Omit<Prisma.RunUncheckedCreateInput, "number">): Promise<{ runId: string }> {
  const { _max } = await tx.run.aggregate({ where: { orgId: data.orgId, modelId: data.modelId }, _max: { number: true } });
  const { id } = await tx.run.create({ data: { ...data, number: (_max.number ?? 0) + 1 }, select: { id: true } });
  return { runId: id };
}

/** JSON with sorted keys: the database gives objects back in an order of its own. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item as { [key: string]: Json }).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
