import { defineActivation } from "./elementwise.ts";

export const hardsigmoid = defineActivation({
  type: "hardsigmoid",
  title: "Hardsigmoid",
  doc: "Sigmoid drawn with straight lines: 0 below −3, 1 above 3, and a ramp between.",
  formula: "y = min(max(0, x + 3), 6) / 6",
  when: "For gates in networks for small devices, as MobileNetV3's. Beyond ±3 nothing is learned; Sigmoid never goes quite flat.",
  curve: (x) => Math.min(Math.max(0, x + 3), 6) / 6,
  keywords: ["gate", "mobilenet"],
  params: {},
  aten: () => ["aten::hardsigmoid"],
  onnx: ["HardSigmoid", () => ({ alpha: { float: 1 / 6 }, beta: { float: 0.5 } })],
  torch: () => "nn.Hardsigmoid()",
});
