import { p } from "../../layers/params.ts";
import { beta1Param, beta2Param, defineOptimizer, epsParam, optimizerCall, optimizerSource } from "./kit.ts";

export const adam = defineOptimizer({
  name: "Adam",
  doc: "A step size of its own for each weight, from running means of the gradient and its square.",
  formula: "w ← w − lr · m̂ / (√v̂ + eps)",
  when: "As AdamW, where a recipe asks for it. With weight decay take AdamW.",
  source: optimizerSource("Adam"),
  params: { beta1: beta1Param(), beta2: beta2Param(), eps: epsParam(1e-8), amsgrad: p.bool({ default: false, doc: "Never lets the running size of gradients shrink." }) },
  defaults: { lr: 1e-3, weightDecay: 0 },
  toSpec: ({ beta1, beta2, eps, amsgrad }, weightDecay) => ({ kind: "Adam", betas: [beta1, beta2], eps, weightDecay, amsgrad }),
  states: ({ amsgrad }) => (amsgrad ? 3 : 2),
  torch: ({ beta1, beta2, eps, amsgrad }, rates) =>
    optimizerCall("Adam", rates, 0, {
      betas: [
        [beta1, beta2],
        [0.9, 0.999],
      ],
      eps: [eps, 1e-8],
      amsgrad: [amsgrad, false],
    }),
});
