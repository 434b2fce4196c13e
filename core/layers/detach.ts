import { defineLayer, onnxNode } from "./kit.ts";

export const detach = defineLayer({
  type: "detach",
  title: "StopGradient",
  category: "math",
  doc: "Passes its input on but lets no gradient back: what stands before it does not learn from what comes after.",
  formula: "y = x,  ∂y/∂x = 0",
  when: "Use it to freeze a branch, for teacher targets and straight-through tricks. Where gradients should turn round use GradientReversal.",
  source: "https://pytorch.org/docs/2.13/generated/torch.Tensor.detach.html",
  keywords: ["detach", "freeze", "no grad", "gradient"],
  gradient: false,
  params: {},
  inputs: { x: { doc: "Anything.", dtype: "any" } },
  summary: () => "",
  infer: (_, { x }) => ({ outputs: { y: x } }),
  lower: (_, { x }, b) => ({ y: b.call("aten::detach", [x], x.type) }),
  onnx: (_, { x }, b) => ({ y: onnxNode(b, "Identity", [x.name]) }),
  torch: () => ({ forward: (_, { x }) => `${x}.detach()` }),
  examples: [{ inputs: { x: [2, 3] } }],
});
