import { defineUnary } from "./unary.ts";

export const sqrt = defineUnary({
  type: "sqrt",
  title: "Sqrt",
  doc: "Takes the square root of each number.",
  formula: "y = √x",
  when: "Use it to bring variances and squared distances back to the first power. Below 0 there is no root, and at 0 its slope is infinite: add a small number first.",
  keywords: ["square root", "root"],
  curve: Math.sqrt,
  onnx: "Sqrt",
  examples: [{ inputs: { x: [2, 3] }, positive: true }, { inputs: { x: { dtype: "int64", shape: [2, 3] } } }],
});
