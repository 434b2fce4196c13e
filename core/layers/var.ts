import { defineSpread } from "./spread.ts";

export const variance = defineSpread({
  type: "var",
  title: "Var",
  doc: "Measures how far numbers lie from their mean: the average of the squared distances.",
  formula: "y = Σ (x − mean)² / (n − correction)",
  when: "Use it to normalize by hand or to watch how features spread. In the unit of the numbers themselves use Std.",
  keywords: ["variance", "spread"],
});
