import { defineArithmetic, refuseConditions } from "./broadcast.ts";
import { NUMBERS_AND_CONDITIONS } from "./dtypes.ts";

export const minimum = defineArithmetic({
  type: "minimum",
  title: "Minimum",
  doc: "Takes the smaller of two numbers at each place.",
  formula: "y = min(a, b)",
  when: "Use it to merge two tensors by their smaller values, or to keep numbers below a ceiling. To reduce an axis to its smallest number use Min.",
  keywords: ["smaller", "min", "ceiling", "elementwise"],
  dtypes: NUMBERS_AND_CONDITIONS,
  value: { default: 0, neutral: false },
  refuse: refuseConditions("Minimum", "And"),
  lower: (b, left, right, type) =>
    typeof left === "number" ? b.call("aten::clamp_max", [right, left], type) : b.call(typeof right === "number" ? "aten::clamp_max" : "aten::minimum", [left, right], type),
  onnx: "Min",
  torch: (left, right, value) => (value ? `${left}.clamp(max=${right})` : `torch.minimum(${left}, ${right})`),
  examples: [
    { inputs: { a: [2, 3, 4], b: [2, 3, 4] } },
    { params: { value: 0.3 }, inputs: { a: [2, 3, 4] } },
    { inputs: { a: { dtype: "bool", shape: [4] }, b: [2, 4] } },
    { params: { value: 1 }, inputs: { a: { dtype: "int64", shape: [2, 3] } } },
  ],
});
