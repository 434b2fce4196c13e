import { tracked } from "@trpc/server";
import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import { ChartLayout } from "../../core/runs/charts.ts";
import { dataFor } from "../../core/tasks/index.ts";
import { HISTOGRAM_KINDS } from "../../core/training/histograms.ts";
import { droppables } from "../../core/training/knobs.ts";
import { fittingBatch, memoryModel } from "../../core/training/memory.ts";
import { RunSettings, StoredRunSettings } from "../../core/training/settings.ts";
import { TrainSpec } from "../../core/training/spec.ts";
import { org, router } from "../auth/procedure.ts";
import { isSessionAlive } from "../auth/session.ts";
import type { Database } from "../database/client.ts";
import { notFound } from "../errors.ts";
import { Id, SettingsInput } from "../input.ts";
import { queryOverlay } from "../metrics/overlay.ts";
import { queryMetrics } from "../metrics/query.ts";
import { type RunNews, readCursor } from "../metrics/watch.ts";
import { keptGraph } from "../models/graph.ts";
import { cancelRun, deleteRun, pauseRun, resumeRun, stopRun } from "../runs/change.ts";
import { compareRuns, frozenGraph, RunIds } from "../runs/compare.ts";
import { listEndings } from "../runs/endings.ts";
import { findLr } from "../runs/findLr.ts";
import { readLineage } from "../runs/lineage.ts";
import { countRuns, GroupRuns, groupRuns, ListRuns, lineFields, listColumns, listRuns, RunQuestion, toLine } from "../runs/list.ts";
import { listLooks, readLook, readPulse } from "../runs/looks.ts";
import { findBatch, measure } from "../runs/measure.ts";
import { openCheckpoint } from "../runs/openCheckpoint.ts";
import { listTags, Organize, organizeRuns, setNotes } from "../runs/organize.ts";
import { readHistograms, readLog, readResults } from "../runs/read.ts";
import { forkRun, repeatRun, shrinkRun, startRun } from "../runs/start.ts";
import { explainRow, studyRun, takeActivations, takeGradients } from "../runs/study.ts";
import { readTrainer } from "../runs/trainer.ts";
import { TurnOrder, turnKnob } from "../runs/turn.ts";
import { host } from "./preview.ts";

const RunId = z.strictObject({ runId: Id });
/** A node of a run's network, or null for all of them, and how many rows. */
const LayerRows = z.strictObject({ runId: Id, node: z.string().min(1).max(1200).nullable(), rows: z.int().min(1).max(1_024) });
const Step = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const ReadMetrics = z.strictObject({
  runId: Id,
  keys: z.array(z.string().max(200)).max(100).optional(),
  fromStep: Step.optional(),
  toStep: Step.optional(),
  maxPoints: z.int().min(1).max(10_000).default(1_000),
});
/** What of a run's order says what may be turned; a schedule written out step by step is not read through for it. */
const Turnable = z.object(TrainSpec.pick({ program: true, data: true, oneBatch: true }).shape);
const StartRun = z.strictObject({ modelId: Id, settings: SettingsInput, idempotencyKey: z.string().min(8).max(128) });

