import { p } from "../../layers/params.ts";
import { defineOptimizer, epsParam, optimizerCall, optimizerSource } from "./kit.ts";

export const rmsprop = defineOptimizer({
  name: "RMSprop",
  doc: "Divides the gradient by a running mean of its size. Made for recurrent networks and noisy gradients.",
  formula: "v ← alpha · v + (1 − alpha) · g²,  w ← w − lr · g / (√v + eps)",
  when: "For recurrent networks and reinforcement learning; elsewhere AdamW does better.",
  source: optimizerSource("RMSprop"),
  params: {
    alpha: p.float({ min: 0, max: 0.99999, step: 0.01, default: 0.99, doc: "How much of the running size of gradients each step keeps." }),
    eps: epsParam(1e-8),
    momentum: p.float({ min: 0, max: 0.9999, step: 0.05, default: 0, doc: "How much of the last step goes into the next." }),
    centered: p.bool({ default: false, doc: "Divides by the variance of the gradient instead of its size." }),
  },
  defaults: { lr: 1e-2, weightDecay: 0 },
  toSpec: ({ alpha, eps, momentum, centered }, weightDecay) => ({ kind: "RMSprop", alpha, eps, weightDecay, momentum, centered }),
  states: ({ momentum, centered }) => 1 + Number(momentum > 0) + Number(centered),
  torch: ({ alpha, eps, momentum, centered }, rates) =>
    optimizerCall("RMSprop", rates, 0, { alpha: [alpha, 0.99], eps: [eps, 1e-8], momentum: [momentum, 0], centered: [centered, false] }),
});
