import { defineDropout } from "./dropping.ts";

export const alphaDropout = defineDropout({
  type: "alpha_dropout",
  title: "AlphaDropout",
  doc: "Dropout that goes with SELU: sets numbers to SELU's lowest value and rescales, so that mean and variance stay.",
  formula: "y = a · (x · m + α′ · (1 − m)) + b while training, with m 0 at the share p of the numbers, else 1, and α′ = −1.7581; y = x afterwards",
  when: "In networks of Linear and SELU. Elsewhere take Dropout, whose zeros the other activations expect.",
  keywords: ["selu", "self-normalizing"],
  aten: "aten::alpha_dropout",
  input: "Any tensor.",
  examples: [[4, 8]],
});
