import { defineActivation } from "./elementwise.ts";

export const softsign = defineActivation({
  type: "softsign",
  title: "Softsign",
  doc: "Squeezes every number between −1 and 1, more gently than Tanh.",
  formula: "y = x / (1 + |x|)",
  when: "In place of Tanh where numbers grow large, since it goes flat more slowly.",
  curve: (x) => x / (1 + Math.abs(x)),
  params: {},
  // ATen has no operator of that name; this is how PyTorch computes it.
  lower: (_, x, b) => b.call("aten::div.Tensor", [x, b.call("aten::add.Scalar", [b.call("aten::abs", [x], x.type), 1], x.type)], x.type),
  onnx: ["Softsign"],
  torch: () => "nn.Softsign()",
});
