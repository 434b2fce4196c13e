import { defineArithmetic, refuseConditions } from "./broadcast.ts";
import { NUMBERS_AND_CONDITIONS } from "./dtypes.ts";

export const mul = defineArithmetic({
  type: "mul",
  title: "Mul",
  doc: "Multiplies two tensors number by number: gates and attention masks.",
  formula: "y = a · b",
  when: "Use it for gates, masks and scales. For the product of matrices use MatMul.",
  keywords: ["multiply", "times", "product", "gate", "scale"],
  dtypes: NUMBERS_AND_CONDITIONS,
  value: { default: 1, neutral: true },
  refuse: refuseConditions("Mul", "And"),
  lower: (b, left, right, type) =>
    typeof left === "number" ? b.call("aten::mul.Scalar", [right, left], type) : b.call(typeof right === "number" ? "aten::mul.Scalar" : "aten::mul.Tensor", [left, right], type),
  onnx: "Mul",
  torch: (left, right) => `${left} * ${right}`,
  examples: [
    { inputs: { a: [2, 3, 4], b: [2, 3, 4] } },
    { inputs: { a: [2, 3, 4], b: [3, 1] } },
    { params: { value: 0.5 }, inputs: { a: [2, 3] } },
    { inputs: { a: [2, 8], b: { dtype: "bool", shape: [8] } } },
  ],
});
