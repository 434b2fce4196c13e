import { defineDropout } from "./dropping.ts";

export const dropout = defineDropout({
  type: "dropout",
  title: "Dropout",
  doc: "While training, switches off a random share of the numbers, so that no unit is relied on alone; afterwards it does nothing.",
  formula: "y = x · m / (1 − p) while training, with m 0 at the share p of the numbers, else 1; y = x afterwards",
  when: "Between Linear layers and in transformers, where the model learns the training data by heart. Between convolutions take Dropout2d or DropPath.",
  aten: "aten::dropout",
  input: "Any tensor.",
  examples: [[4, 8]],
});
