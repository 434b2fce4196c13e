import { float32 } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { defineLoss, lossCall, lossSource, MEAN, reshapeLike, valueTarget } from "./kit.ts";

export const huberLoss = defineLoss({
  name: "HuberLoss",
  title: "Huber",
  doc: "Squared below delta, in proportion above: large errors count, but not without end.",
  formula: "loss = (y − t)² / 2 where |y − t| < delta, else delta · (|y − t| − delta / 2)",
  when: "For measured values with outliers; set delta to the size of an ordinary error.",
  source: lossSource("HuberLoss"),
  learns: "values",
  expects: "values",
  params: { delta: p.float({ min: 1e-12, default: 1, doc: "Where the square ends and the straight line begins." }) },
  curve: { of: "y − t", at: (error, { delta }) => (Math.abs(error) < delta ? error ** 2 / 2 : delta * (Math.abs(error) - delta / 2)) },
  target: (y, info) => valueTarget("HuberLoss", y, info),
  lower: (b, { y, target }, { delta }) => b.call("aten::huber_loss", [reshapeLike(b, y, target), target, MEAN, delta], float32([])),
  torch: ({ delta }) => lossCall("HuberLoss", { delta: [delta, 1] }),
});
