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

/** Time between two readings of a run for each of its readers: a crowd is told in larger pieces, so that it does not cost the more the larger it is. Two hundred are told about once a second. */
const PACE_MS = 4.5;
const MOST_PACE_MS = 2_000;

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
  return `${rewinds}:${revision}:${log}:${[...steps]
    .map(([key, step]) => `${encodeURIComponent(key)}=${step}`)
    .sort()
    .join(",")}`;
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

/** Where a reader stands and what it was told of. Those who were told the same share one. */
type Standpoint = { cursor: Cursor; id: string; standing: string; mark: string | null; looked: number | null | undefined };
/** What a reader hears next: the same object for all who heard the same before, so that it is made into text once. */
type Told = { news: RunNews; next: Standpoint; more: boolean };
/** What of a run is large and seldom new. */
type Remembered = { mark: string; results: RunResults; look: Look | null };

/** Those who read one run and have heard all there was. */
type Crowd = {
  readonly run: RunRef;
  readers: number;
  /** When they were last told together, and whether they are being told now. */
  toldMs: number;
  telling: boolean;
  readonly waiting: Map<Standpoint, Set<Waiter>>;
};
/** Hears what is new; null: the run is gone; undefined: nothing yet. */
type Waiter = { told: (told: Told | null | undefined) => void; failed: (error: unknown) => void };

/**
 * Tells readers what happens to runs. One loop asks for the revisions of all watched runs, and reads what is new once for all readers of a run, wherever each of them
 * stands: from the first of their places on, and to each what lies behind its own. A reader that comes, or that was away for long, first reads alone until it has caught up.
 */
