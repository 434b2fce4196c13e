import { defineArithmetic } from "./broadcast.ts";
import { NUMBERS } from "./dtypes.ts";

export const sub = defineArithmetic({
  type: "sub",
  title: "Sub",
  doc: "Subtracts one tensor from another, number by number: differences, errors, 1 − x.",
  formula: "y = a − b",
  when: "Use it for differences and centring. To turn a condition round use Not, to turn a sign use Neg.",
  keywords: ["subtract", "minus", "difference", "residual"],
  dtypes: NUMBERS,
  value: { default: 0, neutral: true },
  reversible: true,
  lower: (b, left, right, type) =>
    typeof left === "number" ? b.call("aten::rsub.Scalar", [right, left], type) : b.call(typeof right === "number" ? "aten::sub.Scalar" : "aten::sub.Tensor", [left, right], type),
  onnx: "Sub",
  torch: (left, right) => `${left} - ${right}`,
  examples: [
    { inputs: { a: [2, 3, 4], b: [4] } },
    { params: { value: 1, reverse: true }, inputs: { a: [2, 3] } },
    { params: { value: 0.5 }, inputs: { a: { dtype: "int64", shape: [2, 3] } } },
    { params: { value: 2, reverse: true }, inputs: { a: { dtype: "int64", shape: [2, 3] } } },
  ],
});
