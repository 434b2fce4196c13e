import { defineUnary } from "./unary.ts";

export const neg = defineUnary({
  type: "neg",
  title: "Neg",
  doc: "Turns the sign of each number round.",
  formula: "y = −x",
  when: "Use it to make a maximum of a minimum, or a cost of a gain.",
  keywords: ["negative", "minus", "sign"],
  curve: (x) => -x,
  onnx: "Neg",
  keepsWhole: true,
  examples: [{ inputs: { x: [2, 3] } }, { inputs: { x: { dtype: "int64", shape: [2, 3] } } }],
});
