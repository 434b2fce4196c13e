import { defineArgExtreme } from "./arg_extreme.ts";

export const argmax = defineArgExtreme({
  type: "argmax",
  title: "ArgMax",
  doc: "Finds the place of the largest number along an axis: the chosen class of scores.",
  formula: "y = argmaxᵢ xᵢ",
  when: "Use it where a choice is made, as at the end of a model that decides. No gradient flows through it: train on the scores before it.",
  keywords: ["index", "class", "largest", "predict", "choose"],
});
