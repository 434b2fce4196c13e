import { describe, expect, it } from "vitest";
import { mainMetric, metricTitle, unitOf } from "../../../app/dashboard/run.ts";

describe("metrics by their keys", () => {
  it("have titles", () => {
    expect(["validation/accuracy", "train/loss", "validation/loss/early", "validation/f1", "validation/roc_auc", "lr"].map(metricTitle)).toEqual([
      "Validation accuracy",
      "Train loss",
      "Validation loss of early",
      "Validation F1",
      "Validation ROC AUC",
      "Learning rate",
    ]);
  });
  it("have units", () => {
    expect(["validation/accuracy", "f1", "train/loss", "samples_per_second"].map(unitOf)).toEqual(["share", "share", "value", "count"]);
  });
  it("lead with what says most, and never with a part of the loss", () => {
    const summary = (keys: string[]) => ({ summary: Object.fromEntries(keys.map((key) => [key, { last: 1, best: 1, bestStep: 1, min: 1, max: 1 }])) });
    expect(mainMetric(summary(["validation/loss", "validation/loss/aux", "validation/f1", "validation/accuracy"]))).toBe("validation/accuracy");
    expect(mainMetric(summary(["validation/loss", "validation/loss/aux", "validation/rmse", "validation/mae", "validation/r2"]))).toBe("validation/mae");
    expect(mainMetric(summary(["validation/loss", "validation/loss/aux"]))).toBeNull();
  });
});
