import { defineSpread } from "./spread.ts";

export const std = defineSpread({
  type: "std",
  title: "Std",
  doc: "Measures how far numbers lie from their mean, in their own unit: the root of the variance.",
  formula: "y = √(Σ (x − mean)² / (n − correction))",
  when: "Use it to normalize by hand or to watch how features spread. Where all numbers are equal its slope is infinite: there use Var.",
  keywords: ["standard deviation", "spread"],
});