export const runs = router({
  list: org("viewer")
    .input(ListRuns)
    .query(({ ctx, input }) => listRuns(ctx.db, ctx.orgId, input)),

  /** How many runs a list has in all. */
  count: org("viewer")
    .input(RunQuestion)
    .query(({ ctx, input }) => countRuns(ctx.db, ctx.orgId, input)),

  /** Every setting and metric that a table of runs can show. */
  columns: org("viewer").query(({ ctx }) => listColumns(ctx.db, ctx.orgId)),

  groups: org("viewer")
    .input(GroupRuns)
    .query(({ ctx, input }) => groupRuns(ctx.db, ctx.orgId, input)),

  tags: org("viewer").query(({ ctx }) => listTags(ctx.db, ctx.orgId)),

  /** Tags, locks, trashes, restores, cancels or deletes many runs at once. */
  organize: org("member")
    .input(Organize)
    .mutation(({ ctx, input }) => organizeRuns(ctx.db, ctx.files, ctx.orgId, input)),

  /** Runs side by side, with a reading of each. */
  compare: org("viewer")
    .input(z.strictObject({ runIds: RunIds }))
    .query(({ ctx, input }) => compareRuns(ctx.db, ctx.orgId, input.runIds)),

  /** Where a run's first weights came from, and which runs went on from its own. */
  lineage: org("viewer")
    .input(RunId)
    .query(({ ctx, input }) => readLineage(ctx.db, ctx.orgId, input.runId)),

  /** The graph that a run froze. */
  graph: org("viewer")
    .input(RunId)
    .query(({ ctx, input }) => frozenGraph(ctx.db, ctx.orgId, input.runId)),

  /** One metric of many runs, over the same steps. */
  overlay: org("viewer")
    .input(z.strictObject({ runIds: RunIds, key: z.string().max(200), fromStep: Step.optional(), toStep: Step.optional(), mostStretches: z.int().min(8).max(2_000).default(400) }))
    .query(async ({ ctx: { db, orgId }, input }) => {
      const runIds = [...new Set(input.runIds)];
      if ((await db.run.count({ where: { orgId, id: { in: runIds } } })) !== runIds.length) throw notFound("run");
      return queryOverlay(db, orgId, { ...input, runIds });
    }),

  /** The person's own runs that ended since they last asked. */
  endings: org("viewer")
    .input(z.strictObject({ since: z.iso.datetime().optional() }))
    .query(({ ctx, input }) => listEndings(ctx.db, ctx, input.since === undefined ? null : new Date(input.since))),

  setNotes: org("member")
    .input(z.strictObject({ runId: Id, notes: z.string().max(10_000) }))
    .mutation(({ ctx, input }) => setNotes(ctx.db, ctx.orgId, input.runId, input.notes)),

  get: org("viewer")
    .input(RunId)
    .query(({ ctx, input }) => getRun(ctx.db, ctx.orgId, input.runId)),

  start: org("member")
    .input(StartRun)
    .mutation(({ ctx, input }) => startRun(ctx.db, ctx.config, { orgId: ctx.orgId, userId: ctx.userId }, input)),

  /** The curve of a search for a learning rate, and the rate that it suggests. Leaves nothing behind. */
  findLr: org("member")
    .input(z.strictObject({ modelId: Id, settings: SettingsInput }))
    .mutation(({ ctx, input, signal }) => findLr(ctx.db, ctx.config, { orgId: ctx.orgId, ...input, ...(signal ? { signal } : {}) })),

  /** How long a step and an evaluation take and what they hold, by some real steps of a throw-away copy. */
  measure: org("member")
    .input(z.strictObject({ modelId: Id, settings: SettingsInput }))
    .mutation(({ ctx, input, signal }) => measure(ctx.db, ctx.config, { orgId: ctx.orgId, ...input, ...(signal ? { signal } : {}) })),

  /** Batches that double, measured one after another, and the one from which on throughput no longer gains. */
  findBatch: org("member")
    .input(z.strictObject({ modelId: Id, settings: SettingsInput }))
    .mutation(({ ctx, input, signal }) => findBatch(ctx.db, ctx.config, { orgId: ctx.orgId, ...input, ...(signal ? { signal } : {}) })),

  /** A new run of a run's drawing with a smaller batch, of which as many are accumulated as make up the old one. */
  shrink: org("member")
    .input(z.strictObject({ runId: Id, batchSize: RunSettings.shape.batchSize, idempotencyKey: StartRun.shape.idempotencyKey }))
    .mutation(({ ctx, input }) => shrinkRun(ctx.db, ctx.config, { orgId: ctx.orgId, userId: ctx.userId }, input)),

  cancel: org("member")
    .input(RunId)
    .mutation(({ ctx, input }) => cancelRun(ctx.db, ctx.orgId, input.runId)),

  /** Ends a running run as finished, with the best of what it has come to. */
  stop: org("member")
    .input(RunId)
    .mutation(({ ctx, input }) => stopRun(ctx.db, ctx.orgId, input.runId)),

  /** Lays a run aside with a checkpoint; it frees its trainer. */
  pause: org("member")
    .input(RunId)
    .mutation(({ ctx, input }) => pauseRun(ctx.db, ctx.orgId, input.runId)),

  /** Changes learning rate, dropout or batch size of a run that has not finished. */
  turn: org("member")
    .input(z.strictObject({ runId: Id, turn: TurnOrder }))
    .mutation(({ ctx, input }) => turnKnob(ctx.db, ctx, input.runId, input.turn)),

  /** Lets a run that was paused, cancelled or failed go on from its last checkpoint. */
  resume: org("member")
    .input(RunId)
    .mutation(({ ctx, input }) => resumeRun(ctx.db, ctx.config, ctx.orgId, input.runId)),

  /** A new run with the same order that begins with a checkpoint's weights. */
  fork: org("member")
    .input(z.strictObject({ runId: Id, checkpointId: Id }))
    .mutation(({ ctx, input }) => forkRun(ctx.db, ctx.config, { orgId: ctx.orgId, userId: ctx.userId }, input)),

  /** A new run with the same order, which comes to the same numbers. */
  repeat: org("member")
    .input(RunId)
    .mutation(({ ctx, input }) => repeatRun(ctx.db, ctx.config, { orgId: ctx.orgId, userId: ctx.userId }, input.runId)),

  /** A new model with the graph of a run, whose own runs begin with a checkpoint's weights. */
  openCheckpoint: org("member")
    .input(z.strictObject({ runId: Id, checkpointId: Id }))
    .mutation(({ ctx, input }) => openCheckpoint(ctx, input)),

  delete: org("member")
    .input(RunId)
    .mutation(({ ctx, input }) => deleteRun(ctx.db, ctx.files, ctx.orgId, input.runId)),

  metrics: org("viewer")
    .input(ReadMetrics)
    .query(async ({ ctx: { db, orgId }, input: { runId, ...question } }) => {
      await requireRun(db, orgId, runId);
      return { series: await queryMetrics(db, { id: runId, orgId }, question) };
    }),

  /** What one node, with all inside it, did at each step that was looked at. */
  looks: org("viewer")
    .input(z.strictObject({ runId: Id, node: z.string().min(1).max(2_000) }))
    .query(async ({ ctx: { db, orgId }, input: { runId, node } }) => {
      await requireRun(db, orgId, runId);
      return listLooks(db, { runId, orgId, node });
    }),

  /** Whether the trainer of a run that trains still gives signs of life. */
  trainer: org("viewer")
    .input(RunId)
    .query(({ ctx: { db, orgId, config }, input: { runId } }) => readTrainer(db, orgId, runId, config.LEASE_MS)),

  /** How the model's newest run that trains stands, node by node; null where none trains. */
  pulse: org("viewer")
    .input(z.strictObject({ modelId: Id }))
    .query(({ ctx, input }) => readPulse(ctx.db, ctx.orgId, input.modelId)),

  /** How weights, gradients or activations were spread as epochs ended. */
  histograms: org("viewer")
    .input(z.strictObject({ runId: Id, kind: z.enum(HISTOGRAM_KINDS) }))
    .query(({ ctx, input }) => readHistograms(ctx.db, ctx.orgId, input)),

  /** What the network says of many validation rows: curves, certainty, errors, and which rows are taken for what. */
  study: org("viewer")
    .input(z.strictObject({ runId: Id, step: Step.nullable() }))
    .query(({ ctx, input }) => studyRun({ ...ctx, host }, input)),

  /** What in a validation row speaks for an answer. */
  explain: org("viewer")
    .input(z.strictObject({ runId: Id, step: Step.nullable(), row: z.int().min(0), at: z.int().min(0).max(100_000).nullable(), node: z.string().min(1).max(1200).nullable() }))
    .query(({ ctx, input }) => explainRow({ ...ctx, host }, input)),

  /** What layers give for the first validation rows, to be taken along. */
  activations: org("viewer")
    .input(LayerRows)
    .query(({ ctx, input }) => takeActivations({ ...ctx, host }, input)),

  /** How the loss of the first validation rows changes with weights, to be taken along. */
  gradients: org("viewer")
    .input(LayerRows)
    .query(({ ctx, input }) => takeGradients({ ...ctx, host }, input)),

  log: org("viewer")
    .input(z.strictObject({ runId: Id, after: z.int().min(0).default(0) }))
    .query(async ({ ctx: { db, orgId }, input: { runId, after } }) => {
      await requireRun(db, orgId, runId);
      return readLog(db, { id: runId, orgId }, after);
    }),

  /** Everything that happens to a run, as it happens. Goes on exactly after `lastEventId`; without one it begins now. */
  watch: org("viewer")
    .input(z.strictObject({ runId: Id, lastEventId: z.string().max(8_192).nullish() }))
    .subscription(async ({ ctx: { db, system, orgId, watcher, who }, input: { runId, lastEventId }, signal = new AbortController().signal }) => {
      const run = { id: runId, orgId };
      await requireRun(db, orgId, runId);
      // Found before the stream opens: what becomes visible after the reader knows that it listens is in the stream.
      const cursor = (lastEventId ? readCursor(lastEventId) : null) ?? (await watcher.begin(run));
      return track(watcher.watch(run, cursor, signal, () => isSessionAlive(system, who)));
    }),
});

