import { NUMBERS } from "./dtypes.ts";
import { defineReduction, onnxReduce } from "./reduction.ts";

export const max = defineReduction({
  type: "max",
  title: "Max",
  doc: "Takes the largest number along axes.",
  formula: "y = max(x)",
  when: "Use it to keep the strongest answer, as over time or over all classes. For its place use ArgMax; for the larger of two tensors, Maximum.",
  source: "https://pytorch.org/docs/2.13/generated/torch.amax.html",
  keywords: ["largest", "maximum", "pool", "amax"],
  verb: "Takes the largest over",
  params: {},
  dtypes: NUMBERS,
  lower: (_, x, { axes, keepdim }, b, type) => b.call("aten::amax", [x, { ints: axes }, keepdim], type),
  onnx: (_, x, axes, b) => onnxReduce(b, "ReduceMax", x.name, axes),
  torch: (_, x, dim, keepdim) => `${x}.amax(${dim}${keepdim})`,
  examples: [
    { inputs: { x: [2, 3, 4] } },
    { params: { dim: [-1, 1], keepdim: true }, inputs: { x: [2, 3, 4] } },
    { params: { dim: [] }, inputs: { x: [2, 3] } },
    { inputs: { x: { dtype: "int64", shape: [2, 5] } } },
  ],
});
