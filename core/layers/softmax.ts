import { defineAlongAxis } from "./along_axis.ts";

export const softmax = defineAlongAxis({
  type: "softmax",
  title: "Softmax",
  doc: "Turns scores into probabilities that sum to 1. CrossEntropyLoss does this itself, so do not put it before the output.",
  formula: "yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ)",
  when: "For attention weights, and to read probabilities. Before CrossEntropyLoss leave it out; before NLLLoss take LogSoftmax.",
  keywords: ["probability", "activation", "attention"],
  trait: "probabilities",
  aten: "aten::softmax.int",
  onnx: "Softmax",
});
