import { defineArithmetic, refuseConditions } from "./broadcast.ts";
import { NUMBERS_AND_CONDITIONS } from "./dtypes.ts";

export const maximum = defineArithmetic({
  type: "maximum",
  title: "Maximum",
  doc: "Takes the larger of two numbers at each place.",
  formula: "y = max(a, b)",
  when: "Use it to merge two tensors by their larger values, or to keep numbers above a floor. To reduce an axis to its largest number use Max.",
  keywords: ["larger", "max", "floor", "elementwise"],
  dtypes: NUMBERS_AND_CONDITIONS,
  value: { default: 0, neutral: false },
  refuse: refuseConditions("Maximum", "Or"),
  lower: (b, left, right, type) =>
    typeof left === "number" ? b.call("aten::clamp_min", [right, left], type) : b.call(typeof right === "number" ? "aten::clamp_min" : "aten::maximum", [left, right], type),
  onnx: "Max",
  torch: (left, right, value) => (value ? `${left}.clamp(min=${right})` : `torch.maximum(${left}, ${right})`),
  examples: [
    { inputs: { a: [2, 3, 4], b: [2, 3, 4] } },
    { params: { value: 0.3 }, inputs: { a: [2, 3, 4] } },
    { inputs: { a: { dtype: "bool", shape: [4] }, b: [2, 4] } },
    { params: { value: 1 }, inputs: { a: { dtype: "int64", shape: [2, 3] } } },
  ],
});
