import { say } from "../../core/language/say.ts";
import { Prisma } from "../../prisma/generated/client.ts";
import type { Sender, Tx } from "../database/client.ts";
import { AppError } from "../errors.ts";
import { CHUNK, type Entries, FACTOR, foldEntries, joinEntries, type Packed, packEntries, TOP_LEVEL, unpackEntries, width } from "./pyramid.ts";

/** Points of one metric in step order, as the engine reports them. `null` stands for a value that is not a number. */
export type Points = { key: string; steps: readonly number[]; values: readonly (number | null)[] };

/** Whose metrics: ids of the run's row. */
export type RunRef = { id: string; orgId: string };

/** Thrown where a later lease has taken the run over, or the run is not running: the writer must stop, and nothing was written. */
export class LeaseLost extends AppError {
  constructor(run: RunRef, token: number) {
    super("LEASE_LOST", say("Lease {token} of run {id} is over.", { token, id: run.id }));
    this.name = "LeaseLost";
  }
}

/**
 * Adds points to a run's metrics, all or none with the rest of the transaction. A point whose step is not beyond the last
 * kept one of its key is there already and is left out, so that a batch may be sent again after its answer was lost.
 * Holds the run's row locked until the transaction ends; so it comes before the run leaves `running`.
 * @throws LeaseLost where `token` is not the run's present lease.
 */
export async function appendMetrics(tx: Sender, run: RunRef, token: number, points: readonly Points[]): Promise<void> {
  const held = await tx.$executeRaw`
    UPDATE "Run" SET "revision" = "revision"
    WHERE "id" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "leaseToken" = ${token} AND "status" = 'running'`;
  if (held === 0) throw new LeaseLost(run, token);
  await appendToHeld(tx, run, token, points);
}

/**
 * The same where this transaction has changed the run's row already, and found it running under this lease. Returns what the keys end with now: a
 * lease's only writer, once it is committed, need not have it read again.
 */
export async function appendToHeld(tx: Sender, run: RunRef, token: number, points: readonly Points[], known: Tails = new Map()): Promise<Tails> {
  const given = new Map<string, Points[]>();
  for (const part of points) given.set(part.key, [...(given.get(part.key) ?? []), part]);
  const unknown = [...given.keys()].filter((key) => !known.has(key));
  const read = unknown.length > 0 ? await readTails(tx, run, unknown) : new Map();
  const grown: Tails = new Map();
  const pieces: Piece[] = [];
  for (const [key, parts] of given) {
    const levels = known.get(key) ?? read.get(key) ?? [];
    const fresh = takeFresh(parts, levels[0]?.lastStep ?? Number.NEGATIVE_INFINITY);
    grown.set(key, growLevels(key, levels, fresh, pieces));
  }
  if (pieces.length > 0) await writePieces(tx, run, token, pieces);
  return grown;
}

/** By key and level; a level without entries is missing. */
export type Tails = Map<string, (Tail | undefined)[]>;

/** What a level of a key ends with: how many entries it has, the last one's step, and those after the last that the next level has a bucket for. */
export type Tail = { count: number; lastStep: number; open: Entries };

/** Entries that go to the end of one chunk. */
type Piece = { key: string; level: number; index: number; entries: Entries };

export async function readTails(tx: Sender, run: RunRef, keys: string[]): Promise<Tails> {
  const rows = await tx.$queryRaw<({ key: string; level: number; index: number; count: number; lastStep: number } & Packed)[]>`
    SELECT "of"."key", "at"."level", "chunk".* FROM unnest(${keys}::text[]) AS "of"("key") CROSS JOIN generate_series(0, ${TOP_LEVEL}::int) AS "at"("level")
    CROSS JOIN LATERAL (
      SELECT "index", "count", "lastStep",
        substring("steps" FROM ("count" - "count" % ${FACTOR}::int) * CASE WHEN "at"."level" = 0 THEN 4 ELSE 16 END + 1) AS "steps",
        substring("values" FROM ("count" - "count" % ${FACTOR}::int) * CASE WHEN "at"."level" = 0 THEN 8 ELSE 32 END + 1) AS "values"
      FROM "MetricChunk" WHERE "runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "key" = "of"."key" AND "level" = "at"."level"
      ORDER BY "index" DESC LIMIT 1
    ) AS "chunk"`;
  const tails: Tails = new Map();
  for (const { key, level, index, count, lastStep, ...packed } of rows) {
    const levels = tails.get(key) ?? [];
    levels[level] = { count: index * CHUNK + count, lastStep, open: unpackEntries(packed) };
    tails.set(key, levels);
  }
  return tails;
}

/** The points beyond what is kept, in order. */
function takeFresh(parts: readonly Points[], lastStep: number): Entries {
  const most = parts.reduce((sum, part) => sum + part.steps.length, 0);
  const steps = new Int32Array(most);
  const values = new Float64Array(most);
  let count = 0;
  let last = lastStep;
  for (const part of parts) {
    for (let index = 0; index < part.steps.length; index++) {
      const step = part.steps[index] as number;
      if (step <= last) continue;
      steps[count] = step;
      values[count] = part.values[index] ?? Number.NaN;
      count++;
      last = step;
    }
  }
  return { steps: steps.subarray(0, count), values: values.subarray(0, count) };
}

