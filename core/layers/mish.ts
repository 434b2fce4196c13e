import { defineActivation } from "./elementwise.ts";

export const mish = defineActivation({
  type: "mish",
  title: "Mish",
  doc: "A smooth ReLU with a small dip below zero, much like SiLU: used in some detectors.",
  formula: "y = x · tanh(ln(1 + exp(x)))",
  when: "Where a published network uses it, as YOLOv4. Otherwise SiLU is near the same and costs less.",
  curve: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  params: {},
  aten: () => ["aten::mish"],
  onnx: ["Mish"],
  torch: () => "nn.Mish()",
});
