import { say } from "../../language/say.ts";
import type { DerivedMetric } from "../records.ts";
import { AVERAGE_WORDS, type Average, averageOf } from "./average.ts";
import { confusion } from "./confusion.ts";

/** As sklearn.metrics.f1_score with this `average` and `zero_division=0`. The macro average has the plain name. */
export const f1By = (average: Average): DerivedMetric => ({
  name: average === "macro" ? "f1" : `f1_${average}`,
  title: average === "macro" ? "F1" : `F1, ${average}`,
  doc: `Precision and recall in one figure; ${AVERAGE_WORDS[average]}.`,
  formula: "F1 = 2 · precision · recall / (precision + recall)",
  use: say("When classes differ much in size, where accuracy flatters."),
  isShare: true,
  from: confusion.name,
  average,
  better: "higher",
  of: (counts, [classes = 0]) => averageOf(average, counts, classes, ({ right, actual, predicted }) => [2 * right, actual + predicted]),
});
