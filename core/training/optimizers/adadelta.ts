import { p } from "../../layers/params.ts";
import { defineOptimizer, epsParam, optimizerCall, optimizerSource } from "./kit.ts";

export const adadelta = defineOptimizer({
  name: "Adadelta",
  doc: "Sets its own step size from how far weights moved lately, in their own unit.",
  formula: "Δ = √(d + eps) / √(v + eps) · g,  w ← w − lr · Δ",
  when: "Where no learning rate is known; it begins slowly. Otherwise AdamW.",
  source: optimizerSource("Adadelta"),
  params: { rho: p.float({ min: 0, max: 0.99999, step: 0.01, default: 0.9, doc: "How much of the running sizes each step keeps." }), eps: epsParam(1e-6) },
  defaults: { lr: 1, weightDecay: 0 },
  toSpec: ({ rho, eps }, weightDecay) => ({ kind: "Adadelta", rho, eps, weightDecay }),
  states: () => 2,
  torch: ({ rho, eps }, rates) => optimizerCall("Adadelta", rates, 0, { rho: [rho, 0.9], eps: [eps, 1e-6] }),
});
