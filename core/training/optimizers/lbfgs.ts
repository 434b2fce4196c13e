import { p } from "../../layers/params.ts";
import { defineOptimizer, optimizerSource } from "./kit.ts";

export const lbfgs = defineOptimizer({
  name: "LBFGS",
  doc: "Learns the curvature of the loss from its last steps, and takes the loss of the same rows several times in each.",
  formula: "w ← w − t · H · g, where H, the inverse Hessian, is estimated from the last history_size steps; t is lr, or found by the line search",
  when: "For small networks whose batch is all the rows, with line_search_fn at strong_wolfe. Not for small batches or Dropout, where the loss differs each time it is taken.",
  source: optimizerSource("LBFGS"),
  params: {
    max_iter: p.int({ min: 1, max: 10_000, default: 20, doc: "The most turns that one step takes; each takes the loss at least once, and a step at most 1.25 times as often." }),
    tolerance_grad: p.float({ min: 0, default: 1e-7, doc: "A step ends where no gradient is larger." }),
    tolerance_change: p.float({ min: 0, default: 1e-9, doc: "A step ends where the loss or the weights change less." }),
    history_size: p.int({ min: 1, max: 10_000, default: 100, doc: "How many turns it remembers: two numbers a weight for each." }),
    line_search_fn: p.choice({
      options: ["none", "strong_wolfe"],
      default: "none",
      doc: "strong_wolfe: looks for a good length of each turn, where the learning rate is only the first guess.",
    }),
  },
  defaults: { lr: 1, weightDecay: 0 },
  toSpec: ({ max_iter, tolerance_grad, tolerance_change, history_size, line_search_fn }, weightDecay) => ({
    kind: "LBFGS",
    maxIter: max_iter,
    historySize: history_size,
    toleranceGrad: tolerance_grad,
    toleranceChange: tolerance_change,
    lineSearch: line_search_fn,
    weightDecay,
  }),
  states: ({ history_size }) => 2 * history_size + 2,
  torch: ({ max_iter, tolerance_grad, tolerance_change, history_size, line_search_fn }, { lr, weightDecay }) => {
    const written = [
      ["max_iter", max_iter, 20],
      ["tolerance_grad", tolerance_grad, 1e-7],
      ["tolerance_change", tolerance_change, 1e-9],
      ["history_size", history_size, 100],
      ["line_search_fn", line_search_fn === "none" ? "None" : `"${line_search_fn}"`, "None"],
    ].flatMap(([name, value, usual]) => (value === usual ? [] : [`${name}=${value}`]));
    // PyTorch's has no weight decay of its own.
    const decay = weightDecay > 0 ? `  # the closure's loss: + ${weightDecay} / 2 * sum(w.square().sum() for w in model.parameters())` : "";
    return `torch.optim.LBFGS(${["model.parameters()", `lr=${lr}`, ...written].join(", ")})${decay}`;
  },
});
