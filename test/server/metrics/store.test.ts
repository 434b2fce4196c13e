import { randomInt, randomUUID } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { CHUNK, FACTOR, unpackEntries } from "../../../server/metrics/pyramid.ts";
import { queryMetrics, type SeriesAnswer, type Stretch } from "../../../server/metrics/query.ts";
import { appendMetrics, LeaseLost, type Points, type RunRef, rewindMetrics, rewindStages } from "../../../server/metrics/store.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, claim, makeContext, makeTenant, reclaim, type Tenant } from "../world.ts";

const { db } = await openTestDatabase();
const context = makeContext(db);
let tenant: Tenant;
beforeAll(async () => {
  tenant = await makeTenant(db);
});

async function startedRun(): Promise<RunRef & { token: number }> {
  const { runId } = await callerOf(context(tenant.session)).runs.start({
    modelId: tenant.modelId,
    settings: tenant.settings,
    idempotencyKey: randomUUID(),
  });
  return { id: runId, orgId: tenant.orgId, token: await claim(db, runId) };
}

const append = (run: RunRef, token: number, points: Points[]) => db.$transaction((tx) => appendMetrics(tx, run, token, points));
/** As a trainer does it, but in stages of few chunks, so that there are some. */
async function rewind(run: RunRef, token: number, step: number): Promise<void> {
  for (const at of [...(await rewindStages(db, run, step, 5)), step]) await db.$transaction((tx) => rewindMetrics(tx, run, token, at));
}

/** The same, kept the simple way. */
class Naive {
  readonly series = new Map<string, [number, number][]>();
  append(points: readonly Points[]): void {
    for (const { key, steps, values } of points) {
      const all = this.series.get(key) ?? [];
      steps.forEach((step, index) => {
        if (step > (all.at(-1)?.[0] ?? -1)) all.push([step, values[index] ?? Number.NaN]);
      });
      this.series.set(key, all);
    }
  }
  rewind(step: number): void {
    for (const [key, all] of this.series)
      this.series.set(
        key,
        all.filter(([at]) => at <= step),
      );
  }
}

function bucketsOf(chunk: { steps: Uint8Array; values: Uint8Array }) {
  const { steps, values } = unpackEntries(chunk);
  return Array.from({ length: steps.length / 4 }, (_, index) => {
    const [firstStep, lastStep, minStep, maxStep] = steps.slice(index * 4);
    const [first, last, min, max] = values.slice(index * 4);
    return { firstStep, lastStep, minStep, maxStep, first, last, min, max };
  });
}

/** All that is stored, checked against the simple keeping: points, and every bucket of every level. */
async function compare(run: RunRef, naive: Naive): Promise<void> {
  const chunks = await db.metricChunk.findMany({ where: { runId: run.id }, orderBy: [{ key: "asc" }, { level: "asc" }, { index: "asc" }] });
  for (const [key, expected] of naive.series) {
    const mine = chunks.filter((chunk) => chunk.key === key);
    const raw = mine.filter(({ level }) => level === 0).map(unpackEntries);
    expect(raw.flatMap(({ steps }) => [...steps])).toEqual(expected.map(([step]) => step));
    expect(raw.flatMap(({ values }) => [...values])).toEqual(expected.map(([, value]) => value));
    for (const [position, chunk] of mine.filter(({ level }) => level === 0).entries())
      expect([chunk.index, chunk.count]).toEqual([position, Math.min(CHUNK, expected.length - position * CHUNK)]);
    for (let level = 1, size = FACTOR; level <= 4; level++, size *= FACTOR) {
      const buckets = mine.filter((chunk) => chunk.level === level).flatMap(bucketsOf);
      expect(buckets.length).toBe(Math.floor(expected.length / size));
      buckets.forEach((bucket, index) => {
        const part = expected.slice(index * size, (index + 1) * size);
        const numbers = part.map(([, value]) => value).filter((value) => !Number.isNaN(value));
        expect(bucket).toMatchObject({
          firstStep: part[0]?.[0],
          lastStep: part.at(-1)?.[0],
          first: part[0]?.[1],
          last: part.at(-1)?.[1],
          min: numbers.length > 0 ? Math.min(...numbers) : Number.NaN,
          max: numbers.length > 0 ? Math.max(...numbers) : Number.NaN,
        });
        if (numbers.length > 0) {
          expect(part.find(([, value]) => value === Math.min(...numbers))?.[0]).toBe(bucket.minStep);
          expect(part.find(([, value]) => value === Math.max(...numbers))?.[0]).toBe(bucket.maxStep);
        }
      });
    }
  }
}

