import { NUMBERS } from "./dtypes.ts";
import { defineReduction, onnxReduce } from "./reduction.ts";

export const min = defineReduction({
  type: "min",
  title: "Min",
  doc: "Takes the smallest number along axes.",
  formula: "y = min(x)",
  when: "Use it to keep the nearest or the weakest. For its place use ArgMin; for the smaller of two tensors, Minimum.",
  source: "https://pytorch.org/docs/2.13/generated/torch.amin.html",
  keywords: ["smallest", "minimum", "amin"],
  verb: "Takes the smallest over",
  params: {},
  dtypes: NUMBERS,
  lower: (_, x, { axes, keepdim }, b, type) => b.call("aten::amin", [x, { ints: axes }, keepdim], type),
  onnx: (_, x, axes, b) => onnxReduce(b, "ReduceMin", x.name, axes),
  torch: (_, x, dim, keepdim) => `${x}.amin(${dim}${keepdim})`,
  examples: [
    { inputs: { x: [2, 3, 4] } },
    { params: { dim: [-1, 1], keepdim: true }, inputs: { x: [2, 3, 4] } },
    { params: { dim: [] }, inputs: { x: [2, 3] } },
    { inputs: { x: { dtype: "int64", shape: [2, 5] } } },
  ],
});
