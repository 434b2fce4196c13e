import type { DerivedMetric } from "../records.ts";
import { confusion, macroMean } from "./confusion.ts";

export const recall: DerivedMetric = {
  name: "recall",
  title: "Recall",
  doc: "Of the rows of a class, the share that was taken for it; the mean over the classes.",
  formula: "recall = right / of the class",
  use: "When a miss is costly. With classes of equal size it is the accuracy.",
  isShare: true,
  from: confusion.name,
  better: "higher",
  of: (counts, [classes = 0]) => macroMean(counts, classes, ({ right, actual }) => [right, actual]),
};
