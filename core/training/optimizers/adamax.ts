import { beta1Param, beta2Param, defineOptimizer, epsParam, optimizerCall, optimizerSource } from "./kit.ts";

export const adamax = defineOptimizer({
  name: "Adamax",
  doc: "Adam with the largest recent gradient in place of the running mean of squares.",
  formula: "u ← max(beta2 · u, |g| + eps),  w ← w − lr / (1 − beta1ᵗ) · m / u",
  when: "When Adam's steps jump on rare large gradients, as with embeddings.",
  source: optimizerSource("Adamax"),
  params: { beta1: beta1Param(), beta2: beta2Param(), eps: epsParam(1e-8) },
  defaults: { lr: 2e-3, weightDecay: 0 },
  toSpec: ({ beta1, beta2, eps }, weightDecay) => ({ kind: "Adamax", betas: [beta1, beta2], eps, weightDecay }),
  states: () => 2,
  torch: ({ beta1, beta2, eps }, rates) =>
    optimizerCall("Adamax", rates, 0, {
      betas: [
        [beta1, beta2],
        [0.9, 0.999],
      ],
      eps: [eps, 1e-8],
    }),
});
