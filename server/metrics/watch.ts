import { setTimeout as sleep } from "node:timers/promises";
import type { Look } from "../../core/training/look.ts";
import { Prisma } from "../../prisma/generated/client.ts";
import { STREAM_CHECK_MS } from "../auth/session.ts";
import type { Database, Tx } from "../database/client.ts";
import { isDatabaseAway } from "../errors.ts";
import { readLook, readLookStep } from "../runs/looks.ts";
import { LOG_LINES, type LogLine, type RunProgress, type RunResults, readLog, readProgress, readResults, readResultsMark } from "../runs/read.ts";
import { readLastSteps, readPointsAfter, type Value } from "./query.ts";
import type { RunRef } from "./store.ts";

/** How often the database is asked, once for all watched runs. */
const POLL_MS = 100;

/** Time between two readings of a run for each of its readers: a crowd is told in larger pieces, so that it does not cost the more the larger it is. Two hundred are told twice a second. */
const PACE_MS = 2.5;

/** What happened to a run since the reader's last event. */
export type RunNews = {
  /** The run went back to a checkpoint: forget every point after this step. Comes before `points`. */
  rewindTo?: number;
  points?: { key: string; steps: number[]; values: Value[] }[];
  /** How the run stands, with its results where they are new to the reader. */
  state?: RunProgress & Partial<RunResults>;
  log?: LogLine[];
  /** The last step that was looked at, where that is new to the reader; null: none is left. */
  look?: Look | null;
};

/**
 * Where a reader stands. Kept by the reader as its last event id, so that any web process can go on from there.
 * Each metric has its own last step: a validation result arrives after the training points of later steps.
 */
export type Cursor = { rewinds: number; revision: number; log: number; steps: Map<string, number> };

export function writeCursor({ rewinds, revision, log, steps }: Cursor): string {
  return `${rewinds}:${revision}:${log}:${[...steps].map(([key, step]) => `${encodeURIComponent(key)}=${step}`).join(",")}`;
}

