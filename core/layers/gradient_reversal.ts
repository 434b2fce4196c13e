import { defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const gradientReversal = defineLayer({
  type: "gradient_reversal",
  title: "GradientReversal",
  category: "math",
  doc: "Passes its input on but turns the gradient round: what stands before it learns to spoil what comes after.",
  formula: "y = x,  ∂y/∂x = −scale",
  when: "Use it before a branch that must not be able to tell where data come from, as in domain adaptation. Begin with a small scale.",
  source: "https://arxiv.org/abs/1409.7495",
  keywords: ["adversarial", "domain adaptation", "dann", "gradient"],
  params: { scale: p.float({ min: 0.001, max: 100, step: 0.1, default: 1, doc: "How strongly the gradient is turned round." }) },
  inputs: { x: { doc: "Any tensor." } },
  summary: ({ scale }) => `× −${scale}`,
  infer: (_, { x }) => ({ outputs: { y: x } }),
  // x + scale·x without its gradient, less scale·x with it.
  lower: ({ scale }, { x }, b) => {
    const scaled = b.call("aten::mul.Scalar", [x, scale], x.type);
    return { y: b.call("aten::sub.Tensor", [b.call("aten::detach", [b.call("aten::add.Tensor", [x, scaled], x.type)], x.type), scaled], x.type) };
  },
  onnx: (_, { x }, b) => ({ y: onnxNode(b, "Identity", [x.name]) }),
  torch: ({ scale }) => ({ forward: (_, { x }) => `(${x} + ${scale} * ${x}).detach() - ${scale} * ${x}` }),
  examples: [{ inputs: { x: [2, 3] } }, { params: { scale: 0.3 }, inputs: { x: [2, 3, 4] } }],
});
