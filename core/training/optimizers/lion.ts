import { beta1Param, beta2Param, defineOptimizer } from "./kit.ts";

export const lion = defineOptimizer({
  name: "Lion",
  doc: "Steps of one size, in the direction that the momentum points: keeps one number a weight, half of Adam's.",
  formula: "w ← w − lr · (sign(beta1 · m + (1 − beta1) · g) + weight_decay · w),  m ← beta2 · m + (1 − beta2) · g",
  when: "For large models where memory counts. Wants a learning rate 3 to 10 times smaller and a weight decay as much larger than AdamW's.",
  source: "https://arxiv.org/abs/2302.06675",
  params: { beta1: beta1Param(), beta2: beta2Param(0.99) },
  defaults: { lr: 1e-4, weightDecay: 0 },
  toSpec: ({ beta1, beta2 }, weightDecay) => ({ kind: "Lion", betas: [beta1, beta2], weightDecay }),
  states: () => 1,
  torch: ({ beta1, beta2 }, { lr, weightDecay }) => `Lion(model.parameters(), lr=${lr}, betas=(${beta1}, ${beta2}), weight_decay=${weightDecay})  # pip install lion-pytorch`,
});