const value = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: -1000, max: 1000 }) }, { weight: 1, arbitrary: fc.constant(null) });
const act = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("append" as const),
      counts: fc.tuple(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 0, max: 20 })),
      gap: fc.integer({ min: 1, max: 3 }),
      value,
      again: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("rewind" as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }) },
);

test("random appends, repeats and rewinds keep every point once, and every bucket's envelope exact", { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 12 }), async (acts) => {
      const run = await startedRun();
      const naive = new Naive();
      let token = run.token;
      let step = 0;
      for (const one of acts) {
        if (one.type === "append") {
          const points: Points[] = [];
          let last = step;
          for (const [index, count] of one.counts.entries()) {
            const steps = Array.from({ length: count }, (_, at) => step + (at + 1) * one.gap);
            points.push({
              key: `key/${index}`,
              steps,
              values: steps.map((at) => (one.value === null ? null : Math.sin(at) * one.value || 0)),
            });
            last = Math.max(last, steps.at(-1) ?? 0);
          }
          await append(run, token, points);
          // The answer was lost, so the batch is sent again.
          if (one.again) await append(run, token, points);
          naive.append(points);
          step = last;
        } else {
          token = await reclaim(db, run.id);
          step = Math.floor(step * one.share);
          await rewind(run, token, step);
          naive.rewind(step);
        }
      }
      await compare(run, naive);
    }),
    { numRuns: 25 },
  );
});

describe("a lease that is over", () => {
  test("adds and drops nothing", async () => {
    const run = await startedRun();
    await append(run, run.token, [{ key: "train/loss", steps: [1, 2], values: [1, 2] }]);
    const token = await reclaim(db, run.id);
    await expect(append(run, run.token, [{ key: "train/loss", steps: [3], values: [3] }])).rejects.toBeInstanceOf(LeaseLost);
    await expect(rewind(run, run.token, 0)).rejects.toBeInstanceOf(LeaseLost);
    await append(run, token, [{ key: "train/loss", steps: [3], values: [4] }]);
    expect((await queryMetrics(db, run, { maxPoints: 10 }))[0]?.points).toEqual([
      [1, 1],
      [2, 2],
      [3, 4],
    ]);
  });

  test("is refused by the database itself, whatever the code does", async () => {
    const run = await startedRun();
    const token = await reclaim(db, run.id);
    const row = { orgId: run.orgId, runId: run.id, leaseToken: run.token };
    await expect(
      db.metricChunk.create({
        data: {
          ...row,
          key: "k",
          level: 0,
          index: 0,
          firstStep: 1,
          lastStep: 1,
          count: 1,
          steps: new Uint8Array(4),
          values: new Uint8Array(8),
        },
      }),
    ).rejects.toThrow();
    await expect(
      db.checkpoint.create({
        data: { ...row, step: 1, epoch: 0, storageKey: `runs/${run.id}/step-1.safetensors`, sizeBytes: 1n, sha256: "0".repeat(64) },
      }),
    ).rejects.toThrow();
    await expect(db.runLog.create({ data: { ...row, level: "info", message: "late" } })).rejects.toThrow();
    await db.runLog.create({ data: { ...row, leaseToken: token, level: "info", message: "in time" } });
    expect(await db.metricChunk.count({ where: { runId: run.id } })).toBe(0);
  });

  test("a transaction that fails after its points leaves none", async () => {
    const run = await startedRun();
    const failing = db.$transaction(async (tx) => {
      await appendMetrics(tx, run, run.token, [{ key: "train/loss", steps: [1], values: [1] }]);
      throw new Error("later");
    });
    await expect(failing).rejects.toThrow("later");
    expect(await queryMetrics(db, run, { maxPoints: 10 })).toEqual([]);
  });
});

type Column = { from: number; to: number; first: number | null; last: number | null; min: number | null; max: number | null; count: number };

/** What a chart of so many pixels shows of points, the simple way. */
function columnsOf(points: readonly (readonly [number, number])[], from: number, to: number, count: number): Column[] {
  const columns = new Map<number, (readonly [number, number])[]>();
  let column = 0;
  for (const point of points.filter(([step]) => step >= from && step <= to)) {
    while (point[0] >= startOf(column + 1, from, to, count)) column++;
    columns.set(column, [...(columns.get(column) ?? []), point]);
  }
  const shown = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? null : value);
  return [...columns.values()].map((part) => {
    const [first, last] = [part[0], part.at(-1)];
    const numbers = part.map(([, value]) => value).filter((value) => !Number.isNaN(value));
    const [min, max] = numbers.length > 0 ? [Math.min(...numbers), Math.max(...numbers)] : [null, null];
    return { from: first?.[0] ?? 0, to: last?.[0] ?? 0, first: shown(first?.[1]), last: shown(last?.[1]), min, max, count: part.length };
  });
}

