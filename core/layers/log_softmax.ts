import { defineAlongAxis } from "./along_axis.ts";

export const logSoftmax = defineAlongAxis({
  type: "log_softmax",
  title: "LogSoftmax",
  doc: "The logarithm of Softmax, computed so that small probabilities stay exact.",
  formula: "yᵢ = xᵢ − ln Σⱼ exp(xⱼ)",
  when: "Before NLLLoss, and where probabilities are multiplied. Before CrossEntropyLoss leave it out, which does it itself.",
  keywords: ["log probability", "activation", "nll"],
  aten: "aten::log_softmax.int",
  onnx: "LogSoftmax",
});
