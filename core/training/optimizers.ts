import type { RunSettings } from "./settings.ts";
import type { TrainSpec } from "./spec.ts";

/** One optimizer: what the Train panel says about it, and how the engine is told. Defaults are PyTorch's. */
export type OptimizerRecord = {
  name: RunSettings["optimizer"];
  doc: string;
  source: string;
  /** Which settings it heeds, beside the learning rate and weight decay. */
  uses: { momentum: boolean; nesterov: boolean };
  /** PyTorch's defaults. */
  defaults: { lr: number; weightDecay: number };
  toSpec: (settings: RunSettings) => TrainSpec["optimizer"];
};

const source = (name: string) => `https://pytorch.org/docs/2.13/generated/torch.optim.${name}.html`;

export const optimizers: readonly OptimizerRecord[] = [
  {
    name: "AdamW",
    doc: "Adam with weight decay kept apart from the gradient. A good first choice for almost any network.",
    source: source("AdamW"),
    uses: { momentum: false, nesterov: false },
    defaults: { lr: 1e-3, weightDecay: 1e-2 },
    toSpec: (s) => ({ kind: "AdamW", betas: [0.9, 0.999], eps: 1e-8, weightDecay: s.weightDecay, amsgrad: false }),
  },
  {
    name: "Adam",
    doc: "A step size of its own for each weight, from running means of the gradient and its square.",
    source: source("Adam"),
    uses: { momentum: false, nesterov: false },
    defaults: { lr: 1e-3, weightDecay: 0 },
    toSpec: (s) => ({ kind: "Adam", betas: [0.9, 0.999], eps: 1e-8, weightDecay: s.weightDecay, amsgrad: false }),
  },
  {
    name: "SGD",
    doc: "Follows the gradient, with momentum if asked. Often the best end result for convolutional networks, with a learning rate tuned for it.",
    source: source("SGD"),
    uses: { momentum: true, nesterov: true },
    defaults: { lr: 1e-3, weightDecay: 0 },
    // PyTorch refuses Nesterov without momentum; without momentum the two are the same.
    toSpec: (s) => ({ kind: "SGD", momentum: s.momentum, dampening: 0, weightDecay: s.weightDecay, nesterov: s.nesterov && s.momentum > 0 }),
  },
  {
    name: "RMSprop",
    doc: "Divides the gradient by a running mean of its size. Made for recurrent networks and noisy gradients.",
    source: source("RMSprop"),
    uses: { momentum: true, nesterov: false },
    defaults: { lr: 1e-2, weightDecay: 0 },
    toSpec: (s) => ({ kind: "RMSprop", alpha: 0.99, eps: 1e-8, weightDecay: s.weightDecay, momentum: s.momentum, centered: false }),
  },
  {
    name: "Adagrad",
    doc: "Smaller steps for weights that were often changed. Suits sparse inputs such as rare words.",
    source: source("Adagrad"),
    uses: { momentum: false, nesterov: false },
    defaults: { lr: 1e-2, weightDecay: 0 },
    toSpec: (s) => ({ kind: "Adagrad", lrDecay: 0, weightDecay: s.weightDecay, eps: 1e-10 }),
  },
];

export function findOptimizer(name: RunSettings["optimizer"]): OptimizerRecord {
  const found = optimizers.find((optimizer) => optimizer.name === name);
  if (!found) throw new Error(`There is no optimizer record for ${name}.`);
  return found;
}
