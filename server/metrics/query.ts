import { Prisma } from "../../prisma/generated/client.ts";
import type { Tx } from "../database/client.ts";
import { type Bucket, bucketOfPoints, CHUNK, FACTOR, joinBuckets, type Raw, TOP_LEVEL, unpackBuckets, unpackPoints } from "./pyramid.ts";
import type { RunRef } from "./store.ts";

/** `null` where the value was not a finite number. */
export type Value = number | null;
type Point = [step: number, value: Value];
/** What stands for `count` neighbouring points from step `from` to step `to`. */
export type Stretch = { from: number; to: number; first: Value; last: Value; min: Value; max: Value; count: number };
export type SeriesAnswer = { key: string; points: (Point | Stretch)[] };

export type MetricsQuestion = { keys?: readonly string[]; fromStep?: number; toStep?: number; maxPoints: number };

/**
 * A run's metrics as at most `maxPoints` entries a key: the points themselves where they fit, else stretches whose lowest and
 * highest values are exact. Costs about the same for a thousand points as for ten million.
 */
export async function queryMetrics(tx: Tx, run: RunRef, { keys, fromStep = 0, toStep = 2 ** 31 - 1, maxPoints }: MetricsQuestion): Promise<SeriesAnswer[]> {
  const totals = await tx.$queryRaw<{ key: string; total: number }[]>`
    SELECT DISTINCT ON ("key") "key", "index" * ${CHUNK}::int + "count" AS "total" FROM "MetricChunk"
    WHERE ${ofRun(run)} AND "level" = 0 ${keys ? Prisma.sql`AND "key" = ANY(${[...keys]})` : Prisma.empty}
    ORDER BY "key", "index" DESC`;
  const series: SeriesAnswer[] = [];
  for (const { key, total } of totals) series.push({ key, points: await querySeries(tx, run, key, total, fromStep, toStep, maxPoints) });
  return series;
}

function ofRun(run: RunRef): Prisma.Sql {
  return Prisma.sql`"runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid`;
}

/** A bucket of any level, with the place of its first point, counted from the run's first, and how many it stands for. */
type Placed = Bucket & { at: number; count: number };

/** Goes down the pyramid from the coarsest level, each time only where the range lies, for as long as the next level still fits. */
async function querySeries(tx: Tx, run: RunRef, key: string, total: number, fromStep: number, toStep: number, maxPoints: number): Promise<(Point | Stretch)[]> {
  let level = 0;
  while (level < TOP_LEVEL && total > maxPoints * FACTOR ** level) level++;
  // Begin one level up: a narrow range is found there among few buckets.
  for (let probe = level; probe < TOP_LEVEL && total >= FACTOR ** (probe + 1); probe++) level = probe + 1;
  let range = { from: 0, to: total };
  for (;;) {
    const entries = (await readLevel(tx, run, key, level, range.from, range.to)).filter(({ firstStep, lastStep }) => lastStep >= fromStep && firstStep <= toStep);
    const first = entries[0];
    const last = entries.at(-1);
    if (!first || !last) return [];
    range = { from: first.at, to: last.at + last.count };
    const finer = level - 1;
    // A finer level with a few times too many entries is read and joined: stopping above it would leave the chart coarse.
    if (level === 0 || (range.to - range.from) / FACTOR ** finer > 4 * maxPoints) return fit(entries, maxPoints).map(toAnswer);
    level = finer;
  }
}

/** The buckets of a level that lie in a range of places, then one for the points at the end that have no bucket yet. */
async function readLevel(tx: Tx, run: RunRef, key: string, level: number, from: number, to: number): Promise<Placed[]> {
  const size = FACTOR ** level;
  const firstBucket = Math.floor(from / size);
  const endBucket = Math.floor(to / size);
  const entries: Placed[] = [];
  if (endBucket > firstBucket) {
    const chunks = await tx.$queryRaw<{ index: number; steps: Uint8Array; values: Uint8Array }[]>`
      SELECT "index", "steps", "values" FROM "MetricChunk"
      WHERE ${ofRun(run)} AND "key" = ${key} AND "level" = ${level} AND "index" BETWEEN ${Math.floor(firstBucket / CHUNK)}::int AND ${Math.floor((endBucket - 1) / CHUNK)}::int
      ORDER BY "index"`;
    for (const { index, ...packed } of chunks) {
      for (const [offset, bucket] of (level === 0 ? pointsAsBuckets(unpackPoints(packed)) : unpackBuckets(packed)).entries()) {
        const place = index * CHUNK + offset;
        if (place >= firstBucket && place < endBucket) entries.push({ ...bucket, at: place * size, count: size });
      }
    }
  }
  if (level > 0 && endBucket * size < to) {
    const rest = await readLevel(tx, run, key, level - 1, endBucket * size, to);
    if (rest.length > 0) entries.push({ ...joinBuckets(rest), at: endBucket * size, count: rest.reduce((sum, { count }) => sum + count, 0) });
  }
  return entries;
}

