import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { say } from "../../core/language/say.ts";
import type { Evaluation, Summary } from "../../core/training/evaluation.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { type PackedHistograms, packHistogram } from "../../core/training/histograms.ts";
import type { Look } from "../../core/training/look.ts";
import type { RunMark, RunText } from "../../core/training/marks.ts";
import { Prisma } from "../../prisma/generated/client.ts";
import { type Lease, Wishes, wishes } from "../agent/lease.ts";
import type { Sender } from "../database/client.ts";
import { appendToHeld, LeaseLost, type Points, type Tails } from "../metrics/store.ts";
import { keptLatest, pruneCheckpoints } from "./checkpoints.ts";
import { isFenced, isOutage } from "./outage.ts";
import { betterOf, foldPoints, type Standing, standingOf } from "./summary.ts";

/** How much goes into one batch: a quarter of a million points take a fifth of a second, and a statement gets less than five. */
const batchBytes = 4 << 20;
/** How often a batch is written: as often as `least`, and on a machine where writing takes long, as seldom as `most`. */
const flushEveryMs = { least: 100, most: 500 };
/** How much of the machine's time writing may take, about: this thread's, and as much again of the database's. */
const share = { ofMachine: 0.008, withDatabase: 2 };
/** How long to wait before a batch is tried again while the database is away. */
const retryMs = { first: 100, most: 1_000 };

type Of<Type extends RunEvent["type"]> = Extract<RunEvent, { type: Type }>;
type LogLine = { level: "info" | "warn"; message: string; at: Date };

/** One transaction's worth. Once made it is not changed: it may have to be sent again. */
type Batch = {
  number: number;
  points: Map<string, { steps: number[]; values: (number | null)[] }>;
  totalSteps: number | null;
  progress: Of<"progress"> | null;
  /** Last step whose points are in this batch or before. */
  step: number;
  summary: Summary;
  evaluation: Evaluation | null;
  histograms: { step: number; epoch: number; packed: PackedHistograms }[];
  checkpoints: (Of<"checkpoint"> & { key: string; isBest: boolean })[];
  marks: (RunMark | RunText)[];
  /** The step that each knob took hold after, by its id. */
  turned: { [knob: string]: number };
  looks: Look[];
  log: LogLine[];
};

export type RelayOptions = {
  /** Does work in one transaction, all or nothing. */
  transact<T>(work: (tx: Sender) => Promise<T>): Promise<T>;
  lease: Lease;
  /** What was known when this lease began. */
  from: { step: number; summary: Summary; best: Standing | null };
  /** The metric by which the best checkpoint is chosen; null: the loss. */
  judgedBy: string | null;
  /** Key of a file that the engine wrote. */
  keyOf(file: string): string;
  /** What the run page shows of an evaluation. */
  describe(event: Of<"evaluated">): Evaluation;
  removeFile(key: string): Promise<void>;
  /** Called where a write was refused because the lease is over. Does not return. */
  onLost(): void;
  /** Called with what the database refused for good, a bug of ours. */
  onBroken(error: unknown): void;
  /** A sentence about a knob that took hold. */
  describeKnob(event: Of<"turned">): string;
  /** A sentence about a Breakpoint at which the run pauses. */
  describeBreak(event: Of<"broke">): string;
  /** The text that token numbers stand for. */
  describeText(tokens: readonly number[]): string;
  /** Called after each batch with what people want of the run. */
  onAsked(wishes: Wishes): void;
};

/**
 * Carries what the engine says into the database: in order, each thing exactly once, points together with
 * the progress that mentions them, a checkpoint only after every point up to it. While the database is away it keeps everything, and says how much that is.
 */
