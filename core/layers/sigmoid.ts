import { defineActivation } from "./elementwise.ts";

export const sigmoid = defineActivation({
  type: "sigmoid",
  title: "Sigmoid",
  doc: "Squeezes every number between 0 and 1: gates and yes-or-no probabilities.",
  keywords: ["logistic"],
  trait: "probabilities",
  params: {},
  aten: () => ["aten::sigmoid"],
  onnx: ["Sigmoid"],
  torch: () => "nn.Sigmoid()",
});
