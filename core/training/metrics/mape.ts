import { say } from "../../language/say.ts";
import type { DerivedMetric } from "../records.ts";
import { errorMoments, MOMENTS } from "./errorMoments.ts";

export const mape: DerivedMetric = {
  name: "mape",
  title: "Mean absolute percentage error",
  doc: "How far predictions are off as a share of the target: 0.1 is ten percent. Not defined where a target is 0.",
  formula: "MAPE = mean |y − t| / |t|",
  use: say("When targets differ much in size and none is near 0."),
  isShare: true,
  from: errorMoments.name,
  better: "lower",
  of: (sums) => (sums[MOMENTS.shareError] ?? Number.NaN) / (sums[MOMENTS.count] ?? 0),
};
