import fc from "fast-check";
import { expect, test } from "vitest";
import { importanceOf, ranksOf, type Trial } from "../../../core/runs/importance.ts";

/** Numbers between 0 and 1 that look random and are the same at every run. */
const noise = (i: number) => (Math.sin(i * 12.9898) * 43758.5453) % 1;

test("a setting that alone decides the result has all of it, whatever the shape of the curve, and one that does nothing almost none", () => {
  const trials: Trial[] = Array.from({ length: 60 }, (_, i) => ({
    settings: { lr: 10 ** -(1 + (i % 10) / 3), seed: i % 7, optimizer: i % 2 ? "Adam" : "SGD", same: 3 },
    result: Math.exp(5 * (i % 10)) + 1e-9 * i,
  }));
  const [first, ...others] = importanceOf(trials);
  expect(first).toMatchObject({ key: "lr", direction: -1, values: 10, runs: 60 });
  expect(first?.share).toBeGreaterThan(0.98);
  expect(others.map(({ key }) => key).sort()).toEqual(["optimizer", "seed"]);
  for (const { share } of others) expect(share).toBeLessThan(0.12);
});

test("words that decide the result are found as numbers are; words without effect get nothing for being many", () => {
  const trials: Trial[] = Array.from({ length: 80 }, (_, i) => ({
    settings: { optimizer: ["A", "B", "C", "D"][i % 4] ?? "", name: `n${(i * 7) % 27}` },
    result: (i % 4) * 10 + Math.abs(noise(i)),
  }));
  const found = new Map(importanceOf(trials).map(({ key, share }) => [key, share]));
  expect(found.get("optimizer")).toBeGreaterThan(0.9);
  expect(found.get("name") ?? 0).toBeLessThan(0.15);
});

test("too few runs, or results that are not there, say nothing", () => {
  expect(importanceOf([1, 2, 3].map((lr) => ({ settings: { lr }, result: lr })))).toEqual([]);
  expect(importanceOf([1, 2, 3, 4, 5].map((lr) => ({ settings: { lr }, result: lr < 4 ? lr : null })))).toEqual([]);
  expect(importanceOf([1, 2, 3, 4].map((lr) => ({ settings: { lr }, result: 1 })))).toMatchObject([{ share: 0, direction: 0 }]);
});

test("shares lie between 0 and 1 and do not change when a result is stretched", () => {
  const trial = fc.record({ lr: fc.double({ min: 0, max: 1, noNaN: true }), optimizer: fc.constantFrom("a", "b", "c"), result: fc.option(fc.integer({ min: -50, max: 50 })) });
  fc.assert(
    fc.property(fc.array(trial, { maxLength: 40 }), (given) => {
      const trials = given.map(({ result, ...settings }) => ({ settings, result }));
      const found = importanceOf(trials);
      for (const { share } of found) expect(share >= 0 && share <= 1 + 1e-9).toBe(true);
      // Ranks know only the order.
      expect(importanceOf(trials.map(({ result, settings }) => ({ settings, result: result === null ? null : Math.sinh(result / 10) })))).toEqual(found);
    }),
    { numRuns: 100 },
  );
});

test("equal values share their place", () => {
  expect(ranksOf([3, 1, 3, 2])).toEqual([3.5, 1, 3.5, 2]);
});
