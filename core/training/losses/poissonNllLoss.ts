import { float32 } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { defineLoss, lossCall, lossSource, MEAN, reshapeLike, valueTarget } from "./kit.ts";

export const poissonNllLoss = defineLoss({
  name: "PoissonNLLLoss",
  title: "Poisson likelihood",
  doc: "For counts: how many of something in a given time. The output is the logarithm of the rate, or the rate itself.",
  formula: "loss = exp(y) − t · y, or y − t · log(y + eps) without log_input",
  when: "When targets are counts from 0 up, above all rare ones. For other numbers use MSELoss.",
  source: lossSource("PoissonNLLLoss"),
  learns: "values",
  expects: "values",
  params: {
    log_input: p.bool({ default: true, doc: "The output is the logarithm of the rate." }),
    full: p.bool({ default: false, doc: "Adds Stirling's approximation of log t!, which changes the value but not the training." }),
    eps: p.float({ min: 0, default: 1e-8, doc: "Keeps the logarithm away from 0, without log_input." }),
  },
  curve: { of: "y where t = 1", at: (y, { log_input, eps }) => (log_input ? Math.exp(y) - y : y - Math.log(y + eps)) },
  target: (y, info) => valueTarget("PoissonNLLLoss", y, info),
  lower: (b, { y, target }, { log_input, full, eps }) => b.call("aten::poisson_nll_loss", [reshapeLike(b, y, target), target, log_input, full, eps, MEAN], float32([])),
  read: (b, { y }, { log_input }) => (log_input ? b.call("aten::exp", [y], float32(y.type.shape)) : y),
  torch: ({ log_input, full, eps }) => lossCall("PoissonNLLLoss", { log_input: [log_input, true], full: [full, false], eps: [eps, 1e-8] }),
});
