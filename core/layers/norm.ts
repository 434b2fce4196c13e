import { onnxNode } from "./kit.ts";
import { p } from "./params.ts";
import { defineReduction, onnxReduce } from "./reduction.ts";

const ONNX_NORMS = { "1": "ReduceL1", "2": "ReduceL2" } as const;

export const norm = defineReduction({
  type: "norm",
  title: "Norm",
  doc: "Measures the length of vectors: Euclid's, the sum of sizes, or the largest size.",
  formula: "y = (Σ |x|ᵖ)^(1/p); for inf: max |x|",
  when: "Use it for lengths and penalties. To bring vectors to length 1 use L2Normalize.",
  source: "https://pytorch.org/docs/2.13/generated/torch.linalg.vector_norm.html",
  keywords: ["length", "magnitude", "l1", "l2", "euclidean"],
  verb: "Measures over",
  params: { ord: p.choice({ options: ["1", "2", "inf"], default: "2", doc: "`1` adds up sizes, `2` is Euclid's length, `inf` takes the largest size." }) },
  dtypes: ["float32"],
  summary: ({ ord }) => `L${ord}`,
  lower: ({ ord }, x, { axes, keepdim }, b, type) =>
    ord === "inf"
      ? b.call("aten::amax", [b.call("aten::abs", [x], x.type), { ints: axes }, keepdim], type)
      : b.call("aten::linalg_vector_norm", [x, Number(ord), { ints: axes }, keepdim], type),
  onnx: ({ ord }, x, axes, b) => (ord === "inf" ? onnxReduce(b, "ReduceMax", onnxNode(b, "Abs", [x.name]), axes) : onnxReduce(b, ONNX_NORMS[ord], x.name, axes)),
  torch: ({ ord }, x, dim, keepdim) => (ord === "inf" ? `${x}.abs().amax(${dim}${keepdim})` : `torch.linalg.vector_norm(${x}, ord=${ord}, ${dim}${keepdim})`),
  examples: [
    { inputs: { x: [2, 3, 4] } },
    { params: { ord: "1", dim: [-1, 1], keepdim: true }, inputs: { x: [2, 3, 4] } },
    { params: { ord: "inf", dim: [2] }, inputs: { x: [2, 3, 4] } },
    { params: { dim: [] }, inputs: { x: [2, 3] } },
  ],
});