/** Adds what new points mean for each level: themselves, and every bucket that they complete. Returns what the levels end with then. */
function growLevels(key: string, tails: readonly (Tail | undefined)[], fresh: Entries, pieces: Piece[]): (Tail | undefined)[] {
  const grown = [...tails];
  let entries = fresh;
  for (let level = 0; level <= TOP_LEVEL && entries.steps.length > 0; level++) {
    const start = tails[level]?.count ?? 0;
    const wide = width(level);
    const count = entries.steps.length / wide;
    for (let from = 0; from < count; ) {
      const index = Math.floor((start + from) / CHUNK);
      const to = Math.min(count, (index + 1) * CHUNK - start);
      pieces.push({ key, level, index, entries: { steps: entries.steps.subarray(from * wide, to * wide), values: entries.values.subarray(from * wide, to * wide) } });
      from = to;
    }
    const open = tails[level]?.open;
    const joined = open ? joinEntries(open, entries) : entries;
    entries = foldEntries(level, joined);
    const folded = (entries.steps.length / 4) * FACTOR * wide;
    const lastStep = joined.steps.at(level === 0 ? -1 : -3) as number;
    grown[level] = { count: start + count, lastStep, open: { steps: joined.steps.slice(folded), values: joined.values.slice(folded) } };
  }
  return grown;
}

/** One statement, however many pieces: their bytes go as one value, which the server cuts up again. */
async function writePieces(tx: Sender, run: RunRef, token: number, pieces: readonly Piece[]): Promise<void> {
  const packed = pieces.map(({ entries }) => packEntries(entries));
  const steps = Buffer.concat(packed.map((piece) => piece.steps));
  const values = Buffer.concat(packed.map((piece) => piece.values));
  const firstStep = pieces.map(({ entries }) => entries.steps[0] as number);
  const lastStep = pieces.map(({ level, entries }) => entries.steps.at(level === 0 ? -1 : -3) as number);
  const sizes = pieces.map(({ entries }) => entries.steps.length);
  await tx.$executeRaw`
    INSERT INTO "MetricChunk" ("orgId", "runId", "key", "level", "index", "leaseToken", "firstStep", "lastStep", "count", "steps", "values")
    SELECT ${run.orgId}::uuid, ${run.id}::uuid, "key", "level", "index", ${token}::int, "firstStep", "lastStep", "size" / CASE WHEN "level" = 0 THEN 1 ELSE 4 END,
      substring(${steps}::bytea FROM ("end" - "size") * 4 + 1 FOR "size" * 4), substring(${values}::bytea FROM ("end" - "size") * 8 + 1 FOR "size" * 8)
    FROM unnest(${pieces.map(({ key }) => key)}::text[], ${pieces.map(({ level }) => level)}::int[], ${pieces.map(({ index }) => index)}::int[],
      ${firstStep}::int[], ${lastStep}::int[], ${sizes}::int[], ${endsOf(sizes)}::int[]) AS "piece"("key", "level", "index", "firstStep", "lastStep", "size", "end")
    ON CONFLICT ("runId", "key", "level", "index") DO UPDATE SET
      "leaseToken" = EXCLUDED."leaseToken", "lastStep" = EXCLUDED."lastStep", "count" = "MetricChunk"."count" + EXCLUDED."count",
      "steps" = "MetricChunk"."steps" || EXCLUDED."steps", "values" = "MetricChunk"."values" || EXCLUDED."values"`;
}

function endsOf(sizes: readonly number[]): number[] {
  let end = 0;
  return sizes.map((size) => (end += size));
}

/**
 * Steps to cut a run back to before it is cut back to `step`, the latest first: so that no transaction drops more chunks than it has time for, however long
 * the run is. Empty where one is enough.
 */
export async function rewindStages(db: Tx, run: RunRef, step: number, chunksAtOnce = 10_000): Promise<number[]> {
  const rows = await db.$queryRaw<{ step: number }[]>`
    SELECT DISTINCT "firstStep" - 1 AS "step" FROM (
      SELECT "firstStep", row_number() OVER (ORDER BY "firstStep" DESC) AS "turn" FROM "MetricChunk" WHERE "runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "firstStep" > ${step}
    ) AS "each" WHERE "turn" % ${chunksAtOnce}::int = 0 ORDER BY "step" DESC`;
  return rows.map((row) => row.step).filter((at) => at > step);
}

/**
 * Drops every point and every look after `step` and notes it, so that open charts drop theirs: what a resumed run does before its first step.
 * @throws LeaseLost where `token` is not the run's present lease.
 */
export async function rewindMetrics(tx: Tx, run: RunRef, token: number, step: number): Promise<void> {
  const held = await tx.$executeRaw`
    UPDATE "Run" SET "rewinds" = "rewinds" || ${JSON.stringify([[token, step]])}::jsonb
    WHERE "id" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "leaseToken" = ${token} AND "status" = 'running'`;
  if (held === 0) throw new LeaseLost(run, token);
  await tx.$executeRaw`DELETE FROM "RunLook" WHERE "runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "step" > ${step}`;
  await tx.$executeRaw`DELETE FROM "RunHistogram" WHERE "runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "step" > ${step}`;
  await tx.$executeRaw`DELETE FROM "MetricChunk" WHERE "runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "firstStep" > ${step}`;
  const torn = await tx.$queryRaw<{ key: string; level: number; index: number; steps: Uint8Array }[]>`
    SELECT "key", "level", "index", "steps" FROM "MetricChunk"
    WHERE "runId" = ${run.id}::uuid AND "orgId" = ${run.orgId}::uuid AND "lastStep" > ${step}`;
  for (const { key, level, index, steps } of torn) {
    // Entries end in order, so those that end by `step` are the first ones: a point ends where it is, a bucket with its last point.
    const all = unpackEntries({ steps, values: new Uint8Array() }).steps;
    const ends = level === 0 ? all : all.filter((_, at) => at % 4 === 1);
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
