import { defineReduction, onnxReduce } from "./reduction.ts";

export const mean = defineReduction({
  type: "mean",
  title: "Mean",
  doc: "Averages over axes: pools a sequence into one vector, or sums a tensor up in one number.",
  formula: "y = (1/n) Σ x",
  when: "Use it to pool features of any length. Where padding must not count, use MaskedMean.",
  source: "https://pytorch.org/docs/2.13/generated/torch.mean.html",
  keywords: ["average", "pool"],
  verb: "Averages over",
  params: {},
  dtypes: ["float32"],
  lower: (_, x, { axes, keepdim }, b, type) => b.call("aten::mean.dim", [x, { ints: axes }, keepdim], type),
  onnx: (_, x, axes, b) => onnxReduce(b, "ReduceMean", x.name, axes),
  torch: (_, x, dim, keepdim) => `${x}.mean(${dim}${keepdim})`,
  examples: [{ inputs: { x: [2, 3, 4] } }, { params: { dim: [-1, 1], keepdim: true }, inputs: { x: [2, 3, 4] } }, { params: { dim: [] }, inputs: { x: [2, 3] } }],
});
