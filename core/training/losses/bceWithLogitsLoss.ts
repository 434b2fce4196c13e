import { say } from "../../language/say.ts";
import { float32 } from "../../layers/kit.ts";
import { answers, answerTarget, constants, defineLoss, lossCall, lossSource, MEAN, numbersParam, pythonTensor, readNumbers } from "./kit.ts";

export const bceWithLogitsLoss = defineLoss({
  name: "BCEWithLogitsLoss",
  title: "Binary cross-entropy",
  doc: "For yes-or-no questions: one score per question; applies the sigmoid itself.",
  formula: "loss = −(t · log σ(y) + (1 − t) · log(1 − σ(y)))",
  when: "For two classes, or for several labels of which any number may be right. For one class out of several use CrossEntropyLoss.",
  source: lossSource("BCEWithLogitsLoss"),
  learns: "classes",
  expects: "logits",
  params: { pos_weight: numbersParam(say("How much a yes counts beside a no: one number for all scores, or one each. Empty: 1.")) },
  curve: { of: "y where t = 1", at: (y) => Math.log1p(Math.exp(-y)) },
  target(y, info, { pos_weight }) {
    const answer = answerTarget("BCEWithLogitsLoss", y, info);
    const numbers = readNumbers(pos_weight);
    const width = y.shape.length > 1 ? y.shape.at(-1) : 1;
    if ("problem" in answer || !numbers || numbers.length === 1 || numbers.length === width) return answer;
    return {
      problem: say("BCEWithLogitsLoss needs one pos_weight, or one for each of {width} scores; it holds {count}.", { width: String(width), count: numbers.length }),
      hint: say("Change pos_weight in the training settings."),
    };
  },
  lower(b, { y, target }, { pos_weight }) {
    const numbers = readNumbers(pos_weight);
    return b.call("aten::binary_cross_entropy_with_logits", [y, answers(b, y, target), null, numbers && constants(b, y, numbers), MEAN], float32([]));
  },
  torch({ pos_weight }) {
    const numbers = readNumbers(pos_weight);
    return lossCall("BCEWithLogitsLoss", { pos_weight: [numbers && { code: pythonTensor(numbers) }] });
  },
});
