import { mkdir } from "node:fs/promises";
import { relative } from "node:path";
import { z } from "zod";
import { decodeText } from "../../core/data/text.ts";
import { nameOfNode } from "../../core/graph/find.ts";
import { say } from "../../core/language/say.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { describeBreak } from "../../core/training/breakpoints.ts";
import type { Summary } from "../../core/training/evaluation.ts";
import type { Failure, RunEvent } from "../../core/training/events.ts";
import { describeTurn, knobOf, RunKnob } from "../../core/training/knobs.ts";
import { EngineError, type EngineInfo, type Training, train } from "../../native/index.ts";
import { type Lease, pauseLease, requeueRun, until, type Wishes } from "../agent/lease.ts";
import type { Config } from "../config.ts";
import { type Database, transact } from "../database/client.ts";
import { bringDataset } from "../ingest/place.ts";
import type { Log } from "../log.ts";
import { LeaseLost, rewindMetrics, rewindStages } from "../metrics/store.ts";
import { STOPPED } from "../runs/change.ts";
import type { FileStore } from "../storage/files.ts";
import { checkpointFolder, findResumePoint, type GoodCheckpoint, removeOrphans } from "./checkpoints.ts";
import { openSamples, Samples } from "./evaluation.ts";
import { exitCodes, loseLease } from "./exit.ts";
import { Handover } from "./handover.ts";
import { readBest, readSummary } from "./history.ts";
import { keepLease, whileKept } from "./keep.ts";
import { type LoadedRun, memoryLimitBytes, placeSpec } from "./load.ts";
import { isFenced, isStoreAway, untilDatabase, untilStore } from "./outage.ts";
import { Relay } from "./relay.ts";
import { findShortage, isDiskFull, say as tell, waitForSpace } from "./space.ts";
import type { Standing } from "./summary.ts";
import { Vitals } from "./vitals.ts";
import { Watchdog } from "./watchdog.ts";

/** What a trainer has at hand. */
export type Bench = { db: Database; files: FileStore; config: Config; engine: EngineInfo; log: Log /** Aborted when the process is asked to end. */; stop: AbortSignal };

/** `ended`: the run has ended, and its exports are to be made. `requeued`: it waits for another trainer. `over`: nothing is left to do, as where it is paused. */
export type Outcome = "ended" | "requeued" | "over";

/** After a wish to cancel, the engine gets this long to reach the end of its step. */
const cancelPatienceMs = 10_000;

/** Why the engine was told to stop between steps. */
type Pause = "cancel" | "pause" | "breakpoint" | "stop" | "spool";

/** A wish outweighs those before it: the lesser ones would start the run again. */
const weights: { [pause in Pause]: number } = { spool: 0, stop: 1, breakpoint: 2, pause: 3, cancel: 4 };

/**
 * Trains one claimed run to its end: goes on from its last good checkpoint, carries what the engine says into the database, and leaves the
 * run in the state that it deserves. Every write is fenced by the lease.
 * @throws LeaseLost where the lease is over: the process must end at once.
 */
