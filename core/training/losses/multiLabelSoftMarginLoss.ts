import { printShape } from "../../graph/shape.ts";
import { say } from "../../language/say.ts";
import { float32 } from "../../layers/kit.ts";
import { answers, classTarget, defineLoss, lossCall, lossSource, mean, valueTarget } from "./kit.ts";

export const multiLabelSoftMarginLoss = defineLoss({
  name: "MultiLabelSoftMarginLoss",
  title: "Multi-label one-versus-all",
  doc: "One yes-or-no question for each class, averaged over the classes.",
  formula: "loss = −Σ (t · log σ(y) + (1 − t) · log σ(−y)) / classes",
  when: "For several labels of which any number may be right. The same as BCEWithLogitsLoss on [B, classes].",
  source: lossSource("MultiLabelSoftMarginLoss"),
  learns: "classes",
  expects: "logits",
  params: {},
  curve: { of: "y where t = 1", at: (y) => Math.log1p(Math.exp(-y)) },
  target(y, info) {
    if (y.shape.length !== 2)
      return { problem: say("MultiLabelSoftMarginLoss needs one score per class, [B, classes], but the output is {shape}.", { shape: printShape(y.shape) }) };
    return info.type?.dtype === "float32" ? valueTarget("MultiLabelSoftMarginLoss", y, info) : classTarget("MultiLabelSoftMarginLoss", y, info);
  },
  lower(b, { y, target }) {
    const type = float32(y.type.shape);
    const yes = answers(b, y, target);
    const logYes = b.call("aten::log_sigmoid", [y], type);
    const logNo = b.call("aten::log_sigmoid", [b.call("aten::neg", [y], type)], type);
    // t·a + (1 − t)·b = b + t·(a − b)
    const right = b.call("aten::add.Tensor", [logNo, b.call("aten::mul.Tensor", [yes, b.call("aten::sub.Tensor", [logYes, logNo], type)], type)], type);
    return b.call("aten::neg", [mean(b, right)], float32([]));
  },
  torch: () => lossCall("MultiLabelSoftMarginLoss"),
});
