import { defineReduction, onnxReduce } from "./reduction.ts";

export const logsumexp = defineReduction({
  type: "logsumexp",
  title: "LogSumExp",
  doc: "Takes the logarithm of the sum of exponentials: a smooth maximum that does not overflow.",
  formula: "y = ln Σ eˣ",
  when: "Use it for scores of mixtures and energies. For probabilities of single scores use LogSoftmax.",
  source: "https://pytorch.org/docs/2.13/generated/torch.logsumexp.html",
  keywords: ["smooth maximum", "log", "exp", "energy"],
  verb: "Adds up over",
  params: {},
  dtypes: ["float32"],
  lower: (_, x, { axes, keepdim }, b, type) => (axes.length === 0 ? x : b.call("aten::logsumexp", [x, { ints: axes }, keepdim], type)),
  onnx: (_, x, axes, b) => onnxReduce(b, "ReduceLogSumExp", x.name, axes),
  torch: (_, x, dim, keepdim, { axes }) => (axes.length === 0 ? x : `${x}.logsumexp(${dim}${keepdim})`),
  examples: [{ inputs: { x: [2, 3, 4] } }, { params: { dim: [-1, 1], keepdim: true }, inputs: { x: [2, 3, 4] } }, { params: { dim: [] }, inputs: { x: [2, 3] } }],
});
