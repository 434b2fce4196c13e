import { p } from "../../layers/params.ts";
import { beta1Param, beta2Param, defineOptimizer, epsParam, optimizerCall, optimizerSource } from "./kit.ts";

export const nadam = defineOptimizer({
  name: "NAdam",
  doc: "Adam with Nesterov's look ahead.",
  formula: "w ← w − lr · (μₜ₊₁ · m̂ + (1 − μₜ) · ĝ) / (√v̂ + eps)",
  when: "As Adam, and sometimes a little faster. With weight decay turn decoupled_weight_decay on.",
  source: optimizerSource("NAdam"),
  params: {
    beta1: beta1Param(),
    beta2: beta2Param(),
    eps: epsParam(1e-8),
    momentum_decay: p.float({ min: 0, max: 1, default: 4e-3, doc: "How fast the momentum reaches its full size." }),
    decoupled_weight_decay: p.bool({ default: false, doc: "Keeps weight decay apart from the gradient, as AdamW does." }),
  },
  defaults: { lr: 2e-3, weightDecay: 0 },
  toSpec: ({ beta1, beta2, eps, momentum_decay, decoupled_weight_decay }, weightDecay) => ({
    kind: "NAdam",
    betas: [beta1, beta2],
    eps,
    weightDecay,
    momentumDecay: momentum_decay,
    decoupled: decoupled_weight_decay,
  }),
  states: () => 2,
  torch: ({ beta1, beta2, eps, momentum_decay, decoupled_weight_decay }, rates) =>
    optimizerCall("NAdam", rates, 0, {
      betas: [
        [beta1, beta2],
        [0.9, 0.999],
      ],
      eps: [eps, 1e-8],
      momentum_decay: [momentum_decay, 4e-3],
      decoupled_weight_decay: [decoupled_weight_decay, false],
    }),
});
