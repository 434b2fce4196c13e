import { defineUnary } from "./unary.ts";

export const log = defineUnary({
  type: "log",
  title: "Log",
  doc: "Takes the natural logarithm of each number.",
  formula: "y = ln x",
  when: "Use it for log-probabilities and for sizes that span many powers of ten. It needs numbers above 0: add a small one first, or use LogSoftmax on scores.",
  keywords: ["logarithm", "ln", "natural"],
  curve: Math.log,
  onnx: "Log",
  examples: [{ inputs: { x: [2, 3] }, positive: true }],
});
