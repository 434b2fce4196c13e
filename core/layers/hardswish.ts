import { defineActivation } from "./elementwise.ts";

export const hardswish = defineActivation({
  type: "hardswish",
  title: "Hardswish",
  doc: "SiLU drawn with straight lines and one parabola, so that phones compute it fast.",
  formula: "y = x · min(max(0, x + 3), 6) / 6",
  when: "For small devices and few bits, as in MobileNetV3. Elsewhere SiLU is the smooth original.",
  curve: (x) => (x * Math.min(Math.max(0, x + 3), 6)) / 6,
  keywords: ["swish", "mobilenet"],
  params: {},
  aten: () => ["aten::hardswish"],
  onnx: ["HardSwish"],
  torch: () => "nn.Hardswish()",
});
