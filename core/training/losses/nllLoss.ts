import { say } from "../../language/say.ts";
import { float32 } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { classTarget, constants, defineLoss, lossCall, lossSource, MEAN, numbersParam, pythonTensor, readNumbers } from "./kit.ts";

export const nllLoss = defineLoss({
  name: "NLLLoss",
  title: "Negative log-likelihood",
  doc: "For choosing one of several classes, from log-probabilities: the network ends in LogSoftmax.",
  formula: "loss = −y[target]",
  when: "When the network gives log-probabilities already. With plain scores use CrossEntropyLoss, which is both in one.",
  source: lossSource("NLLLoss"),
  learns: "classes",
  expects: "values",
  classWeights: "weight",
  params: {
    weight: numbersParam(say("How much each class counts, in class order: 1, 2.5, 1. Empty: all the same.")),
    ignore_index: p.int({ default: -100, doc: "Targets of this number are left out, such as padding." }),
  },
  curve: { of: "y[target]", at: (y) => (y <= 0 ? -y : Number.NaN) },
  target: (y, info, { weight }) => classTarget("NLLLoss", y, info, readNumbers(weight)),
  lower(b, { y, target }, { weight, ignore_index }) {
    const numbers = readNumbers(weight);
    return b.call("aten::nll_loss_nd", [y, target, numbers && constants(b, y, numbers), MEAN, ignore_index], float32([]));
  },
  torch({ weight, ignore_index }) {
    const numbers = readNumbers(weight);
    return lossCall("NLLLoss", { weight: [numbers && { code: pythonTensor(numbers) }], ignore_index: [ignore_index, -100] });
  },
});
