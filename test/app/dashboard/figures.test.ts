import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatExact, formatFigure, formatTick } from "../../../app/dashboard/figures.ts";
import { remainingMs } from "../../../app/dashboard/remaining.ts";
import { logTicks, niceRange, niceTicks } from "../../../app/dashboard/ticks.ts";
import { argmax, toProbabilities } from "../../../core/training/probability.ts";

describe("figures", () => {
  test("shares tell good runs apart", () => {
    expect([0.9871, 0.99123, 1, 0.5, null].map((share) => formatFigure(share, "share"))).toEqual(["98.7%", "99.12%", "100.0%", "50.0%", "–"]);
  });
  test("ticks are short", () => {
    expect([0, 1200, 850, 3e6, 0.5, 0.001, 3e-4].map((tick) => formatTick(tick, "value"))).toEqual(["0", "1.2k", "850", "3M", "0.5", "1e-3", "3e-4"]);
    expect([0, 0.0025, 0.0075, 0.01].map((tick) => formatTick(tick, "value", 0.01))).toEqual(["0", "0.0025", "0.0075", "0.01"]);
    expect([0, 0.775, 1].map((tick) => formatTick(tick, "share"))).toEqual(["0%", "77.5%", "100%"]);
  });
  test("exact values are exact", () => {
    expect([0.0213456789, null, 41200.26, 0.00012345].map((value) => formatExact(value, "value"))).toEqual(["0.0213457", "not finite", "41,200.3", "1.234e-4"]);
    expect(formatExact(0.98765, "share")).toBe("98.765%");
  });
});

describe("ticks", () => {
  test("are round and lie inside", () => {
    expect(niceTicks(0, 2.4, 4)).toEqual([0, 1, 2]);
    expect(niceTicks(0.3, 1, 4)).toEqual([0.4, 0.6, 0.8, 1]);
    expect(niceTicks(1, 4690, 5)).toEqual([1000, 2000, 3000, 4000]);
    expect(logTicks(0.004, 3, 4)).toEqual([0.01, 0.1, 1]);
    expect(logTicks(0.2, 0.7, 3).length).toBeGreaterThan(1);
  });
  test("a nice range holds the data and has ticks at both ends, whatever the data", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (low, size) => {
        const high = low + size;
        fc.pre(high > low && size > Math.abs(low) * 1e-6);
        const [from, to] = niceRange(low, high, 4);
        const slack = size * 1e-6;
        expect(from).toBeLessThanOrEqual(low + slack);
        expect(to).toBeGreaterThanOrEqual(high - slack);
        expect(niceTicks(from, to, 4).length).toBeGreaterThanOrEqual(2);
        expect(niceTicks(from, to, 4).length).toBeLessThanOrEqual(8);
      }),
    );
  });
  test("a flat curve has room around it", () => {
    expect(niceRange(0.1, 0.1, 4)).toEqual([0.05, 0.15000000000000002]);
    expect(niceRange(0, 0, 4)).toEqual([0, 1]);
  });
});

describe("time left", () => {
  test("follows the mean pace, corrected by the pace of now", () => {
    expect(remainingMs({ step: 100, totalSteps: 300, elapsedMs: 10_000, stepsPerSecond: 10 })).toBeCloseTo(20_000, -1);
    expect(remainingMs({ step: 100, totalSteps: 300, elapsedMs: 10_000, stepsPerSecond: 20 })).toBeLessThan(20_000);
  });
  test("is unknown before the second step, and none at the end", () => {
    expect(remainingMs({ step: 1, totalSteps: 300, elapsedMs: 900, stepsPerSecond: 1 })).toBeNull();
    expect(remainingMs({ step: 300, totalSteps: 300, elapsedMs: 900, stepsPerSecond: 1 })).toBe(0);
  });
});

describe("probabilities", () => {
  test("come from logits by softmax, without overflow", () => {
    expect(toProbabilities([1000, 1000], 2)).toEqual([0.5, 0.5]);
    expect(argmax(toProbabilities([1, 9, 3], 3) ?? [])).toBe(1);
  });
  test("stay as they are where the network ends in a Softmax", () => {
    expect(toProbabilities([0.2, 0.7, 0.1], 3)).toEqual([0.2, 0.7, 0.1]);
  });
  test("of one output are those of two classes", () => {
    expect(toProbabilities([0], 2)).toEqual([0.5, 0.5]);
  });
  test("are not to be had from a value that is not finite", () => {
    expect(toProbabilities([1, null], 2)).toBeNull();
  });
});