export class Watcher {
  readonly #db: Database;
  readonly #crowds = new Map<string, Crowd>();
  readonly #reading = new Map<string, Promise<Told | null>>();
  readonly #remembered = new Map<string, Remembered>();
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
    const place = `${run.orgId} ${run.id}`;
    const crowd = this.#crowds.get(place) ?? { run, readers: 0, toldMs: 0, telling: false, waiting: new Map() };
    this.#crowds.set(place, crowd);
    crowd.readers++;
    try {
      yield* this.#follow(crowd, cursor, signal, isAllowed);
    } finally {
      if (--crowd.readers === 0) this.#crowds.delete(place);
    }
  }

  async *#follow(crowd: Crowd, cursor: Cursor, signal: AbortSignal, isAllowed: () => Promise<boolean>): AsyncGenerator<{ id: string; news: RunNews }> {
    let at: Standpoint = { cursor, id: writeCursor(cursor), standing: "", mark: null, looked: undefined };
    let isBehind = true;
    let allowedUntil = Date.now() + STREAM_CHECK_MS;
    while (!signal.aborted && !this.#closed) {
      try {
        if (Date.now() >= allowedUntil) {
          allowedUntil = Date.now() + STREAM_CHECK_MS;
          if (!(await isAllowed())) return;
        }
        const told: Told | null | undefined = isBehind ? await this.#catchUp(crowd.run, at) : await this.#hear(crowd, at, allowedUntil - Date.now(), signal);
        if (told === null) return;
        if (told === undefined) continue;
        at = told.next;
        isBehind = told.more;
        if (Object.keys(told.news).length > 0) yield { id: at.id, news: told.news };
      } catch (error) {
        if (!isDatabaseAway(error)) throw error;
        await sleep(500, undefined, { signal }).catch(() => {});
      }
    }
  }

  close(): void {
    this.#closed = true;
    for (const { waiting } of this.#crowds.values()) for (const waiters of waiting.values()) for (const { told } of waiters) told(undefined);
  }

  /** Reads for one that is behind; several at the same place share one reading. */
  #catchUp(run: RunRef, at: Standpoint): Promise<Told | null> {
    const place = [run.id, at.id, at.mark, at.looked, at.standing].join(" ");
    const shared = this.#reading.get(place);
    if (shared) return shared;
    const reading = this.#read(run, [at])
      .then((found) => found?.get(at) ?? null)
      .finally(() => this.#reading.delete(place));
    this.#reading.set(place, reading);
    return reading;
  }

  #read(run: RunRef, standpoints: readonly Standpoint[]): Promise<Map<Standpoint, Told> | null> {
    return readNews(this.#db, run, standpoints, this.#remembered);
  }

  /** Settles with the crowd's next news, or with nothing after `mostMs` or when the signal aborts. */
  #hear({ waiting }: Crowd, at: Standpoint, mostMs: number, signal: AbortSignal): Promise<Told | null | undefined> {
    return new Promise((done, fail) => {
      const waiters = waiting.get(at) ?? new Set();
      waiting.set(at, waiters);
      const leave = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
        waiters.delete(waiter);
        if (waiters.size === 0 && waiting.get(at) === waiters) waiting.delete(at);
      };
      const waiter: Waiter = {
        told(told) {
          leave();
          done(told);
        },
        failed(error) {
          leave();
          fail(error);
        },
      };
      const stop = () => waiter.told(undefined);
      const timer = setTimeout(stop, Math.max(0, mostMs));
      signal.addEventListener("abort", stop, { once: true });
      waiters.add(waiter);
      if (signal.aborted || this.#closed) stop();
      else void this.#poll();
    });
  }

  async #poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    while (this.#crowds.size > 0 && !this.#closed) {
      await sleep(POLL_MS);
      try {
        const crowds = [...this.#crowds.values()].filter(({ waiting, telling }) => waiting.size > 0 && !telling);
        if (crowds.length === 0) continue;
        const ids = crowds.map(({ run }) => run.id);
        const rows = await this.#db.$queryRaw<{ id: string; revision: number }[]>`SELECT "id", "revision" FROM "Run" WHERE "id" = ANY(${ids}::uuid[])`;
        const revisions = new Map(rows.map(({ id, revision }) => [id, revision]));
        for (const crowd of crowds) {
          const behind = [...crowd.waiting.keys()].filter(({ cursor }) => cursor.revision !== revisions.get(crowd.run.id));
          const now = performance.now();
          if (behind.length === 0 || now - crowd.toldMs < Math.min(MOST_PACE_MS, crowd.readers * PACE_MS) - POLL_MS / 2) continue;
          crowd.toldMs = now;
          void this.#tell(crowd, behind);
        }
      } catch {
        // They go on waiting.
        await sleep(500);
      }
    }
    this.#polling = false;
  }

  /** Reads once for all who wait at these places, and tells each what is new to it. */
  async #tell(crowd: Crowd, places: readonly Standpoint[]): Promise<void> {
    crowd.telling = true;
    const of = (place: Standpoint) => [...(crowd.waiting.get(place) ?? [])];
    try {
      const found = await this.#read(crowd.run, places);
      const isCut = found !== null && [...found.values()].some(({ more }) => more);
      for (const place of places) {
        // One that fell far behind would hold up all others with its past: each place is read for by itself, then.
        const told = isCut && places.length > 1 ? await this.#catchUp(crowd.run, place) : (found?.get(place) ?? null);
        const rest = isCut && places.length === 1 && told ? { ...told, more: false } : told;
        for (const waiter of of(place)) waiter.told(rest);
      }
      // What was too much for one piece goes on with the next turn, for all together.
      if (isCut) crowd.toldMs = 0;
    } catch (error) {
      // While the database is away they go on waiting.
      if (!isDatabaseAway(error)) for (const place of places) for (const waiter of of(place)) waiter.failed(error);
    } finally {
      crowd.telling = false;
    }
  }
}

