import { defineActivation } from "./elementwise.ts";
import { p, pythonCall } from "./params.ts";

export const gelu = defineActivation({
  type: "gelu",
  title: "GELU",
  doc: "A smooth ReLU, weighted by the normal distribution: usual in transformers.",
  formula: "y = x · Φ(x), where Φ is the share of a normal distribution below x",
  when: "In transformers and newer image networks. In small convolutional networks ReLU is faster and as good.",
  curve: (x) => x * normalShareBelow(x),
  keywords: ["transformer"],
  params: { approximate: p.choice({ options: ["none", "tanh"], default: "none", doc: "`tanh` is the older approximation, as in GPT-2." }) },
  summary: ({ approximate }) => (approximate === "none" ? "" : approximate),
  aten: ({ approximate }) => ["aten::gelu", approximate],
  onnx: ["Gelu", ({ approximate }) => ({ approximate })],
  torch: ({ approximate }) => pythonCall("nn.GELU", [], { approximate: [approximate, "none"] }),
  examples: [{ approximate: "tanh" }],
});

/** Φ(x), to 1e-7: Abramowitz and Stegun 26.2.17. */
function normalShareBelow(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const above = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x > 0 ? 1 - above : above;
}
