import { say } from "../../language/say.ts";
import type { DerivedMetric } from "../records.ts";
import { AVERAGE_WORDS, type Average, averageOf } from "./average.ts";
import { confusion } from "./confusion.ts";

/** As sklearn.metrics.precision_score with this `average` and `zero_division=0`. The macro average has the plain name. */
export const precisionBy = (average: Average): DerivedMetric => ({
  name: average === "macro" ? "precision" : `precision_${average}`,
  title: average === "macro" ? "Precision" : `Precision, ${average}`,
  doc: `Of the rows taken for a class, the share that is of it; ${AVERAGE_WORDS[average]}.`,
  formula: "precision = right / taken for the class",
  use: say("When a false alarm is costly."),
  isShare: true,
  from: confusion.name,
  average,
  better: "higher",
  of: (counts, [classes = 0]) => averageOf(average, counts, classes, ({ right, predicted }) => [right, predicted]),
});
