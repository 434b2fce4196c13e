import { p } from "../../layers/params.ts";
import { beta1Param, beta2Param, defineOptimizer, epsParam, optimizerCall, optimizerSource } from "./kit.ts";

export const adamW = defineOptimizer({
  name: "AdamW",
  doc: "Adam with weight decay kept apart from the gradient. A good first choice for almost any network.",
  formula: "w ← w − lr · (m̂ / (√v̂ + eps) + weight_decay · w)",
  when: "First, for nearly everything; transformers are trained with it.",
  source: optimizerSource("AdamW"),
  params: { beta1: beta1Param(), beta2: beta2Param(), eps: epsParam(1e-8), amsgrad: p.bool({ default: false, doc: "Never lets the running size of gradients shrink." }) },
  defaults: { lr: 1e-3, weightDecay: 1e-2 },
  toSpec: ({ beta1, beta2, eps, amsgrad }, weightDecay) => ({ kind: "AdamW", betas: [beta1, beta2], eps, weightDecay, amsgrad }),
  states: ({ amsgrad }) => (amsgrad ? 3 : 2),
  torch: ({ beta1, beta2, eps, amsgrad }, rates) =>
    optimizerCall("AdamW", rates, 1e-2, {
      betas: [
        [beta1, beta2],
        [0.9, 0.999],
      ],
      eps: [eps, 1e-8],
      amsgrad: [amsgrad, false],
    }),
});