function pointsAsBuckets(raw: Raw): Bucket[] {
  return raw.steps.map((_, index) => bucketOfPoints(raw, index, index + 1));
}

/** Joins neighbours until at most `maxPoints` are left. */
function fit(entries: readonly Placed[], maxPoints: number): Placed[] {
  if (entries.length <= maxPoints) return [...entries];
  const group = Math.ceil(entries.length / maxPoints);
  return Array.from({ length: Math.ceil(entries.length / group) }, (_, index) => {
    const part = entries.slice(index * group, (index + 1) * group);
    return { ...joinBuckets(part), at: (part[0] as Placed).at, count: part.reduce((sum, { count }) => sum + count, 0) };
  });
}

function toAnswer({ firstStep, lastStep, first, last, min, max, count }: Placed): Point | Stretch {
  if (count === 1) return [firstStep, toValue(first)];
  return { from: firstStep, to: lastStep, first: toValue(first), last: toValue(last), min: toValue(min), max: toValue(max), count };
}

function toValue(value: number): Value {
  return Number.isFinite(value) ? value : null;
}

/** How many chunks go into one answer: keeps what a reader who was away long is sent in pieces of about 50 kB. */
const CHUNKS_AT_ONCE = 8;

/** Every key's points beyond the given steps; keys without one are read from the beginning. `more` says that the answer was cut off. */
export async function readPointsAfter(
  tx: Tx,
  run: RunRef,
  steps: ReadonlyMap<string, number>,
): Promise<{ points: { key: string; steps: number[]; values: Value[] }[]; more: boolean }> {
  // Each key's next chunk comes before any key's second one: so all go on together, and a key's chunks stay in order.
  const rows = await tx.$queryRaw<{ key: string; steps: Uint8Array; values: Uint8Array }[]>`
    SELECT c."key", c."steps", c."values" FROM "MetricChunk" c
    LEFT JOIN unnest(${[...steps.keys()]}::text[], ${[...steps.values()]}::int[]) AS known("key", "step") ON known."key" = c."key"
    WHERE c."runId" = ${run.id}::uuid AND c."orgId" = ${run.orgId}::uuid AND c."level" = 0 AND c."lastStep" > coalesce(known."step", -1)
    ORDER BY row_number() OVER (PARTITION BY c."key" ORDER BY c."index"), c."key" LIMIT ${CHUNKS_AT_ONCE + 1}`;
  const found = new Map<string, { key: string; steps: number[]; values: Value[] }>();
  for (const { key, ...packed } of rows.slice(0, CHUNKS_AT_ONCE)) {
    const after = steps.get(key) ?? -1;
    const raw = unpackPoints(packed);
    const series = found.get(key) ?? { key, steps: [], values: [] };
    for (const [index, step] of raw.steps.entries()) {
      if (step <= after) continue;
      series.steps.push(step);
      series.values.push(toValue(raw.values[index] as number));
    }
    found.set(key, series);
  }
  return { points: [...found.values()], more: rows.length > CHUNKS_AT_ONCE };
}

/** The last step of every key. */
export async function readLastSteps(tx: Tx, run: RunRef): Promise<Map<string, number>> {
  const rows = await tx.$queryRaw<{ key: string; lastStep: number }[]>`
    SELECT DISTINCT ON ("key") "key", "lastStep" FROM "MetricChunk" WHERE ${ofRun(run)} AND "level" = 0 ORDER BY "key", "index" DESC`;
  return new Map(rows.map(({ key, lastStep }) => [key, lastStep]));
}
