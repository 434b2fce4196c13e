import { defineActivation } from "./elementwise.ts";

export const relu = defineActivation({
  type: "relu",
  title: "ReLU",
  doc: "Keeps positive numbers and makes the others 0: the plain bend that lets layers learn curves.",
  params: {},
  aten: () => ["aten::relu"],
  onnx: ["Relu"],
  torch: () => "nn.ReLU()",
});
