import { Prisma } from "../../prisma/generated/client.ts";
import { type Ask, type Database, readSnapshot, type Tx } from "../database/client.ts";
import { type Chunk, ChunkCache } from "./cache.ts";
import { CHUNK, FACTOR, type Packed, TOP_LEVEL, unpackEntries, width } from "./pyramid.ts";
import type { RunRef } from "./store.ts";

/** `null` where the value was not a finite number. */
export type Value = number | null;
type Point = [step: number, value: Value];
/** What stands for `count` points from step `from` to step `to`, and for some beside them that a border needed no look at. */
export type Stretch = { from: number; to: number; first: Value; last: Value; min: Value; max: Value; count: number };
export type SeriesAnswer = { key: string; points: (Point | Stretch)[] };

export type MetricsQuestion = { keys?: readonly string[]; fromStep?: number; toStep?: number; maxPoints: number };

/**
 * A run's metrics as at most `maxPoints` entries a key. The steps from `fromStep` to `toStep` (of all there are, where they are left out)
 * are cut into `maxPoints` columns, as a chart of that many pixels cuts them: column c begins at fromStep + ⌊c · steps / maxPoints⌋. Each
 * column's count, lowest and highest value are those of its points, exactly; a column without points is left out. Its first and last are points of
 * it at steps `from` and `to`: the outermost ones, but for a few beside a border that stay between the lowest and the highest of both columns.
 * So a line drawn through them lights the same pixels as one through all points. Costs about the same for a hundred thousand points as for ten million.
 */
export async function queryMetrics(db: Database, run: RunRef, { keys, fromStep, toStep, maxPoints }: MetricsQuestion): Promise<SeriesAnswer[]> {
  // One moment of the database: a run that goes back to a checkpoint meanwhile would mix two histories.
  return readSnapshot(db, async (ask) => {
    const answers: SeriesAnswer[] = [];
    for (const series of await readSeries(ask, run, keys))
      answers.push({ key: series.key, points: await cutIntoColumns(ask, run, series, new Columns(fromStep ?? series.firstStep, toStep ?? series.lastStep, maxPoints)) });
    return answers;
  });
}

/** `dense`: every step from the first to the last has its point, so that a point's place tells its step. `rewinds`: how often the run was cut back. */
type Series = { key: string; firstStep: number; lastStep: number; total: number; dense: boolean; rewinds: number };

async function readSeries(ask: Ask, run: RunRef, keys: readonly string[] | undefined): Promise<Series[]> {
  // From key to key through the index: a scan over all chunks to find the keys would cost more than everything else.
  const rows = await ask<Omit<Series, "dense">>(Prisma.sql`
    WITH RECURSIVE "every"("key") AS (
      (SELECT "key" FROM "MetricChunk" WHERE ${ofRun(run)} ORDER BY "key" LIMIT 1)
      UNION ALL
      SELECT (SELECT "key" FROM "MetricChunk" WHERE ${ofRun(run)} AND "key" > "every"."key" ORDER BY "key" LIMIT 1) FROM "every" WHERE "every"."key" IS NOT NULL
    )
    SELECT "of"."key", "first"."firstStep", "last"."lastStep", "last"."total",
      (SELECT jsonb_array_length("rewinds") FROM "Run" WHERE "id" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid) AS "rewinds"
    FROM ${keys ? Prisma.sql`(SELECT DISTINCT unnest(${[...keys]}::text[]) AS "key")` : Prisma.sql`"every"`} AS "of"
    CROSS JOIN LATERAL (SELECT "firstStep" FROM "MetricChunk" WHERE ${ofRun(run)} AND "key" = "of"."key" AND "level" = 0 ORDER BY "index" LIMIT 1) AS "first"
    CROSS JOIN LATERAL (
      SELECT "lastStep", "index" * ${CHUNK}::int + "count" AS "total" FROM "MetricChunk" WHERE ${ofRun(run)} AND "key" = "of"."key" AND "level" = 0 ORDER BY "index" DESC LIMIT 1
    ) AS "last"
    ORDER BY "of"."key"`);
  return rows.map((row) => ({ ...row, dense: row.lastStep - row.firstStep + 1 === row.total }));
}

function ofRun(run: RunRef): Prisma.Sql {
  return Prisma.sql`"runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid`;
}

/** What each column holds so far. Entries may come in any order. */
class Columns {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly #points: Int32Array;
  readonly #steps: Int32Array;
  /** First, last, lowest and highest value of each. */
  readonly #values: Float64Array;

