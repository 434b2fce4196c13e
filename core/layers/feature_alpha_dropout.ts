import { defineDropout } from "./dropping.ts";

export const featureAlphaDropout = defineDropout({
  type: "feature_alpha_dropout",
  title: "FeatureAlphaDropout",
  doc: "AlphaDropout for whole channels: sets channels to SELU's lowest value at random, and rescales.",
  formula: "y[n, c] = a · (x[n, c] · m[n, c] + α′ · (1 − m[n, c])) + b while training, with α′ = −1.7581; y = x afterwards",
  when: "Behind convolutions with SELU. With other activations take Dropout1d, 2d or 3d.",
  keywords: ["selu", "self-normalizing", "channels"],
  aten: "aten::feature_alpha_dropout",
  input: "[N, channels, ...].",
  rank: 2,
  examples: [[3, 6, 4]],
});
