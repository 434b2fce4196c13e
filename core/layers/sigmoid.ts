import { defineActivation } from "./elementwise.ts";

export const sigmoid = defineActivation({
  type: "sigmoid",
  title: "Sigmoid",
  doc: "Squeezes every number between 0 and 1: gates and yes-or-no probabilities.",
  formula: "y = σ(x) = 1 / (1 + exp(−x))",
  when: "For gates, and where a result must be a probability. Not between deep layers, where it starves them of gradient, and not before BCEWithLogitsLoss, which does it itself.",
  curve: (x) => 1 / (1 + Math.exp(-x)),
  keywords: ["logistic"],
  trait: "probabilities",
  params: {},
  aten: () => ["aten::sigmoid"],
  onnx: ["Sigmoid"],
  torch: () => "nn.Sigmoid()",
});
