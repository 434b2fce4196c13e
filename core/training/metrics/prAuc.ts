import type { DerivedMetric } from "../records.ts";
import { scoreHistogram } from "./scoreHistogram.ts";

export const prAuc: DerivedMetric = {
  name: "pr_auc",
  title: "Average precision",
  doc: "The area under precision over recall, for the second class. Rows whose scores differ by less than 1/32 count as equal.",
  formula: "AP = Σ (recallₙ − recallₙ₋₁) · precisionₙ, from the highest score down",
  use: "For two classes of which the second is rare; guessing gives its share of the rows.",
  from: scoreHistogram.name,
  better: "higher",
  of(counts, [, bins = 0]) {
    let taken = 0;
    let right = 0;
    let area = 0;
    for (let bin = bins - 1; bin >= 0; bin--) {
      const yes = counts[bins + bin] ?? 0;
      taken += yes + (counts[bin] ?? 0);
      right += yes;
      if (yes > 0) area += yes * (right / taken);
    }
    return right === 0 || right === taken ? null : area / right;
  },
};
