import { say } from "../../language/say.ts";
import type { DerivedMetric } from "../records.ts";
import { scoreHistogram } from "./scoreHistogram.ts";

export const rocAuc: DerivedMetric = {
  name: "roc_auc",
  title: "ROC AUC",
  doc: "How likely a row of the second class scores higher than one of the first: 0.5 is guessing. Rows whose scores differ by less than 1/32 count as equal.",
  formula: "AUC = P(score of yes > score of no) + ½ P(equal)",
  use: say("For two classes, when the threshold is not chosen yet."),
  from: scoreHistogram.name,
  better: "higher",
  of(counts, [, bins = 0]) {
    let noBelow = 0;
    let pairs = 0;
    let yesCount = 0;
    for (let bin = 0; bin < bins; bin++) {
      const no = counts[bin] ?? 0;
      const yes = counts[bins + bin] ?? 0;
      pairs += yes * (noBelow + no / 2);
      noBelow += no;
      yesCount += yes;
    }
    return noBelow === 0 || yesCount === 0 ? null : pairs / (noBelow * yesCount);
  },
};
