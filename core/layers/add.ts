import { defineArithmetic, refuseConditions } from "./broadcast.ts";
import { NUMBERS_AND_CONDITIONS } from "./dtypes.ts";

export const add = defineArithmetic({
  type: "add",
  title: "Add",
  doc: "Adds two tensors number by number: closes a residual connection.",
  formula: "y = a + b",
  when: "Use it for skip connections and biases. Where features should stand side by side instead, use Concat.",
  keywords: ["sum", "plus", "residual", "skip connection", "shortcut"],
  dtypes: NUMBERS_AND_CONDITIONS,
  value: { default: 0, neutral: true },
  refuse: refuseConditions("Add", "Or"),
  lower: (b, left, right, type) =>
    typeof left === "number" ? b.call("aten::add.Scalar", [right, left], type) : b.call(typeof right === "number" ? "aten::add.Scalar" : "aten::add.Tensor", [left, right], type),
  onnx: "Add",
  torch: (left, right) => `${left} + ${right}`,
  examples: [
    { inputs: { a: [2, 3, 4], b: [2, 3, 4] } },
    { inputs: { a: [2, 3, 4], b: [3, 1] } },
    { params: { value: 1.5 }, inputs: { a: [2, 3] } },
    { inputs: { a: { dtype: "int64", shape: [2, 3] }, b: [2, 3] } },
  ],
});
