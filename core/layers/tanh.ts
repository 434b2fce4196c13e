import { defineActivation } from "./elementwise.ts";

export const tanh = defineActivation({
  type: "tanh",
  title: "Tanh",
  doc: "Squeezes every number between −1 and 1.",
  params: {},
  aten: () => ["aten::tanh"],
  onnx: ["Tanh"],
  torch: () => "nn.Tanh()",
});
