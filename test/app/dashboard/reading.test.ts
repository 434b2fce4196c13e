import { describe, expect, test } from "vitest";
import { type Read, readConfusion, readRun } from "../../../app/dashboard/reading.ts";
import { appendPoints, emptySeries } from "../../../app/dashboard/series.ts";

const curve = (values: number[], every = 1) =>
  appendPoints(
    emptySeries,
    values.map((_, index) => (index + 1) * every),
    values,
  );
const run = (part: Partial<Read>): Read => ({
  status: "finished",
  stepsPerEpoch: 10,
  trainLoss: curve(Array.from({ length: 50 }, (_, step) => 1 / (step + 1))),
  validationLoss: curve([0.2, 0.08, 0.05, 0.03, 0.029], 10),
  bestEpoch: 5,
  confusion: [
    [90, 10],
    [4, 96],
  ],
  classes: ["cat", "dog"],
  ...part,
});

describe("the reading of a run", () => {
  test("says nothing before there is anything to read", () => {
    expect(readRun(run({ validationLoss: emptySeries, confusion: null }))).toBeNull();
  });

  test("names the best epoch, the fit and the mix-up", () => {
    expect(readRun(run({}))).toEqual({
      title: "Reading.",
      tone: "good",
      sentences: ["Best at epoch 5.", "Training and validation stay close: no overfitting.", "It confuses cat with dog most (14 of 14 errors)."],
    });
  });

  test("sees a network that learns by heart, and since when", () => {
    const reading = readRun(run({ validationLoss: curve([0.3, 0.1, 0.15, 0.2, 0.3], 10), bestEpoch: 2 }));
    expect(reading?.tone).toBe("hint");
    expect(reading?.sentences[1]).toMatch(/^Since epoch 2 validation loss rises while training loss falls/);
  });

  test("counts epochs by their evaluations, whatever became of the batch size on the way", () => {
    const validationLoss = appendPoints(emptySeries, [10, 20, 25, 30, 35], [0.3, 0.2, 0.1, 0.2, 0.3]);
    const trainLoss = curve(Array.from({ length: 35 }, (_, step) => 1 / (step + 1)));
    const reading = readRun(run({ stepsPerEpoch: 7, trainLoss, validationLoss, bestEpoch: 3 }));
    expect(reading?.sentences[0]).toBe("Best at epoch 3.");
    expect(reading?.sentences[1]).toMatch(/^Since epoch 3 validation loss rises/);
  });

  test("does not call a diverging run overfitting", () => {
    const reading = readRun(run({ trainLoss: curve(Array.from({ length: 50 }, (_, step) => step)), validationLoss: curve([1, 10, 20, 30, 40], 10) }));
    expect(reading?.sentences.join(" ")).not.toContain("by heart");
  });

  test("says when it could go on", () => {
    expect(readRun(run({ validationLoss: curve([0.5, 0.2, 0.1, 0.05, 0.03], 10) }))?.sentences[1]).toContain("more epochs would help");
  });

  test("says when it only guesses", () => {
    expect(
      readRun(
        run({
          confusion: [
            [70, 0],
            [30, 0],
          ],
        }),
      )?.sentences,
    ).toContainEqual(expect.stringContaining("most frequent class (70.0%)"));
  });
});

describe("the reading of a confusion matrix", () => {
  test("adds both directions and names the class that is mistaken more often first", () => {
    const counts = [
      [10, 0, 1],
      [0, 10, 3],
      [2, 9, 10],
    ];
    expect(readConfusion(counts, ["a", "b", "c"])).toBe("It confuses c with b most (12 of 15 errors).");
  });
  test("has words for a clean sheet, and for one error", () => {
    expect(
      readConfusion(
        [
          [5, 0],
          [0, 5],
        ],
        [],
      ),
    ).toBe("It gets every validation row right.");
    expect(
      readConfusion(
        [
          [5, 1],
          [0, 5],
        ],
        [],
      ),
    ).toBe("It confuses class 0 with class 1 most (1 of 1 error).");
  });
  test("is silent without rows or classes", () => {
    expect(readConfusion(null, [])).toBeUndefined();
    expect(
      readConfusion(
        [
          [0, 0],
          [0, 0],
        ],
        [],
      ),
    ).toBeUndefined();
  });
});