export async function trainRun(bench: Bench, lease: Lease, run: LoadedRun): Promise<Outcome> {
  const { db, files, config, log } = bench;
  if (run.cancelRequested) return endRun(bench, lease, null);
  if (run.dataHash !== null && run.manifestHash !== run.dataHash)
    return endRun(bench, lease, {
      code: "DATA_MISMATCH",
      message: say("The data set was read in anew since this run was started, and is not the same any more. Start a new run on it."),
      step: run.step,
    });

  // Reading them, or a checkpoint of many gigabytes to see whether it is sound, can take longer than a lease.
  const kept = <T>(work: () => Promise<T>) => whileKept(db, lease, config.LEASE_MS, () => loseLease(log, lease), work);
  const stored = <T>(work: () => Promise<T>) =>
    untilStore(work, bench.stop, () => void tell(bench, lease, "warn", say("The file store does not answer: the run goes on once it does.")).catch(() => {}));
  const bring = async () => {
    await stored(async () => {
      await bringDataset(files, run.datasetId, run.manifest);
      if (run.startKey !== null) await files.bring(run.startKey);
    });
    return openSamples(files, run);
  };
  const samples = await kept(bring).catch((error: unknown) => error);
  if (isStoreAway(samples)) return (await requeueRun(db, lease)) ? "requeued" : "over";
  if (!(samples instanceof Samples))
    return endRun(bench, lease, { code: "DATA_MISMATCH", message: say("The data set's files are not what its manifest says. Ingest it again."), step: run.step }, samples);

  const folder = files.path(`runs/${lease.runId}`);
  for (;;) {
    const point = await kept(() => stored(() => untilDatabase(() => resumeAt(bench, lease, run)))).catch((error: unknown) => {
      if (isStoreAway(error)) return null;
      throw error;
    });
    if (point === null) return (await requeueRun(db, lease)) ? "requeued" : "over";
    const attempt = await trainFrom(bench, lease, run, point, samples);
    if (attempt.kind === "damaged" && point.checkpoint !== null) {
      // Its bytes are those that were written, and still the engine cannot read it: the one before it may do.
      const { id, step } = point.checkpoint;
      log.warn({ runId: lease.runId, step }, "checkpoint refused by the engine");
      await untilDatabase(() => db.$executeRaw`DELETE FROM "Checkpoint" WHERE "id" = ${id}::uuid`);
      continue;
    }
    if (attempt.kind === "paused" && attempt.pause === "spool") {
      log.info({ runId: lease.runId }, "spool is written; training goes on");
      continue;
    }
    if (attempt.kind === "full" || (attempt.kind === "failed" && attempt.failure.code === "INTERNAL" && (await findShortage(folder, run.spec)) !== null)) {
      const reason = await waitForSpace(bench, lease, folder, run.spec);
      if (reason === "room") continue;
      if (reason === "pause") return rest(bench, lease, { byHand: true });
      if (reason === "stop") return (await requeueRun(db, lease)) ? "requeued" : "over";
      return endRun(bench, lease, null);
    }
    if (attempt.kind === "paused" && (attempt.pause === "pause" || attempt.pause === "breakpoint")) return rest(bench, lease, { byHand: attempt.pause === "pause" });
    if (attempt.kind === "paused" && attempt.pause === "stop") return (await requeueRun(db, lease)) ? "requeued" : "over";
    return endRun(bench, lease, attempt.kind === "failed" ? attempt.failure : attempt.kind === "damaged" ? attempt.failure : null);
  }
}

/** Lays the run aside, unless somebody has cancelled it meanwhile. */
async function rest(bench: Bench, lease: Lease, how: { byHand: boolean }): Promise<Outcome> {
  if (!(await untilDatabase(() => pauseLease(bench.db, lease, how)))) return endRun(bench, lease, null);
  bench.log.info({ runId: lease.runId }, "run paused");
  return "over";
}

/** Where a lease's training begins. */
type Point = { checkpoint: GoodCheckpoint | null; step: number; summary: Summary; best: Standing | null; knobs: RunKnob[]; lines: string[] };

