import { p } from "../../layers/params.ts";
import { beta1Param, beta2Param, defineOptimizer, epsParam, optimizerCall, optimizerSource } from "./kit.ts";

export const radam = defineOptimizer({
  name: "RAdam",
  doc: "Adam that takes plain steps until it has seen enough gradients to trust their size: a warm-up built in.",
  formula: "w ← w − lr · m̂ · r / (√v̂ + eps) once r is defined, before that w ← w − lr · m̂",
  when: "When training is unsteady at first and no warm-up is wanted.",
  source: optimizerSource("RAdam"),
  params: {
    beta1: beta1Param(),
    beta2: beta2Param(),
    eps: epsParam(1e-8),
    decoupled_weight_decay: p.bool({ default: false, doc: "Keeps weight decay apart from the gradient, as AdamW does." }),
  },
  defaults: { lr: 1e-3, weightDecay: 0 },
  toSpec: ({ beta1, beta2, eps, decoupled_weight_decay }, weightDecay) => ({ kind: "RAdam", betas: [beta1, beta2], eps, weightDecay, decoupled: decoupled_weight_decay }),
  states: () => 2,
  torch: ({ beta1, beta2, eps, decoupled_weight_decay }, rates) =>
    optimizerCall("RAdam", rates, 0, {
      betas: [
        [beta1, beta2],
        [0.9, 0.999],
      ],
      eps: [eps, 1e-8],
      decoupled_weight_decay: [decoupled_weight_decay, false],
    }),
});
