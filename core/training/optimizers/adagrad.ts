import { p } from "../../layers/params.ts";
import { defineOptimizer, epsParam, optimizerCall, optimizerSource } from "./kit.ts";

export const adagrad = defineOptimizer({
  name: "Adagrad",
  doc: "Smaller steps for weights that were often changed. Suits sparse inputs such as rare words.",
  formula: "v ← v + g²,  w ← w − lr / (1 + t · lr_decay) · g / (√v + eps)",
  when: "For sparse inputs. Its steps only ever get smaller: not for long runs.",
  source: optimizerSource("Adagrad"),
  params: { lr_decay: p.float({ min: 0, default: 0, doc: "How much smaller each further step is." }), eps: epsParam(1e-10) },
  defaults: { lr: 1e-2, weightDecay: 0 },
  toSpec: ({ lr_decay, eps }, weightDecay) => ({ kind: "Adagrad", lrDecay: lr_decay, weightDecay, eps }),
  states: () => 1,
  torch: ({ lr_decay, eps }, rates) => optimizerCall("Adagrad", rates, 0, { lr_decay: [lr_decay, 0], eps: [eps, 1e-10] }),
});
