import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import { checkGraph } from "../../core/graph/check.ts";
import type { Graph } from "../../core/graph/document.ts";
import { say } from "../../core/language/say.ts";
import { dataFor, taskNamed } from "../../core/tasks/index.ts";
import { buildTrainSpec, planSteps } from "../../core/training/build.ts";
import { RunKnob } from "../../core/training/knobs.ts";
import { fittingBatch, memoryModel } from "../../core/training/memory.ts";
import { whyNoMixup } from "../../core/training/mixup.ts";
import { objectiveOf } from "../../core/training/objective.ts";
import type { Forecast } from "../../core/training/probe.ts";
import { lrSchedule } from "../../core/training/schedules/index.ts";
import { type RunSettings, StoredRunSettings } from "../../core/training/settings.ts";
import { TrainSpec } from "../../core/training/spec.ts";
import { Prisma } from "../../prisma/generated/client.ts";
import { limitsOf, requireStorage } from "../accounts/quotas.ts";
import type { Config } from "../config.ts";
import type { Database, Tx } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { keptGraph } from "../models/graph.ts";
import { readStartWeights, startKeyOf } from "../models/startWeights.ts";
import { canonical, freezeGraph } from "../models/versions.ts";
import { memoryLimitBytes } from "../trainer/load.ts";
import type { StartedFrom } from "./lineage.ts";
import { forecastOf } from "./measurements.ts";

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
  const { manifest, manifestHash } = await requireData(db, orgId, order.settings);
  checkOrder(graph, order.settings, manifest);
  await requireDevice(db, order.settings);
  const spec = buildTrainSpec(graph, order.settings, manifest);
  const forecast = forecastOf(graph, order.settings, manifest, spec);
  requireMemory(config, order.settings, forecast, memoryModel(graph, order.settings, manifest));
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
      dataHash: manifestHash,
      settings: order.settings,
      spec,
      forecast,
      startKey,
      startedFrom: startedFrom(model.startWeights),
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
        dataHash: true,
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

/**
 * Puts the very same order into the queue once more: on the same machine and engine the new run comes to the same numbers, bit for bit.
 * Settings that were turned on the way are turned again at the same steps.
 */
export async function repeatRun(db: Database, config: Config, { orgId, userId }: Starter, runId: string): Promise<{ runId: string }> {
  return db.$transaction(async (tx) => {
    await lockQueue(tx, orgId);
    const source = await tx.run.findUnique({
      where: { id: runId, orgId },
      select: {
        modelId: true,
        modelVersionId: true,
        datasetId: true,
        dataHash: true,
        settings: true,
        spec: true,
        startCheckpointId: true,
        startKey: true,
        startedFrom: true,
        knobs: true,
      },
    });
    if (!source) throw notFound("run");
    const { settings, spec, knobs, ...order } = source;
    await requireRoom(tx, config, orgId);
    const { data, batchSize, accumulate, epochs } = TrainSpec.parse(spec);
    return insertRun(tx, {
      orgId,
      ...order,
      settings: settings as Prisma.InputJsonObject,
      spec: spec as Prisma.InputJsonObject,
      knobs: z
        .array(RunKnob)
        .parse(knobs)
        .filter(({ step }) => step !== null),
      totalSteps: planSteps(data.train.rows, { batchSize, accumulate }).stepsPerEpoch * epochs,
      createdBy: userId,
    });
  });
}

/**
 * Orders a run anew with a smaller batch, of which as many are accumulated as make up the old one: a step learns from as many rows as before.
 * @throws AppError as `startRun`
 */
