import { float32 } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { defineLoss, lossCall, lossSource, MEAN, mean, reshapeLike, valueTarget } from "./kit.ts";

/** `reduction="none"` as ATen numbers it. */
const NONE = 0;

export const klDivLoss = defineLoss({
  name: "KLDivLoss",
  title: "Kullback–Leibler divergence",
  doc: "How far log-probabilities are from the probabilities wanted. The network ends in LogSoftmax.",
  formula: "loss = t · (log t − y)",
  when: "When targets are whole distributions, as those of a teacher network. For class numbers use CrossEntropyLoss.",
  source: lossSource("KLDivLoss"),
  learns: "values",
  expects: "values",
  params: {
    reduction: p.choice({
      options: ["mean", "batchmean"],
      default: "mean",
      doc: "mean divides by all numbers, as PyTorch does unless told else; batchmean by the rows, which is the divergence itself.",
    }),
    log_target: p.bool({ default: false, doc: "The targets are log-probabilities too." }),
  },
  curve: { of: "y where t = 1", at: (y) => (y <= 0 ? -y : Number.NaN) },
  target: (y, info) => valueTarget("KLDivLoss", y, info),
  lower(b, { y, target }, { reduction, log_target }) {
    const input = reshapeLike(b, y, target);
    const { shape } = input.type;
    if (reduction === "mean" || shape.length < 2) return b.call("aten::kl_div", [input, target, MEAN, log_target], float32([]));
    const each = b.call("aten::kl_div", [input, target, NONE, log_target], float32(shape));
    const axes = shape.slice(1).map((_, axis) => axis + 1);
    return mean(b, b.call("aten::sum.dim_IntList", [each, { ints: axes }], float32(shape.slice(0, 1))));
  },
  torch: ({ reduction, log_target }) => lossCall("KLDivLoss", { reduction: [reduction, "mean"], log_target: [log_target, false] }),
});
