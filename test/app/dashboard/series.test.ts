import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { appendPoints, emptySeries, extent, lastStep, lastValue, nearestBucket, pointCount, rewind, seriesOf, smooth } from "../../../app/dashboard/series.ts";

const steps = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("a metric on the page", () => {
  test("keeps every point while there is room", () => {
    const series = appendPoints(emptySeries, [1, 2, 3], [3, null, 1]);
    expect(series.buckets.map(({ to, last }) => [to, last])).toEqual([
      [1, 3],
      [2, null],
      [3, 1],
    ]);
    expect([lastStep(series), lastValue(series), pointCount(series)]).toEqual([3, 1, 3]);
  });

  test("counts a batch that comes twice once", () => {
    const once = appendPoints(emptySeries, [1, 2, 3], [3, 2, 1]);
    expect(appendPoints(once, [2, 3, 4], [2, 1, 0])).toEqual(appendPoints(emptySeries, [1, 2, 3, 4], [3, 2, 1, 0]));
  });

  test("never holds more than its capacity, loses no point and no extreme, however the points arrive", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 400 }), fc.integer({ min: 1, max: 50 }), (values, batch) => {
        let series = emptySeries;
        for (let start = 0; start < values.length; start += batch) {
          const part = values.slice(start, start + batch);
          series = appendPoints(series, steps(start + 1, start + part.length), part, 16);
        }
        expect(series.buckets.length).toBeLessThanOrEqual(16);
        expect(pointCount(series)).toBe(values.length);
        expect(extent([series], null)).toEqual([Math.min(...values), Math.max(...values)]);
        expect(series.buckets[0]?.first).toBe(values[0]);
        expect(lastValue(series)).toBe(values.at(-1));
        for (const [index, bucket] of series.buckets.entries()) {
          const inside = values.slice(bucket.from - 1, bucket.to);
          expect(bucket.from).toBe((series.buckets[index - 1]?.to ?? 0) + 1);
          expect([bucket.count, bucket.min, bucket.max, bucket.last]).toEqual([inside.length, Math.min(...inside), Math.max(...inside), inside.at(-1)]);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("goes on from coarse history with buckets of the same size", () => {
    const history = seriesOf([{ from: 1, to: 4, first: 4, last: 1, min: 1, max: 9, count: 4 }]);
    const series = appendPoints(history, steps(5, 9), [1, 2, 3, 4, 5]);
    expect(series.buckets.map(({ from, to }) => [from, to])).toEqual([
      [1, 4],
      [5, 8],
      [9, 9],
    ]);
  });
});

describe("going back to a checkpoint", () => {
  test("forgets what came after it", () => {
    const series = appendPoints(emptySeries, steps(1, 10), steps(1, 10));
    const { series: kept, torn } = rewind(series, 6);
    expect([lastStep(kept), torn]).toEqual([6, false]);
    expect(appendPoints(kept, [7, 8], [70, 80]).buckets.map((bucket) => bucket.last)).toEqual([1, 2, 3, 4, 5, 6, 70, 80]);
  });

  test("says when a bucket reached over it, so that the page asks again", () => {
    const series = seriesOf([
      { from: 1, to: 8, first: 1, last: 8, min: 1, max: 8, count: 8 },
      { from: 9, to: 16, first: 9, last: 16, min: 9, max: 16, count: 8 },
    ]);
    expect(rewind(series, 12)).toEqual({ series: { bucketSize: 8, buckets: series.buckets.slice(0, 1) }, torn: true });
    expect(rewind(series, 16)).toEqual({ series, torn: false });
  });

  test("knows that a bucket may hold points on either side of its ends", () => {
    const series = seriesOf([
      { from: 1, to: 5, first: 1, last: 5, min: 1, max: 8, count: 8 },
      { from: 12, to: 16, first: 12, last: 16, min: 9, max: 16, count: 8 },
    ]);
    for (const step of [6, 10]) expect(rewind(series, step)).toMatchObject({ torn: true });
    expect(rewind(series, 8)).toEqual({ series: { bucketSize: 8, buckets: series.buckets.slice(0, 1) }, torn: false });
  });
});

describe("smoothing", () => {
  const noisy = appendPoints(
    emptySeries,
    steps(1, 200),
    steps(1, 200).map((step) => 1 + (step % 2)),
  );

  test("weight 0 shows the values themselves", () => {
    expect(smooth(noisy, 0)).toEqual(noisy.buckets.map((bucket) => bucket.last));
  });

  test("starts at the first value and settles at the mean", () => {
    const curve = smooth(noisy, 0.9);
    expect(curve[0]).toBeCloseTo(2, 9);
    expect(curve.at(-1)).toBeCloseTo(1.5, 1);
  });

  test("passes over values that are not finite", () => {
    expect(smooth(appendPoints(emptySeries, [1, 2, 3], [1, null, 1]), 0.5)).toEqual([1, null, 1]);
  });
});

test("the nearest bucket is found by its end", () => {
  const series = appendPoints(emptySeries, [1, 5, 9], [1, 2, 3]);
  expect([-3, 2, 3.1, 6, 8, 400].map((step) => nearestBucket(series, step)?.to)).toEqual([1, 1, 5, 5, 9, 9]);
  expect(nearestBucket(emptySeries, 3)).toBeNull();
});

test("the extent can be asked of a range, and of positive values only", () => {
  const series = appendPoints(emptySeries, [1, 2, 3, 4], [-5, 0.1, 2, 100]);
  expect(extent([series], [2, 3])).toEqual([0.1, 2]);
  expect(extent([series], null, true)).toEqual([0.1, 100]);
  expect(extent([emptySeries], null)).toBeNull();
});