export async function shrinkRun(
  db: Database,
  config: Config,
  { orgId, userId }: Starter,
  { runId, batchSize, idempotencyKey }: { runId: string; batchSize: number; idempotencyKey: string },
): Promise<{ runId: string }> {
  const source = await db.run.findUnique({
    where: { id: runId, orgId },
    select: {
      modelId: true,
      modelVersionId: true,
      datasetId: true,
      settings: true,
      startCheckpointId: true,
      startKey: true,
      startedFrom: true,
      modelVersion: { select: { graph: true } },
    },
  });
  if (!source) throw notFound("run");
  const { settings: stored, modelVersion, ...order } = source;
  const before = StoredRunSettings.parse(stored);
  const settings = { ...before, batchSize, accumulate: Math.min(1024, Math.max(1, Math.round((before.accumulate * before.batchSize) / batchSize))) };
  const graph = keptGraph(modelVersion.graph);
  const { manifest, manifestHash } = await requireData(db, orgId, settings);
  checkOrder(graph, settings, manifest);
  await requireDevice(db, settings);
  const spec = buildTrainSpec(graph, settings, manifest);
  const forecast = forecastOf(graph, settings, manifest, spec);
  requireMemory(config, settings, forecast, memoryModel(graph, settings, manifest));
  return db.$transaction(async (tx) => {
    await lockQueue(tx, orgId);
    const earlier = await findByKey(tx, orgId, { idempotencyKey, modelId: order.modelId, settings });
    if (earlier) return earlier;
    await requireRoom(tx, config, orgId);
    const totalSteps = planSteps(manifest.splits.train.rows, settings).stepsPerEpoch * settings.epochs;
    return insertRun(tx, {
      orgId,
      ...order,
      dataHash: manifestHash,
      settings,
      spec,
      forecast,
      totalSteps,
      idempotencyKey,
      createdBy: userId,
    });
  });
}

/** What the run's page says of the weights that it starts from, whatever becomes of the model's. */
function startedFrom(startWeights: unknown): StartedFrom | undefined {
  const weights = readStartWeights(startWeights);
  return weights ? { name: weights.fileName, runId: weights.runId ?? null } : undefined;
}

async function findByKey(tx: Tx, orgId: string, { idempotencyKey, modelId, settings }: Order): Promise<{ runId: string } | null> {
  const found = await tx.run.findUnique({
    where: { orgId_idempotencyKey: { orgId, idempotencyKey } },
    select: { id: true, modelId: true, settings: true },
  });
  if (!found) return null;
  if (found.modelId !== modelId || canonical(found.settings) !== canonical(settings))
    throw new AppError("IDEMPOTENCY_CONFLICT", say("This idempotency key has already started another run: use a new key for a new order."), {
      details: { runId: found.id },
    });
  return { runId: found.id };
}

export async function requireManifest(db: Database, orgId: string, order: Pick<RunSettings, "datasetId" | "task">): Promise<Manifest> {
  return (await requireData(db, orgId, order)).manifest;
}

/** A data set that can be trained on, as the task sees it, and the hash by which it is known again. @throws AppError NOT_FOUND, DATASET_NOT_READY, CONFIG_RANGE */
async function requireData(
  db: Database,
  orgId: string,
  { datasetId, task }: Pick<RunSettings, "datasetId" | "task">,
): Promise<{ manifest: Manifest; manifestHash: string | null }> {
  const found = await db.dataset.findUnique({ where: { id: datasetId, orgId }, select: { status: true, name: true, manifest: true, manifestHash: true } });
  if (!found) throw notFound("data set");
  if (found.status === "failed") throw new AppError("DATASET_NOT_READY", say("{name} could not be read in; its page says why.", { name: found.name }));
  const manifest = Manifest.nullable().parse(found.manifest);
  if (found.status !== "ready" || !manifest) throw new AppError("DATASET_NOT_READY", say("{name} is still being read in: try again when it is ready.", { name: found.name }));
  const seen = dataFor(manifest, task);
  if (!seen)
    throw new AppError(
      "CONFIG_RANGE",
      say("{his} cannot be learned from {name}: choose another data set or task.", { his: task === undefined ? say("This task") : taskNamed(task).title, name: found.name }),
      {
        details: { field: "task" },
      },
    );
  return { manifest: seen, manifestHash: found.manifestHash };
}

