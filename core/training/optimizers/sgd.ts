import { p } from "../../layers/params.ts";
import { defineOptimizer, optimizerCall, optimizerSource } from "./kit.ts";

export const sgd = defineOptimizer({
  name: "SGD",
  doc: "Follows the gradient, with momentum if asked. Often the best end result for convolutional networks, with a learning rate tuned for it.",
  formula: "u ← momentum · u + g,  w ← w − lr · u",
  when: "For convolutional networks with time to tune it. Where a good result at once counts, AdamW.",
  source: optimizerSource("SGD"),
  params: {
    momentum: p.float({ min: 0, max: 0.9999, step: 0.05, default: 0, doc: "How much of the last step goes into the next." }),
    dampening: p.float({ min: 0, max: 1, step: 0.05, default: 0, doc: "How much less the gradient adds to the momentum." }),
    nesterov: p.bool({ default: false, doc: "Looks ahead: takes the gradient after the momentum. Needs momentum and no dampening." }),
  },
  defaults: { lr: 1e-3, weightDecay: 0 },
  toSpec: ({ momentum, dampening, nesterov }, weightDecay) => ({
    kind: "SGD",
    momentum,
    dampening,
    weightDecay,
    // PyTorch refuses Nesterov without momentum; without momentum the two are the same.
    nesterov: nesterov && momentum > 0 && dampening === 0,
  }),
  states: ({ momentum }) => (momentum > 0 ? 1 : 0),
  torch: ({ momentum, dampening, nesterov }, rates) =>
    optimizerCall("SGD", rates, 0, { momentum: [momentum, 0], dampening: [dampening, 0], nesterov: [nesterov && momentum > 0 && dampening === 0, false] }),
});