/** Of one moment of the database, what each standpoint has not been told of, at the cost of reading once. Null where the run is gone. */
async function readNews(db: Database, run: RunRef, standpoints: readonly Standpoint[], remembered: Map<string, Remembered>): Promise<Map<Standpoint, Told> | null> {
  return db.$transaction(
    async (tx: Tx) => {
      const row = await tx.run.findUnique({ where: { id: run.id, orgId: run.orgId }, select: { revision: true, rewinds: true } });
      if (!row) return null;
      const rewinds = row.rewinds as [number, number][];
      const places = standpoints.map((at) => {
        const missed = rewinds.slice(at.cursor.rewinds).map(([, step]) => step);
        const rewindTo = missed.length > 0 ? Math.min(...missed) : undefined;
        return { at, rewindTo, steps: new Map([...at.cursor.steps].map(([key, step]) => [key, rewindTo === undefined ? step : Math.min(step, rewindTo)])) };
      });
      const { points, more: morePoints } = await readPointsAfter(tx, run, lowest(places.map(({ steps }) => steps)));
      const log = await readLog(tx, run, Math.min(...standpoints.map(({ cursor }) => cursor.log)));
      const more = morePoints || log.length === LOG_LINES;
      const { mark, results, look } = await readLarge(tx, run, remembered);
      const progress = await readProgress(tx, run);
      const standing = JSON.stringify(progress);
      const looked = look?.step ?? null;
      const known = new Map<string, Standpoint>();
      return new Map(
        places.map(({ at, rewindTo, steps }): [Standpoint, Told] => {
          const news: RunNews = {};
          if (rewindTo !== undefined) news.rewindTo = rewindTo;
          const own = points.flatMap((series) => pointsAfter(series, steps.get(series.key) ?? -1));
          for (const series of own) steps.set(series.key, series.steps.at(-1) as number);
          if (own.length > 0) news.points = own;
          const lines = log.filter(({ id }) => id > at.cursor.log);
          if (lines.length > 0) news.log = lines;
          if (standing !== at.standing || mark !== at.mark) news.state = { ...progress, ...(mark === at.mark ? {} : results) };
          if (looked !== at.looked && (looked !== null || at.looked !== undefined)) news.look = look;
          // Who has not heard all of a revision does not stand at it.
          const cursor = { rewinds: rewinds.length, revision: more ? 0 : row.revision, log: lines.at(-1)?.id ?? at.cursor.log, steps };
          const id = writeCursor(cursor);
          const next = known.get(id) ?? { cursor, id, standing, mark, looked };
          known.set(id, next);
          return [at, { news, next, more }];
        }),
      );
    },
    { isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead },
  );
}

/** What all of them have: the lowest step of each key; a key that one of them lacks is read from its beginning. */
function lowest([first = new Map(), ...others]: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  if (others.length === 0) return first;
  return new Map([...first].map(([key, step]) => [key, others.reduce((least, steps) => Math.min(least, steps.get(key) ?? -1), step)]));
}

function pointsAfter(series: NonNullable<RunNews["points"]>[number], after: number): NonNullable<RunNews["points"]> {
  const from = series.steps.findIndex((step) => step > after);
  if (from < 0) return [];
  return [from === 0 ? series : { key: series.key, steps: series.steps.slice(from), values: series.values.slice(from) }];
}

/** A run's results and its last look, read only where they are others than the last time. */
async function readLarge(tx: Tx, run: RunRef, remembered: Map<string, Remembered>): Promise<Remembered> {
  const [mark, lookStep] = [await readResultsMark(tx, run), await readLookStep(tx, run)];
  const before = remembered.get(run.id);
  const hasResults = before?.mark === mark;
  const hasLook = before !== undefined && (before.look?.step ?? null) === lookStep;
  if (hasResults && hasLook) return before;
  const known = { mark, results: hasResults ? before.results : await readResults(tx, run), look: hasLook ? before.look : await readLook(tx, run) };
  remembered.set(run.id, known);
  // A handful of runs is looked at at a time; the oldest of many gives way.
  for (const id of remembered.keys()) if (remembered.size > 64) remembered.delete(id);
  return known;
}
