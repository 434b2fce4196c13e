import { defineArithmetic } from "./broadcast.ts";
import { NUMBERS } from "./dtypes.ts";

export const pow = defineArithmetic({
  type: "pow",
  title: "Pow",
  doc: "Raises each number to a power, by default 2; or a plain number to the power of each.",
  formula: "y = aᵇ",
  when: "Use it for squares and powers. A fraction of a negative number is not a number: make it positive first, with Abs or Clamp.",
  keywords: ["power", "square", "exponent", "cube"],
  dtypes: NUMBERS,
  value: { default: 2, neutral: false },
  reversible: true,
  refuse: (a, b) => (a === "int64" && typeof b === "number" && Number.isSafeInteger(b) && b < 0 ? `Pow cannot raise whole numbers to ${b}; cast them to float32 first.` : null),
  lower: (b, left, right, type) =>
    typeof left === "number"
      ? b.call("aten::pow.Scalar", [left, right], type)
      : b.call(typeof right === "number" ? "aten::pow.Tensor_Scalar" : "aten::pow.Tensor_Tensor", [left, right], type),
  onnx: "Pow",
  torch: (left, right) => `${left} ** ${right}`,
  examples: [
    { inputs: { a: [2, 3] } },
    { params: { value: -0.5 }, inputs: { a: [2, 3] }, positive: true },
    { params: { value: 2, reverse: true }, inputs: { a: [2, 3] } },
    { inputs: { a: [2, 3], b: [3] }, positive: true },
    { params: { value: 3 }, inputs: { a: { dtype: "int64", shape: [2, 3] } } },
  ],
});
