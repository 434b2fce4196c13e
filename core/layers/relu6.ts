import { defineActivation } from "./elementwise.ts";

export const relu6 = defineActivation({
  type: "relu6",
  title: "ReLU6",
  doc: "ReLU that stops at 6, so that numbers keep a known range: used in networks for phones.",
  formula: "y = min(max(0, x), 6)",
  when: "For networks that are to run in few bits, as MobileNetV2. Elsewhere ReLU does as well, without the flat part above 6.",
  curve: (x) => Math.min(Math.max(0, x), 6),
  keywords: ["clip", "mobilenet"],
  params: {},
  aten: () => ["aten::relu6"],
  onnx: (_, x, b) => b.node("Clip", [x, b.constant([0], [], "float32"), b.constant([6], [], "float32")])[0] ?? "",
  torch: () => "nn.ReLU6()",
});
