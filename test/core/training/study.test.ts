import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layBins, packHistogram, unpackBins } from "../../../core/training/histograms.ts";
import { calibrationOf, curvesOf, studyOf } from "../../../core/training/study.ts";

describe("curves at every threshold", () => {
  it("have the area that is the share of pairs in the right order, ties half", () => {
    const scored = fc.array(fc.record({ score: fc.constantFrom(0, 0.2, 0.4, 0.5, 0.9, 1), yes: fc.boolean() }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(scored, (given) => {
        const [yes, no] = [given.filter((one) => one.yes), given.filter((one) => !one.yes)];
        fc.pre(yes.length > 0 && no.length > 0);
        const pairs = yes.flatMap((a) => no.map((b): number => (a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0)));
        const { auc, ap, roc, pr } = curvesOf(given);
        expect(auc).toBeCloseTo(pairs.reduce((sum, one) => sum + one, 0) / pairs.length, 9);
        expect(ap).toBeGreaterThan(0);
        expect(ap).toBeLessThanOrEqual(1 + 1e-9);
        expect(roc[0]).toEqual([0, 0]);
        expect(roc.at(-1)).toEqual([1, 1]);
        expect(pr.at(-1)?.[0]).toBe(1);
      }),
    );
  });

  it("agree with scikit-learn's example of average precision", () => {
    // sklearn.metrics.average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) is 0.8333…, roc_auc_score 0.75.
    const { ap, auc } = curvesOf([0.1, 0.4, 0.35, 0.8].map((score, at) => ({ score, yes: at >= 2 })));
    expect(ap).toBeCloseTo(5 / 6, 9);
    expect(auc).toBeCloseTo(0.75, 9);
  });

  it("tell certainty from being right", () => {
    const always = calibrationOf(Array.from({ length: 10 }, (_, at) => ({ confidence: 0.95, right: at < 5 })));
    expect(always.bins).toEqual([{ from: 0.9, to: 1, count: 10, confidence: expect.closeTo(0.95, 9), accuracy: 0.5 }]);
    expect(always.ece).toBeCloseTo(0.45, 9);
  });
});

describe("a study", () => {
  it("of classes says which row is taken for what, and passes over answers that are no numbers", () => {
    const outputs = Float32Array.of(5, 0, 0, 0, 5, 0, Number.NaN, 0, 0, 0, 4, 0);
    const study = studyOf({ rows: [3, 7, 8, 9], outputs, width: 3, targets: [[0], [2], [0], [1]], classCount: 3 });
    if (study.kind !== "classes") throw new Error("It is of classes.");
    expect(study).toMatchObject({ rows: [3, 7, 9], truth: [0, 2, 1], predicted: [0, 1, 1] });
    expect(study.curves.map(({ index, positives }) => [index, positives])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
    expect(study.curves[0]?.auc).toBe(1);
  });

  it("of values says how far off each step ahead is", () => {
    const study = studyOf({
      rows: [0, 1],
      outputs: Float32Array.of(1, 2, 3, 4),
      width: 2,
      targets: [
        [1, 1],
        [2, 1],
      ],
      classCount: 0,
    });
    expect(study).toEqual({ kind: "values", rows: [0, 1], truth: [1, 2], predicted: [1, 3], errors: [0.5, 2] });
  });
});

describe("a kept histogram", () => {
  it("loses no bin that held anything, and lies where it lay", () => {
    const histogram = { name: "w", node: "n", low: -1, high: 1, counts: [1, 0, 0, 100_000] };
    const packed = packHistogram(histogram);
    expect(unpackBins(packed).map((share) => share > 0)).toEqual([true, false, false, true]);
    const laid = layBins(packed, -2, 2, 8);
    expect(laid.map((share) => share > 0)).toEqual([false, false, true, false, false, true, false, false]);
    expect(layBins({ ...packed, low: 0.5, high: 0.5 }, 0, 1, 4)).toEqual([0, 0, 1, 0]);
  });
});