export class Relay {
  readonly #options: RelayOptions;
  #pending: RunEvent[] = [];
  #lines: LogLine[] = [];
  #pendingBytes = 0;
  #inFlight: Batch | null = null;
  #number = 0;
  #step: number;
  #summary: Summary;
  /** The best evaluation so far. */
  #best: Standing | null;
  #bestCheckpoint: number | null = null;
  #busy: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #lastFlushAt = 0;
  readonly #pace = new Pace();
  #over = false;
  /** What the run's metrics end with, as far as this relay has written them. */
  #tails: Tails = new Map();

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#step = options.from.step;
    this.#summary = options.from.summary;
    this.#best = options.from.best;
    this.#bestCheckpoint = options.from.best?.step ?? null;
  }

  /** About how much waits to be written. */
  get spoolBytes(): number {
    return this.#pendingBytes;
  }

  /** The step of the best evaluation so far. */
  get bestStep(): number | null {
    return this.#best?.step ?? null;
  }

  /** Last step that the database has, with all its points. */
  get writtenStep(): number {
    return this.#inFlight === null ? this.#step : -1;
  }

  /** Takes what the engine said. Returns at once. */
  push(events: readonly RunEvent[]): void {
    this.#pending.push(...events);
    for (const event of events) this.#pendingBytes += sizeOf(event);
    this.#schedule();
  }

  /** Adds a line to the run's log, in order with what the engine says. */
  say(level: "info" | "warn", message: string): void {
    this.#lines.push({ level, message, at: new Date() });
    this.#schedule();
  }

  /** Writes everything. Waits for as long as the database is away. */
  async drain(): Promise<void> {
    while (!this.#over && (this.#busy !== null || this.#pending.length > 0 || this.#lines.length > 0 || this.#inFlight !== null)) {
      this.#flush();
      await this.#busy;
    }
  }

  /** Writes nothing any more. */
  close(): void {
    this.#over = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#over || this.#timer !== null || this.#busy !== null || (this.#pending.length === 0 && this.#lines.length === 0)) return;
    // The first news after a quiet time goes at once; a stream of news goes up to ten times a second.
    const wait = Math.max(0, this.#lastFlushAt + this.#pace.everyMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#flush();
    }, wait);
  }

  #flush(): void {
    if (this.#busy !== null || this.#over) return;
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    this.#lastFlushAt = performance.now();
    this.#pace.count();
    this.#busy = this.#write().finally(() => {
      this.#busy = null;
      this.#schedule();
    });
  }

  async #write(): Promise<void> {
    let batch: Batch;
    try {
      batch = this.#inFlight ??= this.#take();
    } catch (error) {
      // What was taken is not whole: nothing after it may be written.
      this.#over = true;
      this.#options.onBroken(error);
      return;
    }
    for (let wait = retryMs.first; !this.#over; wait = Math.min(wait * 2, retryMs.most)) {
      try {
        const { asked, removed, tails } = await send(this.#options, batch, this.#tails);
        this.#inFlight = null;
        for (const [key, tail] of tails) this.#tails.set(key, tail);
        if (asked !== null) this.#options.onAsked(asked);
        for (const key of removed) await this.#options.removeFile(key).catch(() => {});
        return;
      } catch (error) {
        // It may have been written all the same.
        this.#tails.clear();
        if (error instanceof LeaseLost || isFenced(error)) this.#options.onLost();
        else if (!isOutage(error)) {
          this.#over = true;
          this.#options.onBroken(error);
          return;
        }
        await new Promise((resume) => setTimeout(resume, wait));
      }
    }
  }

  /** Makes one batch of what waits longest. */
  #take(): Batch {
    const batch: Batch = {
      number: ++this.#number,
      points: new Map(),
      totalSteps: null,
      progress: null,
      step: this.#step,
      summary: this.#summary,
      evaluation: null,
      histograms: [],
      checkpoints: [],
      marks: [],
      turned: {},
      looks: [],
      log: this.#lines,
    };
    let count = 0;
    let bytes = 0;
    for (; count < this.#pending.length && bytes < batchBytes; count++) bytes += sizeOf(this.#pending[count] as RunEvent);
    const events = this.#pending.splice(0, count);
    this.#pendingBytes -= bytes;
    this.#lines = [];
    for (const event of events) this.#addTo(batch, event);
    this.#step = batch.step;
    this.#summary = batch.summary;
    return batch;
  }

  #addTo(batch: Batch, event: RunEvent): void {
    switch (event.type) {
      case "started":
        batch.totalSteps = event.totalSteps;
        return;
      case "points":
        addPoints(batch, event.key, event.steps, event.values);
        return;
      case "evaluated": {
        const evaluation = this.#options.describe(event);
        const { values } = evaluation;
        for (const [name, value] of Object.entries(values)) addPoints(batch, `validation/${name}`, [event.step], [value]);
        batch.evaluation = evaluation;
        this.#best = betterOf(this.#best, standingOf(event.step, values, this.#options.judgedBy));
        return;
      }
      case "histograms": {
        const { step, epoch, weights, gradients, activations } = event;
        batch.histograms.push({
          step,
          epoch,
          packed: { weights: weights.map(packHistogram), gradients: gradients.map(packHistogram), activations: activations.map(packHistogram) },
        });
        return;
      }
      case "generated":
        batch.marks.push({ step: event.step, epoch: event.epoch, kind: "text", text: this.#options.describeText(event.tokens) });
        return;
      case "progress":
        batch.progress = event;
        return;
      case "checkpoint":
        batch.checkpoints.push({ ...event, key: this.#options.keyOf(event.file), isBest: this.#isBest(event.step) });
        return;
      case "stopped":
        batch.marks.push({ step: event.step, kind: "early-stop", text: event.message });
        return;
      case "judged":
        batch.marks.push({ step: event.step, kind: "one-batch", text: event.message });
        return;
      case "turned": {
        const text = this.#options.describeKnob(event);
        batch.totalSteps = event.totalSteps;
        batch.turned[event.id] = event.step;
        batch.marks.push({ step: event.step, kind: "knob", text });
        batch.log.push({ level: "info", message: say("{change} from step {step} on.", { change: text.slice(0, -1), step: event.step + 1 }), at: new Date() });
        return;
      }
      case "broke": {
        const text = this.#options.describeBreak(event);
        batch.marks.push({ step: event.step, kind: "breakpoint", text });
        batch.log.push({ level: "warn", message: text, at: new Date() });
        return;
      }
      case "looked": {
        const { type: _, ...look } = event;
        batch.looks.push(look);
        return;
      }
      case "log":
        batch.log.push({ level: event.level, message: event.message, at: new Date() });
    }
  }

  /** Whether the network as it was at this step is the best so far. Only a checkpoint right after an evaluation can tell. */
  #isBest(step: number): boolean {
    if (this.#best?.step !== step || this.#bestCheckpoint === step) return false;
    this.#bestCheckpoint = step;
    return true;
  }
}

/** How long to leave between two batches, so that a training does not feel that it is written down. */
class Pace {
  everyMs = flushEveryMs.least;
  #spentMs = threadMs();
  #costMs = 0;

  /** Called at each batch: what this thread has done since the last one was for that one. */
  count(): void {
    const spentMs = threadMs();
    // One slow batch among many, as the first ones are, says little.
    this.#costMs += (spentMs - this.#spentMs - this.#costMs) / 8;
    this.#spentMs = spentMs;
    const neededMs = (this.#costMs * share.withDatabase) / (share.ofMachine * availableParallelism());
    this.everyMs = Math.min(flushEveryMs.most, Math.max(flushEveryMs.least, neededMs));
  }
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function addPoints(batch: Batch, key: string, steps: readonly number[], values: readonly (number | null)[]): void {
  const series = batch.points.get(key) ?? { steps: [], values: [] };
  // One by one: where this thread stood still, a series can be longer than a call may have arguments.
  for (const step of steps) series.steps.push(step);
  for (const value of values) series.values.push(value);
  batch.points.set(key, series);
  batch.step = Math.max(batch.step, steps.at(-1) ?? 0);
  batch.summary = { ...batch.summary, [key]: foldPoints(batch.summary[key], key, steps, values) };
}

/**
 * Writes one batch, all or nothing, if and only if the lease holds and this batch is the next. A batch whose answer was lost is recognised
 * by its number and not written again.
 */
async function send({ transact, lease }: RelayOptions, batch: Batch, known: Tails): Promise<{ asked: Wishes | null; removed: string[]; tails: Tails }> {
  const { runId, orgId, token } = lease;
  return transact(async (tx) => {
    const { progress } = batch;
    const [run] = await tx.$queryRaw<{ isRunning: boolean }[]>`
      UPDATE "Run" SET
        "flushed" = ${batch.number}, "step" = greatest("step", ${batch.step}), "epoch" = ${progress === null ? Prisma.sql`"epoch"` : progress.epoch},
        "elapsedMs" = ${progress === null ? Prisma.sql`"elapsedMs"` : progress.elapsedMs},
        "stepsPerSecond" = ${progress === null ? Prisma.sql`"stepsPerSecond"` : progress.stepsPerSecond},
        "peakBytes" = greatest("peakBytes", ${progress?.peakBytes ?? null}::bigint),
        "totalSteps" = ${batch.totalSteps ?? Prisma.sql`"totalSteps"`},
        "summary" = ${JSON.stringify(batch.summary)}::jsonb,
        "evaluation" = coalesce(${batch.evaluation === null ? null : JSON.stringify(batch.evaluation)}::jsonb, "evaluation"),
        "marks" = ${batch.marks.length === 0 ? Prisma.sql`"marks"` : Prisma.sql`"marks" || ${JSON.stringify(batch.marks)}::jsonb`},
        "knobs" = ${Object.keys(batch.turned).length === 0 ? Prisma.sql`"knobs"` : placeKnobs(batch.turned)},
        "attempts" = CASE WHEN ${batch.checkpoints.length} > 0 THEN 0 ELSE "attempts" END
      WHERE "id" = ${runId}::uuid AND "leaseToken" = ${token} AND "leaseUntil" IS NOT NULL AND "flushed" = ${batch.number - 1}
      RETURNING "status" = 'running' AS "isRunning", ${wishes}`;
    if (run === undefined) {
      if (await isWritten(tx, lease, batch.number)) return { asked: null, removed: [], tails: new Map() };
      throw new LeaseLost({ id: runId, orgId }, token);
    }
    const points: Points[] = [...batch.points].map(([key, series]) => ({ key, ...series }));
    if (points.length > 0 && !run.isRunning) throw new LeaseLost({ id: runId, orgId }, token);
    const tails = points.length > 0 ? await appendToHeld(tx, { id: runId, orgId }, token, points, known) : new Map();
    await keepHistograms(tx, lease, batch.histograms);
    if (batch.log.length > 0) {
      const lines = batch.log.map(({ level, message, at }) => Prisma.sql`(${orgId}::uuid, ${runId}::uuid, ${at.toISOString()}::timestamptz, ${level}, ${message}, ${token}::int)`);
      await tx.$executeRaw`INSERT INTO "RunLog" ("orgId", "runId", "at", "level", "message", "leaseToken") VALUES ${Prisma.join(lines)}`;
    }
    for (const look of batch.looks)
      await tx.$executeRaw`
        INSERT INTO "RunLook" ("orgId", "runId", "step", "leaseToken", "look") VALUES (${orgId}::uuid, ${runId}::uuid, ${look.step}::int, ${token}::int, ${JSON.stringify(look)}::jsonb)
        ON CONFLICT ("runId", "step") DO NOTHING`;
    const { lasting, passing } = sortOut(batch.checkpoints);
    for (const checkpoint of lasting) {
      if (checkpoint.isBest) await tx.$executeRaw`UPDATE "Checkpoint" SET "isBest" = false WHERE "runId" = ${runId}::uuid AND "isBest"`;
      await tx.$executeRaw`
        INSERT INTO "Checkpoint" ("id", "orgId", "runId", "leaseToken", "step", "epoch", "storageKey", "sizeBytes", "sha256", "isBest")
        VALUES (${randomUUID()}::uuid, ${orgId}::uuid, ${runId}::uuid, ${token}, ${checkpoint.step}, ${checkpoint.epoch}, ${checkpoint.key}, ${checkpoint.sizeBytes}, ${checkpoint.sha256}, ${checkpoint.isBest})
        ON CONFLICT ("runId", "step") DO NOTHING`;
    }
    const pruned = lasting.length > 0 ? await pruneCheckpoints(tx, runId) : [];
    return { asked: Wishes.parse(run), removed: [...passing, ...pruned], tails };
  });
}

/** More epochs than a screen has room for are thinned out: every second one goes, of those before. */
const MOST_HISTOGRAMS = 120;

async function keepHistograms(tx: Sender, { runId, orgId, token }: Lease, histograms: Batch["histograms"]): Promise<void> {
  if (histograms.length === 0) return;
  const rows = histograms.map(
    ({ step, epoch, packed }) => Prisma.sql`(${orgId}::uuid, ${runId}::uuid, ${step}::int, ${epoch}::int, ${token}::int, ${JSON.stringify(packed)}::jsonb)`,
  );
  await tx.$executeRaw`INSERT INTO "RunHistogram" ("orgId", "runId", "step", "epoch", "leaseToken", "histograms") VALUES ${Prisma.join(rows)} ON CONFLICT ("runId", "step") DO NOTHING`;
  await tx.$executeRaw`
    DELETE FROM "RunHistogram" WHERE "runId" = ${runId}::uuid AND "step" IN (
      SELECT "step" FROM (SELECT "step", row_number() OVER (ORDER BY "step") AS "nth", count(*) OVER () AS "count" FROM "RunHistogram" WHERE "runId" = ${runId}::uuid) AS "each"
      WHERE "count" > ${MOST_HISTOGRAMS}::int AND "nth" % 2 = 0)`;
}

/** The run's knobs with the steps that some of them took hold after. */
const placeKnobs = (turned: Batch["turned"]) => Prisma.sql`(
  SELECT jsonb_agg(jsonb_set("knob", '{step}', coalesce(${JSON.stringify(turned)}::jsonb -> ("knob" ->> 'id'), "knob" -> 'step')) ORDER BY "at")
  FROM jsonb_array_elements("knobs") WITH ORDINALITY AS "each"("knob", "at"))`;

/** Of checkpoints that came in one batch, only the last ones and the best one will stay; a short epoch makes many that need no row at all. */
function sortOut(checkpoints: Batch["checkpoints"]): { lasting: Batch["checkpoints"]; passing: string[] } {
  const best = checkpoints.findLast(({ isBest }) => isBest);
  const lasting = checkpoints
    .filter((checkpoint, at) => checkpoint === best || at >= checkpoints.length - keptLatest)
    .map((checkpoint) => ({ ...checkpoint, isBest: checkpoint === best }));
  return { lasting, passing: checkpoints.map(({ key }) => key).filter((key) => !lasting.some((checkpoint) => checkpoint.key === key)) };
}

async function isWritten(tx: Sender, { runId, token }: Lease, number: number): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`SELECT 1 FROM "Run" WHERE "id" = ${runId}::uuid AND "leaseToken" = ${token} AND "leaseUntil" IS NOT NULL AND "flushed" = ${number}`;
  return rows.length > 0;
}

function sizeOf(event: RunEvent): number {
  if (event.type === "points") return 64 + 16 * event.steps.length;
  if (event.type === "evaluated") return 256 + Object.values(event.tensors).reduce((sum, { data }) => sum + 8 * data.length, 0) + 8 * Object.values(event.samples).flat(2).length;
  if (event.type === "looked") return 256 + 160 * Object.keys(event.nodes).length;
  if (event.type === "histograms") return 256 + 192 * (event.weights.length + event.gradients.length + event.activations.length);
  return event.type === "generated" ? 256 + 8 * event.tokens.length : 256;
}
