import { defineActivation } from "./elementwise.ts";
import { p, pythonCall } from "./params.ts";

export const elu = defineActivation({
  type: "elu",
  title: "ELU",
  doc: "ReLU with a smooth tail that falls to −alpha, which keeps the mean of what comes out near 0.",
  formula: "y = x where x > 0, else alpha · (exp(x) − 1)",
  when: "In networks without normalization layers, where a mean near 0 helps. With BatchNorm, ReLU is cheaper and as good.",
  curve: (x) => (x > 0 ? x : Math.expm1(x)),
  keywords: ["exponential"],
  params: { alpha: p.float({ min: 0, default: 1, step: 0.1, doc: "How far down the tail goes." }) },
  summary: ({ alpha }) => (alpha === 1 ? "" : `alpha ${alpha}`),
  aten: ({ alpha }) => ["aten::elu", alpha],
  onnx: ["Elu", ({ alpha }) => ({ alpha: { float: alpha } })],
  torch: ({ alpha }) => pythonCall("nn.ELU", [], { alpha: [alpha, 1] }),
  examples: [{ alpha: 0.3 }],
});
