import type { DerivedMetric } from "../records.ts";
import { confusion, macroMean } from "./confusion.ts";

export const f1: DerivedMetric = {
  name: "f1",
  title: "F1",
  doc: "Precision and recall in one figure; the mean over the classes, each counting the same however rare it is.",
  formula: "F1 = 2 · precision · recall / (precision + recall)",
  use: "When classes differ much in size, where accuracy flatters.",
  isShare: true,
  from: confusion.name,
  better: "higher",
  of: (counts, [classes = 0]) => macroMean(counts, classes, ({ right, actual, predicted }) => [2 * right, actual + predicted]),
};