/** Finds the last good checkpoint and cuts the run back to it: metrics, progress, evaluation, and the checkpoints that are damaged. */
async function resumeAt({ db, files, engine }: Bench, lease: Lease, run: LoadedRun): Promise<Point> {
  const { good, damaged } = await findResumePoint(db, files, lease.runId);
  const step = good?.step ?? 0;
  const ref = { id: lease.runId, orgId: lease.orgId };
  for (const stage of await rewindStages(db, ref, step)) await db.$transaction((tx) => rewindMetrics(tx, ref, lease.token, stage));
  const { summary, best, knobs } = await db.$transaction(async (tx): Promise<Pick<Point, "summary" | "best" | "knobs">> => {
    // A knob at the checkpoint's own step takes hold anew, and is marked anew.
    const [row] = await tx.$queryRaw<{ knobs: unknown }[]>`
      UPDATE "Run" SET "engineBuild" = ${engine.build}, "step" = ${step}, "epoch" = ${good?.epoch ?? 0}, "flushed" = 0,
        "evaluation" = CASE WHEN ("evaluation" ->> 'step')::int > ${step} THEN NULL ELSE "evaluation" END,
        "marks" = (SELECT coalesce(jsonb_agg("mark" ORDER BY "at"), '[]') FROM jsonb_array_elements("marks") WITH ORDINALITY AS "each"("mark", "at") WHERE ("mark" ->> 'step')::int < ${step} + CASE WHEN "mark" ->> 'kind' = 'knob' THEN 0 ELSE 1 END)
      WHERE "id" = ${lease.runId}::uuid AND "leaseToken" = ${lease.token} AND "status" = 'running' RETURNING "knobs"`;
    if (row === undefined) throw new LeaseLost(ref, lease.token);
    const knobs = z.array(RunKnob).parse(row.knobs);
    for (const { id } of damaged) await tx.$executeRaw`DELETE FROM "Checkpoint" WHERE "id" = ${id}::uuid`;
    const kept = await tx.$queryRaw<unknown[]>`SELECT 1 FROM "MetricChunk" WHERE "runId" = ${lease.runId}::uuid LIMIT 1`;
    if (kept.length === 0) return { summary: {}, best: null, knobs };
    await rewindMetrics(tx, ref, lease.token, step);
    const folded = await readSummary(tx, ref);
    await tx.$executeRaw`UPDATE "Run" SET "summary" = ${JSON.stringify(folded)}::jsonb WHERE "id" = ${lease.runId}::uuid`;
    return { summary: folded, best: await readBest(tx, ref, taskNamed(run.manifest.task).judgedBy), knobs };
  });
  await removeOrphans(db, files, lease.runId);
  const lines = damaged.map(({ step: lost }) => `The checkpoint at step ${lost} is damaged (its SHA-256 is not the recorded one) and was set aside.`);
  if (run.engineBuild !== null && run.engineBuild !== engine.build)
    lines.push(`The engine is another build than before (${run.engineBuild}, now ${engine.build}): from here on numbers may differ in their last digits.`);
  if (good === null && (damaged.length > 0 || run.step > 0)) lines.push("There is no checkpoint to go on from: training starts from the beginning.");
  return { checkpoint: good, step, summary, best, knobs, lines };
}

/** `full`: the disk took no more. */
type Attempt = { kind: "finished" } | { kind: "full" } | { kind: "paused"; pause: Pause } | { kind: "failed"; failure: Failure } | { kind: "damaged"; failure: Failure };

