import type { DerivedMetric } from "../records.ts";
import { errorMoments, MOMENTS } from "./errorMoments.ts";

export const mse: DerivedMetric = {
  name: "mse",
  title: "Mean squared error",
  doc: "The mean of the squared errors: large ones count most.",
  formula: "MSE = mean (y − t)²",
  use: "To compare with a loss of that name; RMSE says the same in the target's unit.",
  from: errorMoments.name,
  better: "lower",
  of: (sums) => (sums[MOMENTS.squaredError] ?? Number.NaN) / (sums[MOMENTS.count] ?? 0),
};
