import { defineArgExtreme } from "./arg_extreme.ts";

export const argmin = defineArgExtreme({
  type: "argmin",
  title: "ArgMin",
  doc: "Finds the place of the smallest number along an axis: the nearest of some distances.",
  formula: "y = argminᵢ xᵢ",
  when: "Use it to choose what is nearest or cheapest. No gradient flows through it.",
  keywords: ["index", "smallest", "nearest", "choose"],
});