export function checkOrder(graph: Graph, settings: RunSettings, manifest: Manifest): void {
  const { problems } = checkGraph(graph, { ...objectiveOf(settings), data: manifest });
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) {
    const [first] = errors;
    throw new AppError(
      "GRAPH_INVALID",
      errors.length === 1 ? (first?.message ?? "") : say("The graph has {length} problems; the first: {message}", { length: errors.length, message: first?.message ?? "" }),
      {
        details: { problems: errors },
      },
    );
  }
  const { stepsPerEpoch } = planSteps(manifest.splits.train.rows, settings);
  const steps = stepsPerEpoch * settings.epochs;
  const limit = lrSchedule(settings, { stepsPerEpoch: 1, totalSteps: 1 }).kind === "table" ? MOST_SCHEDULED_STEPS : MOST_STEPS;
  if (steps > limit)
    throw new AppError(
      "CONFIG_RANGE",
      say("{epochs} epochs of {stepsPerEpoch} steps are {steps} steps; the limit with this schedule is {limit}. Train fewer epochs or take a larger batch.", {
        epochs: settings.epochs,
        stepsPerEpoch,
        steps,
        limit,
      }),
      { details: { field: "epochs", limit } },
    );
  const unmixable = settings.mixup > 0 ? whyNoMixup(manifest, graph) : null;
  if (unmixable !== null) throw new AppError("CONFIG_RANGE", unmixable, { details: { field: "mixup" } });
  if (settings.batchSize > manifest.splits.train.rows)
    throw new AppError(
      "CONFIG_RANGE",
      say("A batch of {batchSize} is larger than the {rows} training rows.", { batchSize: settings.batchSize, rows: manifest.splits.train.rows }),
      {
        details: { field: "batchSize", limit: manifest.splits.train.rows },
      },
    );
}

/** What was measured decides; where nothing was, the model of memory does. On a GPU its own memory is the limit. */
function requireMemory(config: Config, { batchSize, device }: RunSettings, forecast: Forecast, model: ReturnType<typeof memoryModel>): void {
  const limitBytes = memoryLimitBytes(config);
  if (device !== "cpu" || forecast.peakBytes <= limitBytes) return;
  const fits = fittingBatch(model, batchSize, limitBytes);
  const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  const gaps = { batchSize, needed: mib(forecast.peakBytes), limit: mib(limitBytes) };
  throw new AppError(
    "GRAPH_MEMORY",
    fits === null
      ? say("With a batch of {batchSize} training would take about {needed}, and the limit is {limit}. Not even one row would fit: make the network smaller.", gaps)
      : say("With a batch of {batchSize} training would take about {needed}, and the limit is {limit}. The largest batch that fits is {fits}.", { ...gaps, fits }),
    { details: { field: "batchSize", fits, limitBytes } },
  );
}

/** Where agents have told what they have, a device that none of them has is refused now rather than when the run begins. */
async function requireDevice(db: Database, { device }: RunSettings): Promise<void> {
  if (device === "cpu") return;
  const agents = await db.$queryRaw<
    { cuda: boolean | null }[]
  >`SELECT ("engine" ->> 'cuda')::boolean AS "cuda" FROM "Agent" WHERE "seenAt" > now() - interval '10 seconds' AND "engine" IS NOT NULL`;
  if (agents.length > 0 && !agents.some(({ cuda }) => cuda))
    throw new AppError("CONFIG_RANGE", say("No NVIDIA GPU is to be had here: train on the CPU."), { details: { field: "device" } });
}

/** One start at a time in an organization: so numbers have no gaps, and limits and keys hold under any rush. */
export async function lockQueue(tx: Tx, orgId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${orgId}, 0))`;
}

/** @throws AppError QUEUE_FULL, STORAGE_FULL. Needs the queue's lock. */
export async function requireRoom(tx: Tx, config: Config, orgId: string): Promise<void> {
  const { queued: limit } = await limitsOf(tx, config, orgId);
  const queued = await tx.run.count({ where: { orgId, status: "queued" } });
  if (queued >= limit)
    throw new AppError("QUEUE_FULL", say("{queued} runs are waiting already, as many as may: wait for one to begin, or cancel one.", { queued }), { details: { limit } });
  await requireStorage(tx, config, orgId);
}

async function insertRun(
  tx: Tx,
  { startedFrom, ...data }: Omit<Prisma.RunUncheckedCreateInput, "number" | "startedFrom"> & { startedFrom?: Prisma.JsonValue },
): Promise<{ runId: string }> {
  const { _max } = await tx.run.aggregate({ where: { orgId: data.orgId, modelId: data.modelId }, _max: { number: true } });
  const { id } = await tx.run.create({ data: { ...data, startedFrom: startedFrom ?? Prisma.DbNull, number: (_max.number ?? 0) + 1 }, select: { id: true } });
  return { runId: id };
}
