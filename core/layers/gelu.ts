import { defineActivation } from "./elementwise.ts";
import { p, pythonCall } from "./params.ts";

export const gelu = defineActivation({
  type: "gelu",
  title: "GELU",
  doc: "A smooth ReLU, weighted by the normal distribution: usual in transformers.",
  keywords: ["transformer"],
  params: { approximate: p.choice({ options: ["none", "tanh"], default: "none", doc: "`tanh` is the older approximation, as in GPT-2." }) },
  summary: ({ approximate }) => (approximate === "none" ? "" : approximate),
  aten: ({ approximate }) => ["aten::gelu", approximate],
  onnx: ["Gelu", ({ approximate }) => ({ approximate })],
  torch: ({ approximate }) => pythonCall("nn.GELU", [], { approximate: [approximate, "none"] }),
  examples: [{ approximate: "tanh" }],
});
