import { NUMBERS } from "./dtypes.ts";
import { defineReduction, onnxReduce, reduceShape } from "./reduction.ts";

export const prod = defineReduction({
  type: "prod",
  title: "Prod",
  doc: "Multiplies the numbers along axes with one another.",
  formula: "y = Π x",
  when: "Use it to combine chances of independent things. Long products vanish or overflow: add logarithms instead.",
  source: "https://pytorch.org/docs/2.13/generated/torch.prod.html",
  keywords: ["product", "multiply"],
  verb: "Multiplies over",
  params: {},
  dtypes: NUMBERS,
  // PyTorch multiplies along one axis at a time; the last goes first, so that the places of the others stay.
  lower: (_, x, { axes, keepdim }, b) =>
    axes.reduceRight((value, axis) => b.call("aten::prod.dim_int", [value, axis, keepdim], { ...x.type, shape: reduceShape(value.type.shape, { axes: [axis], keepdim }) }), x),
  onnx: (_, x, axes, b) => onnxReduce(b, "ReduceProd", x.name, axes),
  torch: (_, x, _dim, keepdim, { axes }) => axes.reduceRight((code, axis) => `${code}.prod(dim=${axis}${keepdim})`, x),
  examples: [
    { inputs: { x: [2, 3, 4] } },
    { params: { dim: [-1, 1], keepdim: true }, inputs: { x: [2, 3, 4] } },
    { params: { dim: [] }, inputs: { x: [2, 3] } },
    { inputs: { x: { dtype: "int64", shape: [2, 4] } } },
  ],
});
