import { defineActivation } from "./elementwise.ts";
import { p, pythonCall } from "./params.ts";

export const celu = defineActivation({
  type: "celu",
  title: "CELU",
  doc: "ELU whose slope is 1 at zero whatever alpha is, so that the curve has no kink.",
  formula: "y = max(0, x) + min(0, alpha · (exp(x / alpha) − 1))",
  when: "In place of ELU where alpha is not 1. With alpha 1 the two are the same.",
  curve: (x) => (x > 0 ? x : Math.expm1(x)),
  keywords: ["exponential"],
  params: { alpha: p.float({ min: 1e-3, default: 1, step: 0.1, doc: "How far down the tail goes, and how slowly." }) },
  summary: ({ alpha }) => (alpha === 1 ? "" : `alpha ${alpha}`),
  aten: ({ alpha }) => ["aten::celu", alpha],
  onnx: ["Celu", ({ alpha }) => ({ alpha: { float: alpha } })],
  torch: ({ alpha }) => pythonCall("nn.CELU", [], { alpha: [alpha, 1] }),
  examples: [{ alpha: 0.5 }],
});
