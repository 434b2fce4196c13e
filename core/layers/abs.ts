import { defineUnary } from "./unary.ts";

export const abs = defineUnary({
  type: "abs",
  title: "Abs",
  doc: "Drops the sign of each number.",
  formula: "y = |x|",
  when: "Use it for sizes of errors and differences. At 0 its slope is taken as 0.",
  keywords: ["absolute", "magnitude", "modulus"],
  curve: Math.abs,
  onnx: "Abs",
  keepsWhole: true,
  examples: [{ inputs: { x: [2, 3] } }, { inputs: { x: { dtype: "int64", shape: [2, 3] } } }],
});
