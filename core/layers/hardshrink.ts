import { defineActivation } from "./elementwise.ts";
import { p, pythonCall } from "./params.ts";

export const hardshrink = defineActivation({
  type: "hardshrink",
  title: "Hardshrink",
  doc: "Makes numbers near 0 exactly 0 and keeps the others: keeps few numbers, at full size.",
  formula: "y = x where |x| > lambd, else 0",
  when: "For sparse codes whose sizes must not shrink. It jumps at ±lambd; Softshrink does not.",
  curve: (x) => (Math.abs(x) > 0.5 ? x : 0),
  keywords: ["hard threshold", "sparse"],
  params: { lambd: p.float({ min: 0, default: 0.5, step: 0.1, doc: "How far from 0 a number must be to be kept." }) },
  summary: ({ lambd }) => `lambd ${lambd}`,
  aten: ({ lambd }) => ["aten::hardshrink", lambd],
  onnx: ["Shrink", ({ lambd }) => ({ lambd: { float: lambd }, bias: { float: 0 } })],
  torch: ({ lambd }) => pythonCall("nn.Hardshrink", [], { lambd: [lambd, 0.5] }),
  examples: [{ lambd: 0.2 }],
});
