import { Prisma } from "../../prisma/generated/client.ts";
import type { Tx } from "../database/client.ts";
import { AppError } from "../errors.ts";
import { type Bucket, bucketOfPoints, CHUNK, FACTOR, joinBuckets, type Packed, packBuckets, packPoints, type Raw, TOP_LEVEL, unpackBuckets, unpackPoints } from "./pyramid.ts";

/** Points of one metric in step order, as the engine reports them. `null` stands for a value that is not a number. */
export type Points = { key: string; steps: readonly number[]; values: readonly (number | null)[] };

/** Whose metrics: ids of the run's row. */
export type RunRef = { id: string; orgId: string };

/** Thrown where a later lease has taken the run over, or the run is not running: the writer must stop, and nothing was written. */
export class LeaseLost extends AppError {
  constructor(run: RunRef, token: number) {
    super("LEASE_LOST", `Lease ${token} of run ${run.id} is over.`);
    this.name = "LeaseLost";
  }
}

/**
 * Adds points to a run's metrics, all or none with the rest of the transaction. A point whose step is not beyond the last
 * kept one of its key is there already and is left out, so that a batch may be sent again after its answer was lost.
 * Holds the run's row locked until the transaction ends; so it comes before the run leaves `running`.
 * @throws LeaseLost where `token` is not the run's present lease.
 */
export async function appendMetrics(tx: Tx, run: RunRef, token: number, points: readonly Points[]): Promise<void> {
  const held = await tx.$executeRaw`
    UPDATE "Run" SET "revision" = "revision"
    WHERE "id" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "leaseToken" = ${token} AND "status" = 'running'`;
  if (held === 0) throw new LeaseLost(run, token);
  const given = new Map<string, Points[]>();
  for (const part of points) given.set(part.key, [...(given.get(part.key) ?? []), part]);
  const tails = await readTails(tx, run, [...given.keys()]);
  const rows: Row[] = [];
  for (const [key, parts] of given) {
    const tail = tails.get(key) ?? { count: 0, lastStep: Number.NEGATIVE_INFINITY, open: { steps: [], values: [] } };
    const fresh = takeFresh(parts, tail.lastStep);
    if (fresh.steps.length > 0) await growLevels(tx, run, key, tail, fresh, rows);
  }
  await writeRows(tx, run, token, rows);
}

/** What a key ends with: how many points it has, the last one's step, and the points after its last whole bucket of level 1. */
type Tail = { count: number; lastStep: number; open: Raw };

/** A piece of a chunk, to be put at its end. */
type Row = { key: string; level: number; index: number; count: number; firstStep: number; lastStep: number; packed: Packed };

async function readTails(tx: Tx, run: RunRef, keys: string[]): Promise<Map<string, Tail>> {
  const rows = await tx.$queryRaw<{ key: string; index: number; count: number; lastStep: number; steps: Uint8Array; values: Uint8Array }[]>`
    SELECT DISTINCT ON ("key") "key", "index", "count", "lastStep",
      substring("steps" FROM ("count" - "count" % ${FACTOR}::int) * 4 + 1) AS "steps", substring("values" FROM ("count" - "count" % ${FACTOR}::int) * 8 + 1) AS "values"
    FROM "MetricChunk" WHERE "runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "level" = 0 AND "key" = ANY(${keys})
    ORDER BY "key", "index" DESC`;
  return new Map(rows.map(({ key, index, count, lastStep, steps, values }) => [key, { count: index * CHUNK + count, lastStep, open: unpackPoints({ steps, values }) }]));
}

/** The points beyond what is kept, in order. */
function takeFresh(parts: readonly Points[], lastStep: number): Raw {
  const fresh: Raw = { steps: [], values: [] };
  let last = lastStep;
  for (const { steps, values } of parts) {
    for (const [index, step] of steps.entries()) {
      if (step <= last) continue;
      fresh.steps.push(step);
      fresh.values.push(values[index] ?? Number.NaN);
      last = step;
    }
  }
  return fresh;
}

/** Adds what new points mean for each level: themselves, and every bucket that they complete. */
async function growLevels(tx: Tx, run: RunRef, key: string, tail: Tail, fresh: Raw, rows: Row[]): Promise<void> {
  pushPieces(tail.count, fresh.steps.length, (index, from, to) => {
    const piece = { steps: fresh.steps.slice(from, to), values: fresh.values.slice(from, to) };
    rows.push({
      key,
      level: 0,
      index,
      count: to - from,
      firstStep: piece.steps[0] as number,
      lastStep: piece.steps.at(-1) as number,
      packed: packPoints(piece),
    });
  });
  const open: Raw = { steps: tail.open.steps.concat(fresh.steps), values: tail.open.values.concat(fresh.values) };
  let done: Bucket[] = [];
  for (let at = 0; at + FACTOR <= open.steps.length; at += FACTOR) done.push(bucketOfPoints(open, at, at + FACTOR));
  // `start` counts the buckets of this level that were there before.
  let start = Math.floor(tail.count / FACTOR);
  for (let level = 1; level <= TOP_LEVEL && done.length > 0; level++) {
    pushPieces(start, done.length, (index, from, to) => {
      const piece = done.slice(from, to);
      rows.push({
        key,
        level,
        index,
        count: to - from,
        firstStep: (piece[0] as Bucket).firstStep,
        lastStep: (piece.at(-1) as Bucket).lastStep,
        packed: packBuckets(piece),
      });
    });
    const before = start % FACTOR;
    const completes = before + done.length >= FACTOR;
    const all = completes && before > 0 ? [...(await readBuckets(tx, run, key, level, start - before, before)), ...done] : done;
    done = [];
    for (let at = 0; completes && at + FACTOR <= all.length; at += FACTOR) done.push(joinBuckets(all.slice(at, at + FACTOR)));
    start = Math.floor(start / FACTOR);
  }
}

