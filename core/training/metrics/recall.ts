import { say } from "../../language/say.ts";
import type { DerivedMetric } from "../records.ts";
import { AVERAGE_WORDS, type Average, averageOf } from "./average.ts";
import { confusion } from "./confusion.ts";

/** As sklearn.metrics.recall_score with this `average` and `zero_division=0`. The macro average has the plain name. */
export const recallBy = (average: Average): DerivedMetric => ({
  name: average === "macro" ? "recall" : `recall_${average}`,
  title: average === "macro" ? "Recall" : `Recall, ${average}`,
  doc: `Of the rows of a class, the share that was taken for it; ${AVERAGE_WORDS[average]}.`,
  formula: "recall = right / of the class",
  use: say("When a miss is costly. With classes of equal size it is the accuracy."),
  isShare: true,
  from: confusion.name,
  average,
  better: "higher",
  of: (counts, [classes = 0]) => averageOf(average, counts, classes, ({ right, actual }) => [right, actual]),
});
