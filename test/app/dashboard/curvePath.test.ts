import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bandPath, cutOf, linePath, rowsOf } from "../../../app/dashboard/curvePath.ts";
import { appendPoints, emptySeries } from "../../../app/dashboard/series.ts";

const seriesOfValues = (values: (number | null)[]) =>
  appendPoints(
    emptySeries,
    values.map((_, index) => index + 1),
    values,
  );
const same = (value: number) => value;

describe("what is drawn of a curve", () => {
  test("never more rows than pixels and two at the ends, and never less than the extremes of what is in sight", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 2, max: 60 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 0, max: 300 }),
        (values, pixels, from, length) => {
          const range: [number, number] = [from, from + length];
          const rows = rowsOf({ series: seriesOfValues(values), noisy: true }, range, false, 0, pixels);
          expect(rows.length).toBeLessThanOrEqual(pixels + 2);
          const seen = rows.flatMap(({ value, low, high }) => [value, low, high]).filter((value) => value !== null);
          const inside = values.slice(Math.max(0, range[0] - 1), range[1]);
          if (inside.length === 0) return;
          expect(Math.min(...seen)).toBeLessThanOrEqual(Math.min(...inside));
          expect(Math.max(...seen)).toBeGreaterThanOrEqual(Math.max(...inside));
        },
      ),
    );
  });

  test("groups stand still while points come", () => {
    const values = Array.from({ length: 90 }, (_, index) => Math.sin(index));
    const before = rowsOf({ series: seriesOfValues(values.slice(0, 80)), noisy: true }, [0, 100], false, 0, 30);
    const after = rowsOf({ series: seriesOfValues(values), noisy: true }, [0, 100], false, 0, 30);
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
  });

  test("a log scale leaves out what it cannot show", () => {
    expect(rowsOf({ series: seriesOfValues([1, 0, -2, 4]), noisy: false }, [0, 4], true, 0, 100).map(({ value }) => value)).toEqual([1, null, null, 4]);
  });
});

test("a line breaks off where a value is not finite, and goes on after it", () => {
  const rows = rowsOf({ series: seriesOfValues([1, 2, null, 4, 5]), noisy: false }, [0, 5], false, 0, 100);
  expect(linePath(rows, "value", same, same)).toBe("M1 1L2 2M4 4L5 5");
});

test("a band goes there along the highest values and back along the lowest, stretch by stretch", () => {
  const row = (step: number, low: number | null, high: number | null) => ({ step, value: 0, smooth: null, low, high });
  expect(bandPath([row(1, 0, 9), row(2, 1, 8), row(3, null, null), row(4, 2, 7)], same, same)).toBe("M1 9L2 8L2 1L1 0ZM4 7L4 2Z");
  expect(bandPath([row(1, null, null)], same, same)).toBe("");
});

test("what of a growing curve is drawn once stays as it was, and a curve in two parts shows what it shows in one", () => {
  const values = Array.from({ length: 300 }, (_, index) => Math.sin(index));
  const draw = (count: number) => rowsOf({ series: seriesOfValues(values.slice(0, count)), noisy: true }, [0, 300], false, 0, 400);
  const rows = draw(200);
  const cut = cutOf(rows);
  expect(cut).toBe(192);
  expect(cutOf(draw(250))).toBe(192);
  expect(draw(250).slice(0, cut + 1)).toEqual(rows.slice(0, cut + 1));
  const [before, after] = [rows.slice(0, cut + 1), rows.slice(cut)];
  expect(linePath(rows, "value", same, same)).toBe(`${linePath(before, "value", same, same)}L${linePath(after, "value", same, same).split("L").slice(1).join("L")}`);
  const row = (step: number, low: number | null, high: number | null) => ({ step, value: 0, smooth: null, low, high });
  // Neither part has a line where the other goes on.
  expect(bandPath([row(1, 0, 9), row(2, 1, 8)], same, same, "end")).toBe("M2 1L1 0L1 9L2 8");
  expect(bandPath([row(2, 1, 8), row(3, 2, 7)], same, same, "begin")).toBe("M2 8L3 7L3 2L2 1");
});
