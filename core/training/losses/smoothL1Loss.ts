import { float32 } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { defineLoss, lossCall, lossSource, MEAN, reshapeLike, valueTarget } from "./kit.ts";

export const smoothL1Loss = defineLoss({
  name: "SmoothL1Loss",
  title: "Smooth absolute error",
  doc: "Squared below beta, absolute above: small errors end smoothly, outliers do not dominate.",
  formula: "loss = (y − t)² / (2 · beta) where |y − t| < beta, else |y − t| − beta / 2",
  when: "For measured values with some outliers, as boxes in object detection.",
  source: lossSource("SmoothL1Loss"),
  learns: "values",
  expects: "values",
  params: { beta: p.float({ min: 0, default: 1, doc: "Where the square ends and the straight line begins." }) },
  curve: { of: "y − t", at: (error, { beta }) => (Math.abs(error) < beta ? error ** 2 / (2 * beta) : Math.abs(error) - beta / 2) },
  target: (y, info) => valueTarget("SmoothL1Loss", y, info),
  lower: (b, { y, target }, { beta }) => b.call("aten::smooth_l1_loss", [reshapeLike(b, y, target), target, MEAN, beta], float32([])),
  torch: ({ beta }) => lossCall("SmoothL1Loss", { beta: [beta, 1] }),
});