async function* track(events: AsyncGenerator<{ id: string; news: RunNews }>) {
  for await (const { id, news } of events) yield tracked(id, news);
}

async function requireRun(db: Database, orgId: string, id: string): Promise<void> {
  if ((await db.run.count({ where: { id, orgId } })) === 0) throw notFound("run");
}

async function getRun(db: Database, orgId: string, id: string) {
  const row = await db.run.findUnique({
    where: { id, orgId },
    select: {
      ...lineFields,
      engineBuild: true,
      dataHash: true,
      spec: true,
      startCheckpoint: { select: { step: true, run: { select: { id: true, number: true } } } },
      modelVersion: { select: { number: true, graph: true, graphHash: true } },
      dataset: { select: { id: true, name: true, builtin: true, manifest: true } },
      model: { select: { name: true, project: { select: { id: true, name: true, charts: true } } } },
    },
  });
  if (!row) throw notFound("run");
  const settings = StoredRunSettings.parse(row.settings);
  const made = Manifest.nullable().parse(row.dataset.manifest);
  const manifest = made && dataFor(made, settings.task);
  const spec = Turnable.parse(row.spec);
  const graph = keptGraph(row.modelVersion.graph);
  const summary = toLine(row);
  const { failure } = summary;
  return {
    ...summary,
    ...(await readResults(db, { id, orgId })),
    /** The last step that was looked at node by node; null while none was. */
    look: await readLook(db, { id, orgId }),
    graph,
    settings,
    dataset: {
      id: row.dataset.id,
      name: row.dataset.name,
      builtin: row.dataset.builtin,
      task: manifest?.task ?? null,
      rows: { train: manifest?.splits.train.rows ?? 0, validation: manifest?.splits.validation.rows ?? 0 },
      classes: manifest?.classes ?? [],
      /** Classes that the data set has beside what this run learns: an autoencoder of digits knows nothing of which is which. */
      labels: made?.classes ?? [],
      columns: manifest?.columns ?? [],
      text: manifest?.text ?? null,
      series: manifest?.series ?? null,
      inputShape: manifest?.splits.train.input.shape ?? [],
      /** How a person's own pictures came into shape: one that is tried takes the same way. */
      pictures: manifest?.pictures ? { fit: manifest.pictures.fit, colour: manifest.pictures.colour } : null,
    },
    project: { ...row.model.project, charts: ChartLayout.nullable().catch(null).parse(row.model.project.charts) },
    modelVersion: row.modelVersion.number,
    engineBuild: row.engineBuild,
    /** A batch with which a run that ran out of memory ought to fit; null where none would, or it did not. */
    fittingBatch:
      manifest && failure?.code === "OUT_OF_MEMORY" && failure.limitBytes
        ? fittingBatch(memoryModel(graph, settings, manifest), settings.batchSize, failure.limitBytes, failure.neededBytes)
        : null,
    /** SHA-256 of the data set's manifest when the run was started. */
    dataHash: row.dataHash,
    graphHash: row.modelVersion.graphHash,
    /** What may be turned while it trains: nodes that drop numbers, with the share they began with, and the largest batch. */
    turnable: { dropouts: droppables(spec.program), rows: spec.data.train.rows, oneBatch: spec.oneBatch === true },
    /** Where its first weights came from, if from another run. */
    forkedFrom: row.startCheckpoint ? { runId: row.startCheckpoint.run.id, number: row.startCheckpoint.run.number, step: row.startCheckpoint.step } : null,
  };
}