  constructor(from: number, to: number, count: number) {
    this.from = from;
    this.to = to;
    this.count = count;
    this.#points = new Int32Array(count);
    this.#steps = new Int32Array(count * 2);
    this.#values = new Float64Array(count * 4).fill(Number.NaN);
  }

  /** Index of the column of a step; -1 before the first, `count` after the last. */
  of(step: number): number {
    if (step < this.from) return -1;
    if (step > this.to) return this.count;
    return Math.ceil(((step - this.from + 1) * this.count) / (this.to - this.from + 1)) - 1;
  }

  /** The first step behind a column. */
  endOf(column: number): number {
    if (column >= this.count) return Number.POSITIVE_INFINITY;
    return this.from + Math.floor(((column + 1) * (this.to - this.from + 1)) / this.count);
  }

  /** Adds points that all lie in one column. */
  add(column: number, points: number, from: number, to: number, first: number, last: number, min: number, max: number): void {
    if (column < 0 || column >= this.count) return;
    const isNew = this.#points[column] === 0;
    (this.#points[column] as number) += points;
    if (isNew || from < (this.#steps[column * 2] as number)) {
      this.#steps[column * 2] = from;
      this.#values[column * 4] = first;
    }
    if (isNew || to > (this.#steps[column * 2 + 1] as number)) {
      this.#steps[column * 2 + 1] = to;
      this.#values[column * 4 + 1] = last;
    }
    if (!((this.#values[column * 4 + 2] as number) <= min) && !Number.isNaN(min)) this.#values[column * 4 + 2] = min;
    if (!((this.#values[column * 4 + 3] as number) >= max) && !Number.isNaN(max)) this.#values[column * 4 + 3] = max;
  }

  /** Whether points between these values would change neither the column's lowest nor its highest. */
  encloses(column: number, min: number, max: number): boolean {
    if (column < 0 || column >= this.count || Number.isNaN(min)) return true;
    return (this.#values[column * 4 + 2] as number) <= min && (this.#values[column * 4 + 3] as number) >= max;
  }

  answer(): (Point | Stretch)[] {
    const answer: (Point | Stretch)[] = [];
    for (let column = 0; column < this.count; column++) {
      const count = this.#points[column] as number;
      if (count === 0) continue;
      const value = (at: number) => toValue(this.#values[column * 4 + at] as number);
      const from = this.#steps[column * 2] as number;
      if (count === 1) answer.push([from, value(0)]);
      else answer.push({ from, to: this.#steps[column * 2 + 1] as number, first: value(0), last: value(1), min: value(2), max: value(3), count });
    }
    return answer;
  }
}

/** A column is made of at least so many buckets of the level that is read whole, so that most of them lie in one column only. */
const leastBuckets = 2;

/**
 * Reads one level whole where the range lies, and of the levels below only what lies across a column's border: sixteen entries for each
 * bucket there, down to the points themselves.
 */
async function cutIntoColumns(ask: Ask, run: RunRef, series: Series, columns: Columns): Promise<(Point | Stretch)[]> {
  const places = await findPlaces(ask, run, series, columns);
  if (places === null) return [];
  let level = 0;
  while (level < TOP_LEVEL && places.to - places.from >= leastBuckets * columns.count * FACTOR ** (level + 1)) level++;
  const whole = { from: Math.floor(places.from / FACTOR ** level), to: Math.floor(places.to / FACTOR ** level) };
  // What lies behind the last whole bucket is found in the levels below.
  const rest = (below: number): Slice[] => {
    const size = FACTOR ** (below + 1);
    const from = Math.floor(places.to / size) * FACTOR;
    const to = Math.floor(places.to / FACTOR ** below);
    return to > from ? [{ from, to }] : [];
  };
  let across = whole.to > whole.from ? take(series, columns, level, await readEntries(ask, run, series, level, [whole]), [whole]) : [];
  while (level > 0) {
    level--;
    const slices = [...across, ...rest(level)];
    across = slices.length > 0 ? take(series, columns, level, await readEntries(ask, run, series, level, slices), slices) : [];
  }
  return columns.answer();
}

/** Neighbouring entries of a level, by their places counted from the run's first. */
type Slice = { from: number; to: number };

/** The places of the points that can lie in the columns; null where there are none. */
async function findPlaces(ask: Ask, run: RunRef, { key, firstStep, lastStep, total, dense }: Series, { from, to }: Columns): Promise<Slice | null> {
  if (from > to || to < firstStep || from > lastStep) return null;
  if (dense) return { from: Math.max(0, from - firstStep), to: Math.min(total, to - firstStep + 1) };
  const [found] = await ask<{ from: number | null; to: number | null }>(Prisma.sql`
    SELECT min("index") * ${CHUNK}::int AS "from", max("index" * ${CHUNK}::int + "count") AS "to" FROM "MetricChunk"
    WHERE ${ofRun(run)} AND "key" = ${key} AND "level" = 0 AND "lastStep" >= ${from}::int AND "firstStep" <= ${to}::int`);
  return found?.from == null || found.to == null ? null : { from: found.from, to: found.to };
}

type Read = { steps: Int32Array | null; values: Float64Array };

/** Buckets change no more once their chunk is full, and every chart of a run begins with the same ones: they are kept. */
const buckets = new ChunkCache(64 * 1024 * 1024);

/** Slices of a level, one after the other. Steps come only where their places do not tell them. */
async function readEntries(ask: Ask, run: RunRef, series: Series, level: number, slices: readonly Slice[]): Promise<Read> {
  if (level === 0) return readPoints(ask, run, series, slices);
  const chunks = await readChunks(ask, run, series, level, slices);
  const count = slices.reduce((sum, { from, to }) => sum + to - from, 0);
  const steps = series.dense ? null : new Int32Array(count * 4);
  const values = new Float64Array(count * 4);
  let at = 0;
  for (const slice of slices) {
    for (let from = slice.from; from < slice.to; ) {
      const index = Math.floor(from / CHUNK);
      const to = Math.min(slice.to, (index + 1) * CHUNK);
      const chunk = chunks.get(index);
      if (chunk === undefined) throw new Error(`Run ${run.id} has no chunk ${index} of ${series.key} at level ${level}.`);
      const cut = [(from - index * CHUNK) * 4, (to - index * CHUNK) * 4] as const;
      values.set(chunk.values.subarray(...cut), at);
      if (chunk.steps) steps?.set(chunk.steps.subarray(...cut), at);
      at += (to - from) * 4;
      from = to;
    }
  }
  return { steps, values };
}

/** The chunks that slices lie in, by index. */
async function readChunks(ask: Ask, run: RunRef, { key, dense, total, rewinds }: Series, level: number, slices: readonly Slice[]): Promise<Map<number, Chunk>> {
  const found = new Map<number, Chunk>();
  const missing = new Set<number>();
  const nameOf = (index: number) => `${run.id} ${rewinds} ${level} ${index} ${key}`;
  for (const { from, to } of slices) {
    for (let index = Math.floor(from / CHUNK); index * CHUNK < to; index++) {
      if (found.has(index) || missing.has(index)) continue;
      const kept = buckets.get(nameOf(index));
      if (kept && (dense || kept.steps)) found.set(index, kept);
      else missing.add(index);
    }
  }
  if (missing.size === 0) return found;
  // A row for each chunk: one value of a megabyte would cost more.
  const rows = await ask<{ index: number } & Bytes>(Prisma.sql`
    SELECT "index", "values", ${dense ? Prisma.sql`NULL::bytea` : Prisma.sql`"steps"`} AS "steps" FROM "MetricChunk"
    WHERE ${ofRun(run)} AND "key" = ${key} AND "level" = ${level} AND "index" = ANY(${toArray([...missing])}::int[])`);
  const complete = Math.floor(total / FACTOR ** level);
  for (const { index, ...packed } of rows) {
    const { steps, values } = unpackEntries({ steps: packed.steps ?? new Uint8Array(), values: packed.values ?? new Uint8Array() });
    const chunk = { steps: dense ? null : steps, values };
    found.set(index, chunk);
    if ((index + 1) * CHUNK <= complete) buckets.put(nameOf(index), chunk);
  }
  return found;
}

/** Slices of the points themselves, one after the other. */
async function readPoints(ask: Ask, run: RunRef, { key, dense }: Series, slices: readonly Slice[]): Promise<Read> {
  // What lies in one chunk is read in one piece: the look-up costs more than the bytes between.
  const parts: Slice[] = [];
  for (const { from, to } of slices) {
    for (let start = from; start < to; ) {
      const end = Math.min(to, (Math.floor(start / CHUNK) + 1) * CHUNK);
      const before = parts.at(-1);
      if (before && start >= before.from && Math.floor(before.from / CHUNK) === Math.floor(start / CHUNK)) before.to = Math.max(before.to, end);
      else parts.push({ from: start, to: end });
      start = end;
    }
  }
  const piece = (column: string, size: number) => Prisma.sql`substring(${Prisma.raw(`"${column}"`)} FROM "slice"."from" * ${size}::int + 1 FOR "slice"."count" * ${size}::int)`;
  // A subquery of its own for each: joined, the planner, which does not know how many there are, would compare every slice with every chunk.
  const [row] = await ask<Bytes>(Prisma.sql`
    SELECT string_agg("values", '' ORDER BY "at") AS "values", ${dense ? Prisma.sql`NULL::bytea` : Prisma.sql`string_agg("steps", '' ORDER BY "at")`} AS "steps" FROM (
      SELECT "at", "found".* FROM unnest(${toArray(parts.map(({ from }) => Math.floor(from / CHUNK)))}::int[], ${toArray(parts.map(({ from }) => from % CHUNK))}::int[],
        ${toArray(parts.map(({ from, to }) => to - from))}::int[]) WITH ORDINALITY AS "slice"("index", "from", "count", "at")
      CROSS JOIN LATERAL (
        SELECT ${piece("values", 8)} AS "values", ${dense ? Prisma.sql`NULL::bytea` : piece("steps", 4)} AS "steps" FROM "MetricChunk"
        WHERE ${ofRun(run)} AND "key" = ${key} AND "level" = 0 AND "MetricChunk"."index" = "slice"."index" OFFSET 0
      ) AS "found"
    ) AS "each"`);
  const read = unpackEntries({ steps: row?.steps ?? new Uint8Array(), values: row?.values ?? new Uint8Array() });
  const count = slices.reduce((sum, { from, to }) => sum + to - from, 0);
  if (read.values.length === count) return { steps: dense ? null : read.steps, values: read.values };
  const cut = { steps: dense ? null : new Int32Array(count), values: new Float64Array(count) };
  let [at, part, partAt] = [0, 0, 0];
  for (const slice of slices) {
    for (let start = slice.from; start < slice.to; ) {
      for (let piece = parts[part]; piece && !(start >= piece.from && start < piece.to); piece = parts[++part]) partAt += piece.to - piece.from;
      const piece = parts[part];
      if (piece === undefined) throw new Error("Every slice lies in what was read.");
      const end = Math.min(slice.to, piece.to);
      const where = [partAt + start - piece.from, partAt + end - piece.from] as const;
      cut.values.set(read.values.subarray(...where), at);
      cut.steps?.set(read.steps.subarray(...where), at);
      at += end - start;
      start = end;
    }
  }
  return cut;
}

/** An array as PostgreSQL writes it: the driver would quote each number of it. */
function toArray(numbers: readonly number[]): string {
  return `{${numbers.join()}}`;
}

type Bytes = { [column in keyof Packed]: Uint8Array | null };

/** Adds entries that were read, slice by slice, to their columns. Returns what of the level below is to be looked at, across borders. */
function take({ dense, firstStep }: Series, columns: Columns, level: number, { steps, values }: Read, slices: readonly Slice[]): Slice[] {
  const size = FACTOR ** level;
  const wide = width(level);
  // Places of the last, lowest and highest value within an entry.
  const [last, low, high] = level === 0 ? [0, 0, 0] : [1, 2, 3];
  const across: { place: number; from: number; to: number; at: number }[] = [];
  let at = 0;
  for (const slice of slices) {
    for (let place = slice.from; place < slice.to; ) {
      const from = steps ? (steps[at] as number) : firstStep + place * size;
      const ends = steps ? (steps[at + last] as number) : from + size - 1;
      const column = columns.of(from);
      const border = columns.endOf(column);
      if (ends >= border) {
        across.push({ place, from, to: ends, at });
        place++;
        at += wide;
        continue;
      }
      // All that lies in the same column goes there at once.
      const first = values[at] as number;
      let to = ends;
      let count = 0;
      // NaN is neither below nor above.
      let min = Number.POSITIVE_INFINITY;
      let max = Number.NEGATIVE_INFINITY;
      for (let end = ends; end < border; ) {
        const lowest = values[at + low] as number;
        const highest = values[at + high] as number;
        if (lowest < min) min = lowest;
        if (highest > max) max = highest;
        to = end;
        count++;
        place++;
        at += wide;
        if (place === slice.to) break;
        end = steps ? (steps[at + last] as number) : end + size;
      }
      columns.add(column, count * size, from, to, first, values[at - wide + last] as number, min > max ? Number.NaN : min, min > max ? Number.NaN : max);
    }
  }
  const below: Slice[] = [];
  for (const { place, from, to, at } of across) {
    const first = values[at] as number;
    const final = values[at + 1] as number;
    const min = values[at + 2] as number;
    const max = values[at + 3] as number;
    const left = columns.of(from);
    const right = columns.of(to);
    const isDrawn = Number.isNaN(min) || !(Number.isNaN(first) || Number.isNaN(final));
    // What lies within both columns lights nothing that they do not: its outermost points stand for the rest, and none of them has to be looked up.
    if (dense && isDrawn && right === left + 1 && columns.encloses(left, min, max) && columns.encloses(right, min, max)) {
      const border = columns.endOf(left);
      columns.add(left, border - from, from, from, first, first, Number.NaN, Number.NaN);
      columns.add(right, to - border + 1, to, to, final, final, Number.NaN, Number.NaN);
    } else below.push({ from: place * FACTOR, to: (place + 1) * FACTOR });
  }
  return below;
}

function toValue(value: number): Value {
  return Number.isFinite(value) ? value : null;
}

/** About how many points go into one answer: keeps what a reader who was away long is sent in pieces of about 80 kB. */
const POINTS_AT_ONCE = 3_000;

/** Every key's points beyond the given steps; keys without one are read from the beginning. `more` says that the answer was cut off. */
export async function readPointsAfter(
  tx: Tx,
  run: RunRef,
  steps: ReadonlyMap<string, number>,
): Promise<{ points: { key: string; steps: number[]; values: Value[] }[]; more: boolean }> {
  const keys: { key: string; after: number; index: number }[] = [];
  for (const { key, lastStep, total } of await readSeries((sql) => tx.$queryRaw(sql), run, undefined)) {
    const after = steps.get(key) ?? -1;
    // At most one point a step lies behind the reader's last one: so far from the end, at most, it stands.
    if (lastStep > after) keys.push({ key, after, index: Math.floor(Math.max(0, total - (lastStep - after)) / CHUNK) });
  }
  if (keys.length === 0) return { points: [], more: false };
  // Each key's next chunk comes before any key's second one: so all go on together, and a key's chunks stay in order.
  const rows = await tx.$queryRaw<({ key: string; fresh: number; all: number } & Packed)[]>`
    SELECT "key", "steps", "values", "fresh", "all" FROM (
      SELECT "of"."key", "next".*, sum("fresh") OVER ()::int AS "all", sum("fresh") OVER (ORDER BY "turn", "of"."key") - "fresh" AS "before"
      FROM unnest(${keys.map(({ key }) => key)}::text[], ${keys.map(({ after }) => after)}::int[], ${keys.map(({ index }) => index)}::int[]) AS "of"("key", "after", "index")
      CROSS JOIN LATERAL (
        SELECT "steps", "values", least("count", "lastStep" - "of"."after") AS "fresh", row_number() OVER (ORDER BY "index") AS "turn" FROM "MetricChunk"
        WHERE ${ofRun(run)} AND "key" = "of"."key" AND "level" = 0 AND "index" >= "of"."index" AND "lastStep" > "of"."after" ORDER BY "index" LIMIT ${Math.ceil(POINTS_AT_ONCE / CHUNK) + 2}
      ) AS "next"
    ) AS "each" WHERE "before" < ${POINTS_AT_ONCE} ORDER BY "turn", "key"`;
  const found = new Map<string, { key: string; steps: number[]; values: Value[] }>();
  for (const { key, ...packed } of rows) {
    const after = steps.get(key) ?? -1;
    const raw = unpackEntries(packed);
    const series = found.get(key) ?? { key, steps: [], values: [] };
    for (const [index, step] of raw.steps.entries()) {
      if (step <= after) continue;
      series.steps.push(step);
      series.values.push(toValue(raw.values[index] as number));
    }
    found.set(key, series);
  }
  return { points: [...found.values()], more: rows.reduce((sum, { fresh }) => sum + fresh, 0) < (rows[0]?.all ?? 0) };
}

/** The last step of every key. */
export async function readLastSteps(tx: Tx, run: RunRef): Promise<Map<string, number>> {
  return new Map((await readSeries((sql) => tx.$queryRaw(sql), run, undefined)).map(({ key, lastStep }) => [key, lastStep]));
}
