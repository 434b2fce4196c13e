import { float32 } from "../../layers/kit.ts";
import { answers, answerTarget, defineLoss, lossCall, lossSource, MEAN } from "./kit.ts";

export const bceLoss = defineLoss({
  name: "BCELoss",
  title: "Binary cross-entropy of probabilities",
  doc: "For yes-or-no questions, from probabilities: the network ends in Sigmoid.",
  formula: "loss = −(t · log y + (1 − t) · log(1 − y))",
  when: "When the output must be a probability already. BCEWithLogitsLoss is the same and steadier with plain scores.",
  source: lossSource("BCELoss"),
  learns: "classes",
  takesShares: true,
  expects: "values",
  params: {},
  curve: { of: "y where t = 1", at: (y) => (y > 0 && y <= 1 ? -Math.log(y) : Number.NaN) },
  target: (y, info) => answerTarget("BCELoss", y, info),
  lower: (b, { y, target }) => b.call("aten::binary_cross_entropy", [y, answers(b, y, target), null, MEAN], float32([])),
  // Probabilities of yes and no are turned into scores; values from 0 to 1 are what they are.
  read: (b, { y, target }) => (target.type.dtype === "int64" ? b.call("aten::sub.Scalar", [y, 0.5], float32(y.type.shape)) : y),
  torch: () => lossCall("BCELoss"),
});
