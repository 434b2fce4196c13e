import { l1Loss } from "../losses/l1Loss.ts";
import type { MetricRecord } from "../records.ts";
import { areValues } from "./scores.ts";

export const mae: MetricRecord = {
  name: "mae",
  title: "Mean absolute error",
  doc: "How far predictions are off on average, in the target's own unit.",
  formula: "MAE = mean |y − t|",
  use: "The first figure for measured values; outliers count no more than they are.",
  reduce: "mean",
  when: "always",
  better: "lower",
  fits: areValues,
  lower: (b, values) => l1Loss.lower(b, values, {}),
};
