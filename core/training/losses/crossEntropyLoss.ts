import { say } from "../../language/say.ts";
import { float32 } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { classTarget, constants, defineLoss, lossCall, lossSource, MEAN, numbersParam, pythonTensor, readNumbers } from "./kit.ts";

export const crossEntropyLoss = defineLoss({
  name: "CrossEntropyLoss",
  title: "Cross-entropy",
  doc: "For choosing one of several classes. Takes one score per class; applies log-softmax itself.",
  formula: "loss = −log softmax(y)[target]",
  when: "The usual choice for one class out of several. Not where several may be right at once: that is BCEWithLogitsLoss.",
  source: lossSource("CrossEntropyLoss"),
  learns: "classes",
  expects: "logits",
  classWeights: "weight",
  params: {
    weight: numbersParam(say("How much each class counts, in class order: 1, 2.5, 1. Empty: all the same.")),
    ignore_index: p.int({ default: -100, doc: "Targets of this number are left out, such as padding." }),
    label_smoothing: p.float({ min: 0, max: 1, step: 0.05, default: 0, doc: "Share of the answer that is spread over all classes." }),
  },
  curve: { of: "y[target] beside one score of 0", at: (y) => Math.log1p(Math.exp(-y)) },
  target: (y, info, { weight }) => classTarget("CrossEntropyLoss", y, info, readNumbers(weight)),
  lower(b, { y, target }, { weight, ignore_index, label_smoothing }) {
    const numbers = readNumbers(weight);
    return b.call("aten::cross_entropy_loss", [y, target, numbers && constants(b, y, numbers), MEAN, ignore_index, label_smoothing], float32([]));
  },
  torch({ weight, ignore_index, label_smoothing }) {
    const numbers = readNumbers(weight);
    return lossCall("CrossEntropyLoss", { weight: [numbers && { code: pythonTensor(numbers) }], ignore_index: [ignore_index, -100], label_smoothing: [label_smoothing, 0] });
  },
});
