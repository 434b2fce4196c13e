import { say } from "../../language/say.ts";
import { float32 } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { classTarget, constants, defineLoss, lossCall, lossSource, MEAN, numbersParam, pythonTensor, readNumbers } from "./kit.ts";

export const multiMarginLoss = defineLoss({
  name: "MultiMarginLoss",
  title: "Multi-class hinge",
  doc: "Asks that the right class scores higher than each other by a margin.",
  formula: "loss = Σ max(0, margin − y[target] + y[i])^p / classes, over i ≠ target",
  when: "When the order of classes matters and probabilities do not, as in a support vector machine. Otherwise CrossEntropyLoss.",
  source: lossSource("MultiMarginLoss"),
  learns: "classes",
  expects: "values",
  classWeights: "weight",
  params: {
    p: p.choice({ options: ["1", "2"], default: "1", doc: "The power of each difference." }),
    margin: p.float({ default: 1, doc: "By how much the right class should win." }),
    weight: numbersParam(say("How much each class counts, in class order. Empty: all the same.")),
  },
  curve: { of: "y[target] − y[i]", at: (ahead, { margin, p }) => Math.max(0, margin - ahead) ** Number(p) },
  target(y, info, { weight }) {
    if (y.shape.length > 2)
      return { problem: say("MultiMarginLoss needs one row of scores a sample, [B, classes]."), hint: say("Put a Flatten in front, or use CrossEntropyLoss.") };
    return classTarget("MultiMarginLoss", y, info, readNumbers(weight));
  },
  lower(b, { y, target }, { p: power, margin, weight }) {
    const numbers = readNumbers(weight);
    return b.call("aten::multi_margin_loss", [y, target, Number(power), margin, numbers && constants(b, y, numbers), MEAN], float32([]));
  },
  torch({ p: power, margin, weight }) {
    const numbers = readNumbers(weight);
    return lossCall("MultiMarginLoss", { p: [Number(power), 1], margin: [margin, 1], weight: [numbers && { code: pythonTensor(numbers) }] });
  },
});
