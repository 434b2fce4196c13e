import { defineArithmetic } from "./broadcast.ts";
import { NUMBERS_AND_CONDITIONS } from "./dtypes.ts";

export const div = defineArithmetic({
  type: "div",
  title: "Div",
  doc: "Divides one tensor by another, number by number; whole numbers too give float32.",
  formula: "y = a / b",
  when: "Use it for averages and ratios. Add a small number to a divisor that may come near 0.",
  keywords: ["divide", "ratio", "quotient", "normalize", "over"],
  dtypes: NUMBERS_AND_CONDITIONS,
  value: { default: 1, neutral: true },
  reversible: true,
  result: () => "float32",
  lower: (b, left, right, type) =>
    typeof left === "number"
      ? b.call("aten::mul.Scalar", [b.call("aten::reciprocal", [right], type), left], type)
      : b.call(typeof right === "number" ? "aten::div.Scalar" : "aten::div.Tensor", [left, right], type),
  onnx: "Div",
  torch: (left, right) => `${left} / ${right}`,
  examples: [
    { inputs: { a: [2, 3, 4], b: [2, 3, 1] }, positive: true },
    { params: { value: 4 }, inputs: { a: [2, 3] } },
    { params: { value: 2, reverse: true }, inputs: { a: [2, 3] }, positive: true },
    { params: { value: 2 }, inputs: { a: { dtype: "int64", shape: [2, 3] } } },
  ],
});
