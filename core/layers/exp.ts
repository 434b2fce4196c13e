import { defineUnary } from "./unary.ts";

export const exp = defineUnary({
  type: "exp",
  title: "Exp",
  doc: "Raises e to the power of each number: turns logarithms back, always positive.",
  formula: "y = eˣ",
  when: "Use it to turn log-variances or log-probabilities back. It overflows beyond 88, so keep its input small; Softplus grows more gently.",
  keywords: ["exponential", "e"],
  curve: Math.exp,
  onnx: "Exp",
  examples: [{ inputs: { x: [2, 3] } }, { inputs: { x: { dtype: "int64", shape: [2, 3] } } }],
});
