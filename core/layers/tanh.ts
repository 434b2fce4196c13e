import { defineActivation } from "./elementwise.ts";

export const tanh = defineActivation({
  type: "tanh",
  title: "Tanh",
  doc: "Squeezes every number between −1 and 1.",
  formula: "y = tanh(x) = (exp(x) − exp(−x)) / (exp(x) + exp(−x))",
  when: "Inside recurrent cells, and for results between −1 and 1, such as an image of a generator. Between deep layers ReLU learns faster.",
  curve: Math.tanh,
  params: {},
  aten: () => ["aten::tanh"],
  onnx: ["Tanh"],
  torch: () => "nn.Tanh()",
});