/** One call of the engine, from a point to its end or to a pause. When it returns, everything that the engine said is in the database. */
async function trainFrom(bench: Bench, lease: Lease, run: LoadedRun, point: Point, samples: Samples): Promise<Attempt> {
  const { db, files, config, log, stop } = bench;
  const spec = placeSpec(run, lease, files, {
    checkpointEveryMs: config.CHECKPOINT_EVERY_MS,
    maxRuns: config.MAX_RUNS,
    memoryLimitBytes: memoryLimitBytes(config),
    resumeKey: point.checkpoint?.storageKey ?? null,
    knobs: point.knobs,
  });
  const root = files.path("runs/x").slice(0, -"runs/x".length);
  let pause = null as Pause | null;
  let broken = null as unknown;
  let training = null as Training | null;
  let patience = null as NodeJS.Timeout | null;

  const ask = (reason: Pause) => {
    if (pause !== null && weights[pause] >= weights[reason]) return;
    pause = reason;
    training?.cancel();
    if (reason === "spool") log.warn({ runId: lease.runId, spoolBytes: config.SPOOL_BYTES }, "spool is full; training waits for the database");
    if (reason === "cancel") patience ??= setTimeout(() => giveUpOnEngine(bench, lease, "It did not stop within 10 s of being asked to."), cancelPatienceMs);
  };
  const lost = () => loseLease(log, lease);
  const known = new Map(point.knobs.map((knob) => [knob.id, knob]));
  const asked = ({ cancelRequested, pauseRequested, knobs }: Wishes) => {
    if (cancelRequested) ask("cancel");
    else if (pauseRequested) ask("pause");
    // One that comes before the engine is there waits for the next question.
    const fresh = training === null ? [] : knobs.filter(({ id }) => !known.has(id));
    for (const knob of fresh) known.set(knob.id, knob);
    if (fresh.length > 0) training?.turn(fresh.map(knobOf));
  };
  const onBroken = (error: unknown) => {
    broken = error;
    training?.cancel();
  };
  const keyOf = (file: string) => relative(root, file).replaceAll("\\", "/");
  const relay: Relay = new Relay({
    transact: (work) => transact(db, work),
    lease,
    from: point,
    judgedBy: taskNamed(run.manifest.task).judgedBy,
    keyOf,
    describe: (event) => samples.describe(event),
    removeFile: (key) => handover.remove(key),
    onLost: lost,
    onBroken,
    describeText: (tokens) => decodeText(tokens, run.manifest.text ?? { tokens: [] }),
    describeKnob: ({ id, before }) => {
      const knob = known.get(id);
      return knob ? describeTurn(knob.turn, before, (path) => nameOfNode(run.graph, path)) : "A setting was changed.";
    },
    describeBreak: (event) => describeBreak(event, (path) => nameOfNode(run.graph, path)),
    onAsked: asked,
  });
  const handover: Handover = new Handover({
    files,
    keyOf,
    push: (events) => relay.push(events),
    bestStep: () => relay.bestStep,
    say: (level, message) => relay.say(level, message),
    onBroken,
    stop,
  });
  const settle = async () => {
    await handover.drain();
    await relay.drain();
    // What the relay's last rows replaced.
    await handover.drain();
  };
  for (const line of point.lines) relay.say("info", line);
  const keeping = keepLease(db, lease, config.LEASE_MS, { lost, asked });
  const onStop = () => ask("stop");
  stop.addEventListener("abort", onStop);
  const lookEveryMs = Math.min(1_000, config.STUCK_AFTER_MS / 4);
  const watchdog = new Watchdog({
    stuckAfterMs: config.STUCK_AFTER_MS,
    evaluationSteps: Math.ceil(spec.data.validation.rows / spec.batchSize),
    lookEveryMs,
    now: performance.now(),
  });
  const vitals = new Vitals({ gpu: spec.device === "cuda", firstStep: point.step, push: (events) => relay.push(events) });
  const watching = setInterval(() => {
    const silentMs = watchdog.stuckForMs(performance.now());
    if (silentMs === null) return;
    clearInterval(watching);
    void failStuck(bench, lease, relay, silentMs);
  }, lookEveryMs);

  try {
    const onEvents = (events: RunEvent[]) => {
      watchdog.hear(events, performance.now());
      vitals.hear(events);
      handover.hear(events);
      // The engine stops by itself.
      if (events.some(({ type }) => type === "broke")) ask("breakpoint");
      if (relay.spoolBytes > config.SPOOL_BYTES) ask("spool");
    };
    if (stop.aborted) return { kind: "paused", pause: "stop" };
    await mkdir(files.path(checkpointFolder(lease)), { recursive: true });
    training = train(spec, onEvents);
    if (pause !== null) training.cancel();
    // From here on nothing is waited for but the database, and that for as long as it is away.
    const result = await training.done.finally(() => clearInterval(watching));
    vitals.close();
    await settle();
    if (broken !== null) return { kind: "failed", failure: internal(broken, log) };
    if (result.status === "finished") return { kind: "finished" };
    return { kind: "paused", pause: pause ?? "stop" };
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    await settle();
    if (isDiskFull(error)) return { kind: "full" };
    if (!(error instanceof EngineError)) return { kind: "failed", failure: internal(error, log) };
    log.warn({ runId: lease.runId, failure: error.failure }, "engine refused to go on");
    return { kind: error.failure.code === "CHECKPOINT_CORRUPT" ? "damaged" : "failed", failure: error.failure };
  } finally {
    vitals.close();
    handover.close();
    relay.close();
    keeping.stop();
    clearInterval(watching);
    if (patience !== null) clearTimeout(patience);
    stop.removeEventListener("abort", onStop);
  }
}

