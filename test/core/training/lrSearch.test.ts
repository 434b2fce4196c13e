import { describe, expect, it } from "vitest";
import { hasDiverged, LR_RANGE, LR_STEPS, type LrPoint, lrSteps, smoothLosses, suggestLr } from "../../../core/training/lrSearch.ts";

/** Losses that fall around `fall` and rise beyond `rise`, as those of a network do. */
const curve = (fall: number, rise: number): LrPoint[] => lrSteps().map((lr) => ({ lr, loss: 0.3 + 2 / (1 + (lr / fall) ** 2) + (lr / rise) ** 3 }));

describe("a search for a learning rate", () => {
  it("tries rates that rise by the same factor over the whole range", () => {
    const rates = lrSteps();
    expect(rates).toHaveLength(LR_STEPS);
    expect(rates[0]).toBe(LR_RANGE.low);
    expect(rates.at(-1)).toBeCloseTo(LR_RANGE.high, 9);
    const factors = rates.slice(1).map((rate, i) => rate / (rates[i] ?? 1));
    expect(Math.max(...factors) / Math.min(...factors)).toBeCloseTo(1, 9);
  });

  it("smooths losses without being drawn to 0 at the start", () => {
    for (const { loss } of smoothLosses(lrSteps().map((lr) => ({ lr, loss: 2.5 })))) expect(loss).toBeCloseTo(2.5, 9);
  });

  it.each([1e-4, 1e-2])("suggests a rate where the loss falls, below a tenth of that of its lowest value (it falls at %d)", (fall) => {
    const found = suggestLr(curve(fall, 300 * fall));
    expect(found?.lr).toBeGreaterThan(fall / 10);
    // The smoothed loss lags behind by some steps.
    expect(found?.lr).toBeLessThan(fall * 10);
    expect(found?.lr).toBeLessThanOrEqual((found?.lowest ?? 0) / 9.5);
  });

  it("suggests nothing where the loss never falls", () => {
    expect(suggestLr(lrSteps().map((lr) => ({ lr, loss: 2.3 + lr })))).toBeNull();
    expect(suggestLr([])).toBeNull();
  });

  it("is over once the smoothed loss has left its lowest for good, and not before", () => {
    const points = curve(1e-3, 0.05);
    const end = points.findIndex((_, i) => i > 0 && hasDiverged(points.slice(0, i + 1)));
    const lowest = points.reduce((best, { loss }, i) => (loss < (points[best]?.loss ?? 0) ? i : best), 0);
    expect(end).toBeGreaterThan(lowest);
    expect(hasDiverged(points.slice(0, lowest + 1))).toBe(false);
  });
});
