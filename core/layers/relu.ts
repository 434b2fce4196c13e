import { defineActivation } from "./elementwise.ts";

export const relu = defineActivation({
  type: "relu",
  title: "ReLU",
  doc: "Keeps positive numbers and makes the others 0: the plain bend that lets layers learn curves.",
  formula: "y = max(0, x)",
  when: "The first choice between layers. Where many units stay at 0 for good, take LeakyReLU; in transformers, GELU is usual.",
  curve: (x) => Math.max(0, x),
  params: {},
  aten: () => ["aten::relu"],
  onnx: ["Relu"],
  torch: () => "nn.ReLU()",
});