/**
 * Ends a run. A run that somebody wished to cancel ends cancelled, even where its last step was already done; one whose best somebody wished
 * to keep ends finished. Where there is something to
 * export, the lease is kept for that, in full: it may have run out while the database was away.
 */
async function endRun({ db, config, log }: Bench, lease: Lease, failure: Failure | null, cause?: unknown): Promise<Outcome> {
  if (cause !== undefined) log.error({ runId: lease.runId, error: cause }, "run failed");
  const rows = await untilDatabase(
    () => db.$queryRaw<{ status: string }[]>`
      UPDATE "Run" SET
        "status" = CASE WHEN "cancelRequestedAt" IS NOT NULL AND NOT "keepBest" THEN 'cancelled' WHEN "keepBest" OR ${failure === null} THEN 'finished' ELSE 'failed' END::"RunStatus",
        "failure" = CASE WHEN "cancelRequestedAt" IS NOT NULL THEN NULL ELSE ${failure === null ? null : JSON.stringify(failure)}::jsonb END,
        "marks" = CASE WHEN "keepBest" AND "step" < "totalSteps" THEN "marks" || jsonb_build_array(jsonb_build_object('step', "step", 'kind', 'stop', 'text', ${STOPPED}::text)) ELSE "marks" END,
        "endedAt" = clock_timestamp(), "attempts" = 0,
        "leaseUntil" = CASE WHEN "cancelRequestedAt" IS NULL AND ${failure !== null} THEN NULL ELSE ${until(config.LEASE_MS)} END,
        "owner" = CASE WHEN "cancelRequestedAt" IS NULL AND ${failure !== null} THEN NULL ELSE "owner" END
      WHERE "id" = ${lease.runId}::uuid AND "leaseToken" = ${lease.token} AND "status" = 'running' RETURNING "status"::text`,
  );
  const status = rows[0]?.status;
  log.info({ runId: lease.runId, status, failure }, "run ended");
  // Nothing changed: the lease is over, or the answer to the same update was lost and this is its second sending.
  if (status === undefined) return (await hasEnded(db, lease)) ? "ended" : "over";
  return status === "failed" ? "over" : "ended";
}

async function hasEnded(db: Database, { runId, token }: Lease): Promise<boolean> {
  const rows = await untilDatabase(
    () =>
      db.$queryRaw<unknown[]>`SELECT 1 FROM "Run" WHERE "id" = ${runId}::uuid AND "leaseToken" = ${token} AND "leaseUntil" IS NOT NULL AND "status" IN ('finished', 'cancelled')`,
  );
  return rows.length > 0;
}

/** The engine's thread cannot be stopped but with its process. */
async function failStuck(bench: Bench, lease: Lease, relay: Relay, silentMs: number): Promise<void> {
  const seconds = Math.round(silentMs / 1_000);
  await relay.drain().catch(() => {});
  await endRun(bench, lease, {
    code: "NO_PROGRESS",
    message: say("No progress: not one step in {seconds} s, so the run was stopped. A loop that does not end, or a machine that is too busy, can be why.", { seconds }),
    step: relay.writtenStep,
  }).catch(() => {});
  process.exit(exitCodes.engineGivenUp);
}

async function giveUpOnEngine(bench: Bench, lease: Lease, why: string): Promise<void> {
  bench.log.error({ runId: lease.runId }, why);
  await endRun(bench, lease, null).catch(() => {});
  process.exit(exitCodes.engineGivenUp);
}

function internal(error: unknown, log: Log): Failure {
  if (isFenced(error)) throw error;
  log.error({ error }, "training failed for a reason of ours");
  return { code: "INTERNAL", message: say("Something in Tensorloom itself failed; its log says what. The run can be resumed from its last checkpoint.") };
}
