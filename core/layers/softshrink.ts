import { defineActivation } from "./elementwise.ts";
import { p, pythonCall } from "./params.ts";

export const softshrink = defineActivation({
  type: "softshrink",
  title: "Softshrink",
  doc: "Moves every number towards 0 by lambd, and makes those nearer than that 0: keeps few numbers, without noise.",
  formula: "y = x − lambd where x > lambd, x + lambd where x < −lambd, else 0",
  when: "For sparse codes and denoising. Hardshrink keeps what is left at its full size.",
  curve: (x) => Math.sign(x) * Math.max(0, Math.abs(x) - 0.5),
  keywords: ["soft threshold", "sparse", "denoise"],
  params: { lambd: p.float({ min: 0, default: 0.5, step: 0.1, doc: "How far from 0 a number must be to be kept." }) },
  summary: ({ lambd }) => `lambd ${lambd}`,
  aten: ({ lambd }) => ["aten::softshrink", lambd],
  onnx: ["Shrink", ({ lambd }) => ({ lambd: { float: lambd }, bias: { float: lambd } })],
  torch: ({ lambd }) => pythonCall("nn.Softshrink", [], { lambd: [lambd, 0.5] }),
  examples: [{ lambd: 0.2 }],
});
