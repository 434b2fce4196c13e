import { Prisma } from "../../prisma/generated/client.ts";
import type { Database } from "../database/client.ts";
import { CHUNK, type Entries, FACTOR, type Packed, TOP_LEVEL, unpackEntries, width } from "./pyramid.ts";

/**
 * One metric of many runs, each as stretches of neighbouring points. `steps` holds the last step of each stretch (Int32), `values` its last, lowest
 * and highest value (Float32; NaN: not finite), little-endian in base64: two hundred curves are read and sent as one.
 */
type Overlay = { runId: string; count: number; steps: string; values: string }[];

/** `mostStretches` of each run at most. Steps outside the window may be in the first and last stretch. */
type OverlayQuestion = { runIds: readonly string[]; key: string; fromStep?: number; toStep?: number; mostStretches: number };

/**
 * Curves of many runs over the same steps. Every stretch is made of whole buckets of the pyramid, so its lowest and highest value are exactly
 * those of its points; a run is read at the coarsest level that still gives half of the stretches that were asked for.
 */
export async function queryOverlay(db: Pick<Database, "$queryRaw">, orgId: string, { runIds, key, fromStep, toStep, mostStretches }: OverlayQuestion): Promise<Overlay> {
  const most = Math.max(8, mostStretches);
  const bounds = Prisma.sql`${fromStep ?? 0}::int AS "from", ${toStep ?? 2 ** 31 - 1}::int AS "to"`;
  // One statement, so one moment of the database. Of a level that is coarser than asked for only its unfinished end is read, in the levels below.
  const rows = await db.$queryRaw<({ runId: string; level: number; index: number; whole: number } & Packed)[]>`
    WITH "asked" AS (SELECT ${bounds}),
    "run" AS (
      SELECT "of"."id" AS "runId", "last"."total",
        greatest(1, "last"."total" * least(1, (least("asked"."to", "last"."lastStep") - greatest("asked"."from", "first"."firstStep") + 1)::float8 / greatest(1, "last"."lastStep" - "first"."firstStep" + 1))) AS "inside"
      FROM unnest(${[...runIds]}::uuid[]) AS "of"("id"), "asked"
      CROSS JOIN LATERAL (SELECT "firstStep" FROM "MetricChunk" WHERE "runId" = "of"."id" AND "orgId" = ${orgId}::uuid AND "key" = ${key} AND "level" = 0 ORDER BY "index" LIMIT 1) AS "first"
      CROSS JOIN LATERAL (
        SELECT "lastStep", "index" * ${CHUNK}::int + "count" AS "total" FROM "MetricChunk" WHERE "runId" = "of"."id" AND "orgId" = ${orgId}::uuid AND "key" = ${key} AND "level" = 0 ORDER BY "index" DESC LIMIT 1
      ) AS "last"
    ),
    "leveled" AS (
      SELECT "runId", "total", least(${TOP_LEVEL}::int, greatest(0, floor(log(${FACTOR}::numeric, greatest(1, "inside" / ${most / 2}::float8)::numeric))))::int AS "whole" FROM "run"
    )
    SELECT "leveled"."runId", "leveled"."whole", "chunk"."level", "chunk"."index", "chunk"."steps", "chunk"."values"
    FROM "leveled", "asked" CROSS JOIN generate_series(0, ${TOP_LEVEL}::int) AS "at"("level")
    CROSS JOIN LATERAL (
      SELECT "level", "index", "steps", "values" FROM "MetricChunk" c
      WHERE c."runId" = "leveled"."runId" AND c."orgId" = ${orgId}::uuid AND c."key" = ${key} AND c."level" = "at"."level"
        AND c."lastStep" >= "asked"."from" AND c."firstStep" <= "asked"."to"
        AND (c."level" = "leveled"."whole" OR c."index" >= floor("leveled"."total" / ${FACTOR}::float8 ^ ("at"."level" + 1)) * ${FACTOR}::int / ${CHUNK}::int - 1)
      OFFSET 0
    ) AS "chunk"
    WHERE "at"."level" <= "leveled"."whole"
    ORDER BY "leveled"."runId", "chunk"."level" DESC, "chunk"."index"`;
  const answer: Overlay = [];
  for (let at = 0; at < rows.length; ) {
    const runId = rows[at]?.runId ?? "";
    const stretches = new Stretches(fromStep ?? 0, toStep ?? 2 ** 31 - 1);
    for (; rows[at]?.runId === runId; at++) {
      const row = rows[at] as (typeof rows)[number];
      stretches.add(row.level, unpackEntries(row));
    }
    answer.push({ runId, ...stretches.pack(most) });
  }
  const place = new Map(runIds.map((id, index) => [id, index]));
  return answer.sort((a, b) => (place.get(a.runId) ?? 0) - (place.get(b.runId) ?? 0));
}

/** Stretches in order of their steps; what begins before the end of the last one is known already. */
class Stretches {
  readonly #from: number;
  readonly #to: number;
  #end = Number.NEGATIVE_INFINITY;
  readonly #steps: number[] = [];
  readonly #values: number[] = [];

  constructor(from: number, to: number) {
    this.#from = from;
    this.#to = to;
  }

  add(level: number, { steps, values }: Entries): void {
    const wide = width(level);
    for (let at = 0; at < steps.length; at += wide) {
      const first = steps[at] as number;
      const last = (level === 0 ? first : steps[at + 1]) as number;
      if (first <= this.#end || last < this.#from || first > this.#to) continue;
      this.#end = last;
      this.#steps.push(last);
      const value = values[at] as number;
      if (level === 0) this.#values.push(value, value, value);
      else this.#values.push(values[at + 1] as number, values[at + 2] as number, values[at + 3] as number);
    }
  }

  /** At most `most` of them: neighbours are joined by twos, fours, eights … */
  pack(most: number): { count: number; steps: string; values: string } {
    const size = 2 ** Math.max(0, Math.ceil(Math.log2(this.#steps.length / most)));
    const count = Math.ceil(this.#steps.length / size);
    const steps = new Int32Array(count);
    const values = new Float32Array(count * 3);
    for (let at = 0; at < count; at++) {
      const [from, to] = [at * size, Math.min((at + 1) * size, this.#steps.length)];
      steps[at] = this.#steps[to - 1] as number;
      let [low, high] = [Number.NaN, Number.NaN];
      for (let i = from; i < to; i++) {
        const [min, max] = [this.#values[i * 3 + 1] as number, this.#values[i * 3 + 2] as number];
        if (!(low <= min) && !Number.isNaN(min)) low = min;
        if (!(high >= max) && !Number.isNaN(max)) high = max;
      }
      values.set([this.#values[(to - 1) * 3] as number, low, high], at * 3);
    }
    return { count, steps: Buffer.from(steps.buffer).toString("base64"), values: Buffer.from(values.buffer).toString("base64") };
  }
}
