import { float32 } from "../../layers/kit.ts";
import { answerTarget, defineLoss, lossCall, lossSource, MEAN, signs } from "./kit.ts";

export const softMarginLoss = defineLoss({
  name: "SoftMarginLoss",
  title: "Soft margin",
  doc: "Logistic loss of a yes (1) or no (−1): class numbers are turned into these.",
  formula: "loss = log(1 + exp(−t · y)), t = ±1",
  when: "For two classes, written as in support vector machines; the same numbers as BCEWithLogitsLoss.",
  source: lossSource("SoftMarginLoss"),
  learns: "classes",
  expects: "logits",
  params: {},
  curve: { of: "y where t = 1", at: (y) => Math.log1p(Math.exp(-y)) },
  target: (y, info) => answerTarget("SoftMarginLoss", y, info),
  lower: (b, { y, target }) => b.call("aten::soft_margin_loss", [y, signs(b, y, target), MEAN], float32([])),
  torch: () => lossCall("SoftMarginLoss"),
});
