import { say } from "../../language/say.ts";
import type { DerivedMetric } from "../records.ts";
import { errorMoments, MOMENTS } from "./errorMoments.ts";

export const rmse: DerivedMetric = {
  name: "rmse",
  title: "Root mean squared error",
  doc: "How far predictions are off, large errors counting more, in the target's own unit.",
  formula: "RMSE = √ mean (y − t)²",
  use: say("When one large error is worse than many small ones."),
  from: errorMoments.name,
  better: "lower",
  of: (sums) => Math.sqrt((sums[MOMENTS.squaredError] ?? Number.NaN) / (sums[MOMENTS.count] ?? 0)),
};
