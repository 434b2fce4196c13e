import { describe, expect, test } from "vitest";
import { formatBytes, formatDuration, formatExact, formatNumber, formatPercent, formatShort } from "../../../app/dashboard/format.ts";
import { argmax, toProbabilities } from "../../../app/dashboard/probability.ts";
import { remainingMs } from "../../../app/dashboard/remaining.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("figures", () => {
  test.each([[12, "12 ms"], [3140, "3.1 s"], [59_600, "1 min"], [200_000, "3 min 20 s"], [3_840_000, "1 h 4 min"], [86_400_000 * 2 + 3_600_000 * 3, "2 d 3 h"]])("%d ms reads %s", (ms, text) => {
    expect(plain(formatDuration(ms))).toBe(text);
  });
  test.each([[0, "0"], [0.0342, "0.0342"], [2.40999, "2.41"], [0.00001234, "1.2e-5"], [41_200.4, "41,200"], [null, "–"], [1e-3, "0.001"]])("%s reads %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
  test.each([[0.9871, "98.7%"], [0.99123, "99.12%"], [1, "100%"], [0.0042, "0.42%"], [null, "–"]])("%s as a share reads %s", (value, text) => {
    expect(formatPercent(value)).toBe(text);
  });
  test("ticks, sizes and exact values", () => {
    expect([1200, 850, 3e6, 0.5].map(formatShort)).toEqual(["1.2k", "850", "3M", "0.5"]);
    expect([512, 178_112, 4_000_000].map((size) => plain(formatBytes(size)))).toEqual(["512 B", "178 kB", "4 MB"]);
    expect([0.0213456789, null, 41200.26].map(formatExact)).toEqual(["0.0213457", "not finite", "41,200.3"]);
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
