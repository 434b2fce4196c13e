import type { DerivedMetric } from "../records.ts";
import { confusion, macroMean } from "./confusion.ts";

export const precision: DerivedMetric = {
  name: "precision",
  title: "Precision",
  doc: "Of the rows taken for a class, the share that is of it; the mean over the classes.",
  formula: "precision = right / taken for the class",
  use: "When a false alarm is costly.",
  isShare: true,
  from: confusion.name,
  better: "higher",
  of: (counts, [classes = 0]) => macroMean(counts, classes, ({ right, predicted }) => [right, predicted]),
};
