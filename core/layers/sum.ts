import { NUMBERS_AND_CONDITIONS, onnxAs } from "./dtypes.ts";
import { defineReduction, onnxReduce } from "./reduction.ts";

export const sum = defineReduction({
  type: "sum",
  title: "Sum",
  doc: "Adds up the numbers along axes; of conditions it counts those that hold.",
  formula: "y = Σ x",
  when: "Use it to total or to count. Sums grow with the number of terms; Mean does not.",
  source: "https://pytorch.org/docs/2.13/generated/torch.sum.html",
  keywords: ["total", "add up", "count"],
  verb: "Adds up over",
  params: {},
  dtypes: NUMBERS_AND_CONDITIONS,
  result: (dtype) => (dtype === "bool" ? "int64" : dtype),
  lower: (_, x, { axes, keepdim }, b, type) => b.call("aten::sum.dim_IntList", [x, { ints: axes }, keepdim], type),
  onnx: (_, x, axes, b) => onnxReduce(b, "ReduceSum", onnxAs(b, x, x.type.dtype === "bool" ? "int64" : x.type.dtype), axes),
  torch: (_, x, dim, keepdim) => `${x}.sum(${dim}${keepdim})`,
  examples: [
    { inputs: { x: [2, 3, 4] } },
    { params: { dim: [-1, 1], keepdim: true }, inputs: { x: [2, 3, 4] } },
    { params: { dim: [] }, inputs: { x: [2, 3] } },
    { inputs: { x: { dtype: "int64", shape: [2, 5] } } },
    { inputs: { x: { dtype: "bool", shape: [2, 5] } } },
  ],
});
