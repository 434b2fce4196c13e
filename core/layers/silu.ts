import { defineActivation } from "./elementwise.ts";

export const silu = defineActivation({
  type: "silu",
  title: "SiLU",
  doc: "Multiplies each number by its sigmoid: smooth, with a small dip below zero; usual in newer image networks.",
  formula: "y = x · σ(x) = x / (1 + exp(−x))",
  when: "In EfficientNet, diffusion models and language models, where a smooth curve trains better. Hardswish is a cheaper likeness.",
  curve: (x) => x / (1 + Math.exp(-x)),
  keywords: ["swish"],
  params: {},
  aten: () => ["aten::silu"],
  onnx: (_, x, b) => {
    const [gate = ""] = b.node("Sigmoid", [x]);
    return b.node("Mul", [x, gate])[0] ?? "";
  },
  torch: () => "nn.SiLU()",
});