/** The first step of a column. */
const startOf = (column: number, from: number, to: number, count: number) => from + Math.floor((column * (to - from + 1)) / count);

const stretchesOf = (points: SeriesAnswer["points"] | undefined): Column[] =>
  (points ?? []).map((point) => (Array.isArray(point) ? { from: point[0], to: point[0], first: point[1], last: point[1], min: point[1], max: point[1], count: 1 } : point));

/** How far down and up a line lights each pixel: through a pixel's own values, and from its last point to the next pixel's first. */
function lit(columns: readonly Column[], from: number, to: number, count: number): Map<number, [low: number, high: number]> {
  const rows = new Map<number, [number, number]>();
  const light = (pixel: number, value: number) => {
    const [low, high] = rows.get(pixel) ?? [value, value];
    rows.set(pixel, [Math.min(low, value), Math.max(high, value)]);
  };
  const pixelOf = (step: number) => Math.ceil(((step - from + 1) * count) / (to - from + 1)) - 1;
  for (const [at, column] of columns.entries()) {
    const pixel = pixelOf(column.from);
    if (column.min !== null && column.max !== null) for (const value of [column.min, column.max]) light(pixel, value);
    const next = columns[at + 1];
    if (!next || column.last === null || next.first === null) continue;
    const slope = (next.first - column.last) / (next.from - column.to);
    for (let border = pixel + 1; border <= pixelOf(next.from); border++) {
      const crossing = column.last + slope * (startOf(border, from, to, count) - 0.5 - column.to);
      for (const side of [border - 1, border]) light(side, crossing);
    }
  }
  return rows;
}

/** What is answered lights the pixels that its points light; its columns hold what they say, and begin and end with points of theirs. */
function expectChart(answer: SeriesAnswer["points"] | undefined, points: readonly (readonly [number, number])[], from: number, to: number, count: number): void {
  const [found, wanted] = [stretchesOf(answer), columnsOf(points, from, to, count)];
  const exact = ({ min, max, count }: Column) => ({ min, max, count });
  expect(found.map(exact)).toEqual(wanted.map(exact));
  const values = new Map(points);
  const holds = (step: number, value: number | null) => (Number.isNaN(values.get(step)) ? value === null : value === values.get(step));
  expect(
    found.filter(({ from, to, first, last }, at) => {
      const real = wanted[at] as Column;
      return !(real.from <= from && from <= to && to <= real.to && holds(from, first) && holds(to, last));
    }),
  ).toEqual([]);
  const [drawn, raw] = [lit(found, from, to, count), lit(wanted, from, to, count)];
  expect(drawn.size).toBe(raw.size);
  expect(
    [...raw].filter(([pixel, [low, high]]) => {
      // The crossing of a border is a quotient: its last digits depend on the points that it is drawn between.
      const slack = 1e-9 * Math.max(1, Math.abs(low), Math.abs(high));
      const [lowest, highest] = drawn.get(pixel) ?? [Number.NaN, Number.NaN];
      return !(Math.abs(lowest - low) <= slack && Math.abs(highest - high) <= slack);
    }),
  ).toEqual([]);
}

