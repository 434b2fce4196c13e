import { defineLayer, onnxNode } from "./kit.ts";

export const logicalNot = defineLayer({
  type: "logical_not",
  title: "Not",
  category: "math",
  doc: "Turns a condition round: true where it does not hold.",
  formula: "y = ¬x",
  when: "Use it to turn a mask of what counts into one of what does not. To turn the sign of numbers use Neg.",
  source: "https://pytorch.org/docs/2.13/generated/torch.logical_not.html",
  keywords: ["invert", "condition", "logic", "mask"],
  gradient: false,
  params: {},
  inputs: { x: { doc: "A condition.", dtype: "bool" } },
  summary: () => "",
  infer: (_, { x }) => ({ outputs: { y: x } }),
  lower: (_, { x }, b) => ({ y: b.call("aten::logical_not", [x], x.type) }),
  onnx: (_, { x }, b) => ({ y: onnxNode(b, "Not", [x.name]) }),
  torch: () => ({ forward: (_, { x }) => `~${x}` }),
  examples: [{ inputs: { x: { dtype: "bool", shape: [2, 3] } } }],
});