/** Cuts `count` entries that follow `start` earlier ones at the ends of chunks. */
function pushPieces(start: number, count: number, push: (index: number, from: number, to: number) => void): void {
  for (let from = 0; from < count; ) {
    const index = Math.floor((start + from) / CHUNK);
    const to = Math.min(count, (index + 1) * CHUNK - start);
    push(index, from, to);
    from = to;
  }
}

/** Neighbouring buckets inside one chunk; a group of 16 never reaches over two. */
async function readBuckets(tx: Tx, run: RunRef, key: string, level: number, start: number, count: number): Promise<Bucket[]> {
  const at = start % CHUNK;
  const [row] = await tx.$queryRaw<{ steps: Uint8Array; values: Uint8Array }[]>`
    SELECT substring("steps" FROM ${at * 16 + 1}::int FOR ${count * 16}::int) AS "steps", substring("values" FROM ${at * 32 + 1}::int FOR ${count * 32}::int) AS "values"
    FROM "MetricChunk" WHERE "runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "key" = ${key} AND "level" = ${level} AND "index" = ${Math.floor(start / CHUNK)}`;
  return row ? unpackBuckets(row) : [];
}

async function writeRows(tx: Tx, run: RunRef, token: number, rows: readonly Row[]): Promise<void> {
  // A statement takes 65,535 parameters; a row has ten.
  for (let at = 0; at < rows.length; at += 1_000) {
    const values = rows
      .slice(at, at + 1_000)
      .map(
        ({ key, level, index, count, firstStep, lastStep, packed }) =>
          Prisma.sql`(${run.orgId}::uuid, ${run.id}::uuid, ${key}, ${level}::int, ${index}::int, ${token}::int, ${firstStep}::int, ${lastStep}::int, ${count}::int, ${packed.steps}::bytea, ${packed.values}::bytea)`,
      );
    await tx.$executeRaw`
      INSERT INTO "MetricChunk" ("orgId", "runId", "key", "level", "index", "leaseToken", "firstStep", "lastStep", "count", "steps", "values")
      VALUES ${Prisma.join(values)}
      ON CONFLICT ("runId", "key", "level", "index") DO UPDATE SET
        "leaseToken" = EXCLUDED."leaseToken", "lastStep" = EXCLUDED."lastStep", "count" = "MetricChunk"."count" + EXCLUDED."count",
        "steps" = "MetricChunk"."steps" || EXCLUDED."steps", "values" = "MetricChunk"."values" || EXCLUDED."values"`;
  }
}

/**
 * Drops every point after `step` and notes it, so that open charts drop theirs: what a resumed run does before its first step.
 * @throws LeaseLost where `token` is not the run's present lease.
 */
export async function rewindMetrics(tx: Tx, run: RunRef, token: number, step: number): Promise<void> {
  const held = await tx.$executeRaw`
    UPDATE "Run" SET "rewinds" = "rewinds" || ${JSON.stringify([[token, step]])}::jsonb
    WHERE "id" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "leaseToken" = ${token} AND "status" = 'running'`;
  if (held === 0) throw new LeaseLost(run, token);
  await tx.$executeRaw`DELETE FROM "MetricChunk" WHERE "runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "firstStep" > ${step}`;
  const torn = await tx.$queryRaw<{ key: string; level: number; index: number; steps: Uint8Array }[]>`
    SELECT "key", "level", "index", "steps" FROM "MetricChunk"
    WHERE "runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "lastStep" > ${step}`;
  for (const { key, level, index, steps } of torn) {
    // Entries end in order, so those that end by `step` are the first ones: a point ends where it is, a bucket with its last point.
    const ends =
      level === 0 ? unpackPoints({ steps, values: new Uint8Array() }).steps : unpackBuckets({ steps, values: new Uint8Array(steps.length * 2) }).map(({ lastStep }) => lastStep);
    const kept = ends.filter((end) => end <= step).length;
    const where = Prisma.sql`"runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "key" = ${key} AND "level" = ${level} AND "index" = ${index}`;
    if (kept === 0) await tx.$executeRaw`DELETE FROM "MetricChunk" WHERE ${where}`;
    else
      await tx.$executeRaw`
        UPDATE "MetricChunk" SET "count" = ${kept}::int, "lastStep" = ${ends[kept - 1]}::int, "leaseToken" = ${token}::int,
          "steps" = substring("steps" FOR ${kept * (level === 0 ? 4 : 16)}::int), "values" = substring("values" FOR ${kept * (level === 0 ? 8 : 32)}::int)
        WHERE ${where}`;
  }
}