test("a chart of any width over any range lights the pixels that its points light, with the lowest and highest value of each", { timeout: 300_000 }, async () => {
  const shape = fc.constantFrom<(step: number) => number>(
    () => Math.random(),
    (step) => 5 / Math.sqrt(step),
    (step) => (step % 977 === 0 ? 1e6 : Math.sin(step / 50)),
    (step) => (step % 3 === 0 || (step > 3_000 && step < 5_000) ? Number.NaN : -step),
    (step) => Math.floor(step / 700),
  );
  const series = fc.record({ count: fc.integer({ min: 1, max: 20_000 }), firstStep: fc.integer({ min: 0, max: 5_000 }), mostGap: fc.constantFrom(1, 1, 2, 40), shape });
  const views = fc.array(
    fc.record({ width: fc.integer({ min: 1, max: 2_000 }), ends: fc.tuple(fc.double({ min: -0.1, max: 1.1, noNaN: true }), fc.double({ min: 0, max: 1.1, noNaN: true })) }),
    {
      minLength: 4,
      maxLength: 8,
    },
  );
  await fc.assert(
    fc.asyncProperty(series, views, async ({ count, firstStep, mostGap, shape }, views) => {
      const run = await startedRun();
      let step = firstStep;
      const points = Array.from({ length: count }, () => {
        step += randomInt(1, mostGap + 1);
        return [step, shape(step)] as const;
      });
      for (let at = 0; at < count; at += 7_001) {
        const part = points.slice(at, at + 7_001);
        await append(run, run.token, [{ key: "k", steps: part.map(([at]) => at), values: part.map(([, value]) => value) }]);
      }
      const [start, end] = [points[0]?.[0] ?? 0, step];
      expectChart((await queryMetrics(db, run, { maxPoints: 500 }))[0]?.points, points, start, end, 500);
      for (const { width, ends } of views) {
        const [from, to] = ends.map((share) => Math.max(0, Math.round(start + share * (end - start)))).toSorted((a, b) => a - b) as [number, number];
        const [answer] = await queryMetrics(db, run, { fromStep: from, toStep: to, maxPoints: width });
        expectChart(answer?.points, points, from, to, width);
      }
    }),
    { numRuns: 40 },
  );
});

describe("a query", () => {
  test("shows what a run became after it was cut back, though the chart was drawn before", async () => {
    const run = await startedRun();
    const draw = (from: number, to: number, value: (step: number) => number): Points => {
      const steps = Array.from({ length: to - from + 1 }, (_, at) => from + at);
      return { key: "k", steps, values: steps.map(value) };
    };
    await append(run, run.token, [draw(1, 20_000, (step) => step)]);
    expect((await queryMetrics(db, run, { maxPoints: 20 }))[0]?.points.at(-1)).toMatchObject({ max: 20_000 });
    const token = await reclaim(db, run.id);
    await rewind(run, token, 3_000);
    await append(run, token, [draw(3_001, 20_000, (step) => -step)]);
    const all = Array.from({ length: 20_000 }, (_, at) => [at + 1, at < 3_000 ? at + 1 : -at - 1] as const);
    expectChart((await queryMetrics(db, run, { maxPoints: 20 }))[0]?.points, all, 1, 20_000, 20);
  });

  test("never loses a spike, stays within its points, and zooms down to the points themselves", async () => {
    const run = await startedRun();
    const count = 70_000;
    const steps = Array.from({ length: count }, (_, index) => index + 1);
    const values = steps.map((step) => (step === 41_234 ? 1e6 : step === 5 ? Number.NaN : Math.cos(step / 1000)));
    for (let at = 0; at < count; at += 10_000) await append(run, run.token, [{ key: "train/loss", steps: steps.slice(at, at + 10_000), values: values.slice(at, at + 10_000) }]);

    for (const maxPoints of [1, 7, 100, 1_000, 5_000]) {
      const [series] = await queryMetrics(db, run, { maxPoints });
      const points = series?.points as Stretch[];
      expect(points.length).toBeLessThanOrEqual(maxPoints);
      if (maxPoints >= 100) expect(points.length).toBeGreaterThanOrEqual(maxPoints / 8);
      expect(Math.max(...points.map(({ max }) => max ?? -1))).toBe(1e6);
      expect(points.reduce((sum, point) => sum + point.count, 0)).toBe(count);
      expect(points[0]).toMatchObject({ from: 1, first: values[0] });
      expect(points.at(-1)).toMatchObject({ to: count, last: values.at(-1) });
      for (const [index, point] of points.slice(1).entries()) expect(point.from).toBeGreaterThan(points[index]?.to ?? 0);
    }
    const [zoomed] = await queryMetrics(db, run, { fromStep: 41_200, toStep: 41_260, maxPoints: 100 });
    expect(zoomed?.points).toEqual(steps.slice(41_199, 41_260).map((step) => [step, values[step - 1]]));
    const [start] = await queryMetrics(db, run, { fromStep: 4, toStep: 6, maxPoints: 10 });
    expect(start?.points).toEqual([
      [4, values[3]],
      [5, null],
      [6, values[5]],
    ]);
    expect((await queryMetrics(db, run, { fromStep: 80_000, maxPoints: 10 }))[0]?.points).toEqual([]);
    expect(await queryMetrics(db, run, { keys: ["no/such"], maxPoints: 10 })).toEqual([]);
  });
});
