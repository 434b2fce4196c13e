import { defineUnary } from "./unary.ts";

export const reciprocal = defineUnary({
  type: "reciprocal",
  title: "Reciprocal",
  doc: "Divides 1 by each number.",
  formula: "y = 1 / x",
  when: "Use it to divide by a tensor that you hold once and use often. It grows without bound near 0: add a small number first.",
  keywords: ["inverse", "one over", "divide"],
  curve: (x) => 1 / x,
  onnx: "Reciprocal",
  examples: [{ inputs: { x: [2, 3] }, positive: true }],
});
