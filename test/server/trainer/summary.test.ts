import { describe, expect, it } from "vitest";
import { foldPoints, mainKey } from "../../../server/trainer/summary.ts";

describe("the summary of a metric", () => {
  it("keeps the lowest loss and the highest accuracy, with the first step that had them", () => {
    expect(foldPoints(undefined, "validation/loss", [1, 2, 3, 4], [3, 1, null, 1])).toEqual({ last: 1, best: 1, bestStep: 2 });
    expect(foldPoints({ last: 0.5, best: 0.9, bestStep: 2 }, "train/accuracy", [3, 4], [0.95, 0.7])).toEqual({ last: 0.7, best: 0.95, bestStep: 3 });
  });

  it("knows no best learning rate", () => {
    expect(foldPoints(undefined, "lr", [1, 2], [0.1, 0.2])).toEqual({ last: 0.2, best: null, bestStep: null });
  });

  it("judges checkpoints by accuracy where there is one, else by the validation loss", () => {
    expect(mainKey(["train/loss", "validation/loss", "validation/accuracy"])).toBe("validation/accuracy");
    expect(mainKey(["train/loss", "validation/loss"])).toBe("validation/loss");
    expect(mainKey(["train/loss"])).toBeNull();
  });
});
