import { float32 } from "../../layers/kit.ts";
import { defineLoss, lossCall, lossSource, MEAN, reshapeLike, valueTarget } from "./kit.ts";

export const l1Loss = defineLoss({
  name: "L1Loss",
  title: "Mean absolute error",
  doc: "For predicting a number when outliers should not dominate.",
  formula: "loss = |y − t|",
  when: "When a few targets are far off and should not pull everything. Near the end its steps do not get smaller: HuberLoss ends smoother.",
  source: lossSource("L1Loss"),
  learns: "values",
  expects: "values",
  params: {},
  curve: { of: "y − t", at: Math.abs },
  target: (y, info) => valueTarget("L1Loss", y, info),
  lower: (b, { y, target }) => b.call("aten::l1_loss", [reshapeLike(b, y, target), target, MEAN], float32([])),
  torch: () => lossCall("L1Loss"),
});
