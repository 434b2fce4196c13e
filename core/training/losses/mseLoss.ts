import { float32 } from "../../layers/kit.ts";
import { defineLoss, lossCall, lossSource, MEAN, reshapeLike, valueTarget } from "./kit.ts";

export const mseLoss = defineLoss({
  name: "MSELoss",
  title: "Mean squared error",
  doc: "For predicting a number; large errors count most.",
  formula: "loss = (y − t)²",
  when: "The usual choice for measured values. With outliers take HuberLoss or L1Loss.",
  source: lossSource("MSELoss"),
  learns: "values",
  expects: "values",
  params: {},
  curve: { of: "y − t", at: (error) => error ** 2 },
  target: (y, info) => valueTarget("MSELoss", y, info),
  lower: (b, { y, target }) => b.call("aten::mse_loss", [reshapeLike(b, y, target), target, MEAN], float32([])),
  torch: () => lossCall("MSELoss"),
});