/** Reads a cursor back, or null where it is not one of ours: the reader then begins anew. */
export function readCursor(text: string): Cursor | null {
  const match = /^(\d{1,9}):(\d{1,10}):(\d{1,15}):((?:[\w%.!~*'()-]+=\d{1,10}(?:,|$))*)$/.exec(text);
  if (!match) return null;
  const steps = new Map<string, number>();
  for (const part of (match[4] ?? "").split(",").filter(Boolean)) {
    const [key = "", step] = part.split("=");
    try {
      steps.set(decodeURIComponent(key), Number(step));
    } catch {
      return null;
    }
  }
  return { rewinds: Number(match[1]), revision: Number(match[2]), log: Number(match[3]), steps };
}

type News = {
  cursor: Cursor;
  /** The cursor and the progress as texts: made once for all who share the reading. */
  id: string;
  standing: string;
  rewindTo: number | undefined;
  points: NonNullable<RunNews["points"]>;
  log: LogLine[];
  progress: RunProgress;
  results: Results;
  look: Look | null;
  more: boolean;
};
type Results = { mark: string; results: RunResults };
/** What of a run is large and seldom new. */
type Remembered = Pick<News, "results" | "look">;

/** Tells readers what happens to runs. One loop asks for the revisions of all watched runs; readers fetch for themselves what is new to them. */
export class Watcher {
  readonly #db: Database;
  readonly #watched = new Map<string, { revision: number; isBehind: boolean; wake: Set<() => void> }>();
  /** How many read a run, and when they were last told together. */
  readonly #crowds = new Map<string, { readers: number; toldMs: number }>();
  readonly #reading = new Map<string, Promise<News | null>>();
  readonly #results = new Map<string, Remembered>();
  #polling = false;
  #closed = false;

  constructor(db: Database) {
    this.#db = db;
  }

  /** A cursor at the present end: the reader is told of everything that becomes visible after this call. */
  async begin(run: RunRef): Promise<Cursor> {
    return this.#db.$transaction(
      async (tx) => {
        const row = await tx.run.findUnique({ where: { id: run.id, orgId: run.orgId }, select: { rewinds: true } });
        const last = await tx.runLog.findFirst({
          where: { runId: run.id, orgId: run.orgId },
          orderBy: { id: "desc" },
          select: { id: true },
        });
        // Revision 0 is none a run has after its first line: so the first news says how the run stands.
        return {
          rewinds: (row?.rewinds as unknown[] | undefined)?.length ?? 0,
          revision: 0,
          log: Number(last?.id ?? 0),
          steps: await readLastSteps(tx, run),
        };
      },
      { isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead },
    );
  }

  /**
   * Yields what is new after `cursor`, and then whatever happens, until the signal aborts or the run is deleted. While the
   * database is away it waits. Nothing is read ahead of a reader that does not take it.
   */
  async *watch(run: RunRef, cursor: Cursor, signal: AbortSignal, isAllowed: () => Promise<boolean>): AsyncGenerator<{ id: string; news: RunNews }> {
    const crowd = this.#crowds.get(run.id) ?? { readers: 0, toldMs: 0 };
    this.#crowds.set(run.id, crowd);
    crowd.readers++;
    try {
      yield* this.#follow(run, cursor, signal, isAllowed);
    } finally {
      if (--crowd.readers === 0) this.#crowds.delete(run.id);
    }
  }

  async *#follow(run: RunRef, cursor: Cursor, signal: AbortSignal, isAllowed: () => Promise<boolean>): AsyncGenerator<{ id: string; news: RunNews }> {
    let at = cursor;
    let place = writeCursor(cursor);
    let progress = "";
    let mark: string | null = null;
    let looked: number | null | undefined;
    let allowedUntil = Date.now() + STREAM_CHECK_MS;
    while (!signal.aborted && !this.#closed) {
      try {
        if (Date.now() >= allowedUntil) {
          allowedUntil = Date.now() + STREAM_CHECK_MS;
          if (!(await isAllowed())) return;
        }
        const found = await this.#read(run, at, place);
        if (found === null) return;
        at = found.cursor;
        place = found.id;
        const news: RunNews = {};
        if (found.rewindTo !== undefined) news.rewindTo = found.rewindTo;
        if (found.points.length > 0) news.points = found.points;
        if (found.log.length > 0) news.log = found.log;
        const { standing } = found;
        const hasResults = found.results.mark !== mark;
        if (standing !== progress || hasResults) news.state = { ...found.progress, ...(hasResults ? found.results.results : {}) };
        const lookStep = found.look?.step ?? null;
        if (lookStep !== looked && (lookStep !== null || looked !== undefined)) news.look = found.look;
        looked = lookStep;
        progress = standing;
        mark = found.results.mark;
        if (Object.keys(news).length > 0) yield { id: place, news };
        if (!found.more) await this.#changed(run.id, at.revision, allowedUntil - Date.now(), signal);
      } catch (error) {
        if (!isDatabaseAway(error)) throw error;
        await sleep(500, undefined, { signal }).catch(() => {});
      }
    }
  }

  close(): void {
    this.#closed = true;
    for (const { wake } of this.#watched.values()) for (const call of wake) call();
  }

  /** Readers at the same place share one reading. */
  #read(run: RunRef, cursor: Cursor, id: string): Promise<News | null> {
    const place = `${run.id} ${id}`;
    const shared = this.#reading.get(place);
    if (shared) return shared;
    const reading = readNews(this.#db, run, cursor, this.#results).finally(() => this.#reading.delete(place));
    this.#reading.set(place, reading);
    return reading;
  }

  /** Settles when the run is no longer at this revision, after `mostMs`, or when the signal aborts. */
  #changed(id: string, revision: number, mostMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((done) => {
      let watched = this.#watched.get(id);
      if (!watched) {
        watched = { revision, isBehind: false, wake: new Set() };
        this.#watched.set(id, watched);
      }
      const { wake } = watched;
      const finish = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", finish);
        wake.delete(finish);
        if (wake.size === 0) this.#watched.delete(id);
        done();
      };
      const timer = setTimeout(finish, Math.max(0, mostMs));
      signal.addEventListener("abort", finish, { once: true });
      wake.add(finish);
      // One of a crowd waits until all are told: then they stand at the same place, and share their readings.
      if (watched.revision > revision) watched.isBehind = true;
      if ((watched.isBehind && this.#paceOf(id) <= POLL_MS) || signal.aborted || this.#closed) finish();
      else void this.#poll();
    });
  }

  #paceOf(id: string): number {
    return (this.#crowds.get(id)?.readers ?? 0) * PACE_MS;
  }

  async #poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    while (this.#watched.size > 0 && !this.#closed) {
      await sleep(POLL_MS);
      try {
        const ids = [...this.#watched.keys()];
        const rows = await this.#db.$queryRaw<{ id: string; revision: number }[]>`SELECT "id", "revision" FROM "Run" WHERE "id" = ANY(${ids}::uuid[])`;
        const revisions = new Map(rows.map(({ id, revision }) => [id, revision]));
        for (const id of ids) {
          const watched = this.#watched.get(id);
          const revision = revisions.get(id) ?? Number.POSITIVE_INFINITY;
          if (!watched || (watched.revision === revision && !watched.isBehind)) continue;
          const [crowd, now] = [this.#crowds.get(id), performance.now()];
          // The revision stays unknown until then, so that the next turn finds it anew.
          if (crowd && now - crowd.toldMs < this.#paceOf(id) - POLL_MS / 2) continue;
          if (crowd) crowd.toldMs = now;
          watched.revision = revision;
          watched.isBehind = false;
          for (const call of [...watched.wake]) call();
        }
      } catch {
        // Readers find out themselves when they read.
        await sleep(500);
      }
    }
    this.#polling = false;
  }
}

/** Everything after the cursor, out of one moment of the database. Null where the run is gone. */
async function readNews(db: Database, run: RunRef, cursor: Cursor, remembered: Map<string, Remembered>): Promise<News | null> {
  return db.$transaction(
    async (tx: Tx) => {
      const row = await tx.run.findUnique({ where: { id: run.id, orgId: run.orgId }, select: { revision: true, rewinds: true } });
      if (!row) return null;
      const rewinds = row.rewinds as [number, number][];
      const missed = rewinds.slice(cursor.rewinds).map(([, step]) => step);
      const rewindTo = missed.length > 0 ? Math.min(...missed) : undefined;
      const steps = new Map([...cursor.steps].map(([key, step]) => [key, rewindTo === undefined ? step : Math.min(step, rewindTo)]));
      const { points, more } = await readPointsAfter(tx, run, steps);
      for (const series of points) steps.set(series.key, series.steps.at(-1) as number);
      const log = await readLog(tx, run, cursor.log);
      const [mark, lookStep] = [await readResultsMark(tx, run), await readLookStep(tx, run)];
      const before = remembered.get(run.id);
      const hasResults = before?.results.mark === mark;
      const hasLook = before !== undefined && (before.look?.step ?? null) === lookStep;
      const known: Remembered = {
        results: hasResults ? before.results : { mark, results: await readResults(tx, run) },
        look: hasLook ? before.look : await readLook(tx, run),
      };
      if (!hasResults || !hasLook) {
        remembered.set(run.id, known);
        // A handful of runs is looked at at a time; the oldest of many gives way.
        for (const id of remembered.keys()) if (remembered.size > 64) remembered.delete(id);
      }
      const next = { rewinds: rewinds.length, revision: row.revision, log: log.at(-1)?.id ?? cursor.log, steps };
      const progress = await readProgress(tx, run);
      return {
        cursor: next,
        id: writeCursor(next),
        standing: JSON.stringify(progress),
        rewindTo,
        points,
        log,
        progress,
        ...known,
        more: more || log.length === LOG_LINES,
      };
    },
    { isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead },
  );
}
