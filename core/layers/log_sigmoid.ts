import { defineActivation } from "./elementwise.ts";

export const logSigmoid = defineActivation({
  type: "log_sigmoid",
  title: "LogSigmoid",
  doc: "The logarithm of the sigmoid, computed so that very negative numbers stay finite.",
  formula: "y = ln(σ(x)) = −ln(1 + exp(−x))",
  when: "In losses written by hand, such as ranking losses. Never as Log after Sigmoid, which breaks down for x below −100.",
  curve: (x) => Math.min(0, x) - Math.log1p(Math.exp(-Math.abs(x))),
  keywords: ["log probability"],
  params: {},
  aten: () => ["aten::log_sigmoid"],
  onnx: (_, x, b) => {
    const [minus = ""] = b.node("Neg", [x]);
    const [soft = ""] = b.node("Softplus", [minus]);
    return b.node("Neg", [soft])[0] ?? "";
  },
  torch: () => "nn.LogSigmoid()",
});
