import { describe, expect, it } from "vitest";
import { bestOf, betterOf, foldPoints, standingOf } from "../../../server/trainer/summary.ts";

describe("the summary of a metric", () => {
  it("keeps the lowest loss and the highest accuracy, with the first step that had them, and the range of both", () => {
    expect(foldPoints(undefined, "validation/loss", [1, 2, 3, 4], [3, 1, null, 1])).toEqual({ last: 1, best: 1, bestStep: 2, min: 1, max: 3 });
    const before = { last: 0.5, best: 0.9, bestStep: 2, min: 0.4, max: 0.9 };
    expect(foldPoints(before, "train/accuracy", [3, 4], [0.95, 0.7])).toEqual({ last: 0.7, best: 0.95, bestStep: 3, min: 0.4, max: 0.95 });
  });

  it("knows no best learning rate", () => {
    expect(foldPoints(undefined, "lr", [1, 2], [0.1, 0.2])).toEqual({ last: 0.2, best: null, bestStep: null, min: 0.1, max: 0.2 });
  });
});

describe("which checkpoint is best", () => {
  it("goes by the metric that the task is judged by, then by the validation loss, then by which came first", () => {
    const early = standingOf(20, { accuracy: 1, loss: 0.4 }, "accuracy");
    const late = standingOf(90, { accuracy: 1, loss: 0.002 }, "accuracy");
    expect(betterOf(early, late)).toBe(late);
    expect(betterOf(late, standingOf(100, { accuracy: 0.99, loss: 0.001 }, "accuracy"))).toBe(late);
    expect(betterOf(late, standingOf(100, { accuracy: 1, loss: 0.002 }, "accuracy"))).toBe(late);
    expect(betterOf(late, standingOf(100, { accuracy: 1, loss: null }, "accuracy"))).toBe(late);
  });

  it("goes by the loss alone where there is no such metric, and never by what is not a number", () => {
    expect(betterOf(standingOf(1, { loss: 2, mae: 1 }, null), standingOf(2, { loss: 1, mae: 3 }, null))?.step).toBe(2);
    expect(standingOf(3, { loss: null }, null)).toBeNull();
    expect(standingOf(3, { accuracy: null, loss: 1 }, "accuracy")).toBeNull();
  });

  it("is found again in a run's points", () => {
    const loss = { steps: [10, 20, 30, 40], values: [0.5, 0.4, 0.1, null] };
    expect(bestOf({ "validation/loss": loss, "validation/accuracy": { steps: [10, 20, 30, 40], values: [0.9, 1, 1, 1] } }, "accuracy")).toEqual({ step: 30, score: 1, loss: 0.1 });
    expect(bestOf({ "validation/loss": loss }, "accuracy")?.step).toBe(30);
    expect(bestOf({ "train/loss": loss }, null)).toBeNull();
  });
});
