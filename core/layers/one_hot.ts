import { defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const oneHot = defineLayer({
  type: "one_hot",
  title: "OneHot",
  category: "math",
  doc: "Turns each class number into a row of zeros with a single 1, at the place of that class.",
  formula: "y[…, c] = 1 where c = x, else 0",
  when: "Use it for a handful of categories, with a Cast to float32 behind it. For many, or to learn what they have in common, use Embedding.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.functional.one_hot.html",
  keywords: ["category", "class", "dummy", "indicator"],
  gradient: false,
  params: { num_classes: p.int({ min: 1, max: 1_000_000, default: 10, doc: "How many classes there are; every number must be below it." }) },
  inputs: { x: { doc: "Class numbers, from 0.", dtype: "int64" } },
  summary: ({ num_classes }) => `${num_classes} classes`,
  infer: ({ num_classes }, { x }) => ({ outputs: { y: { dtype: "int64", shape: [...x.shape, num_classes] } } }),
  lower: ({ num_classes }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::one_hot", [x, num_classes], y ?? x.type) }),
  onnx: ({ num_classes }, { x }, b) => ({ y: onnxNode(b, "OneHot", [x.name, b.constant([num_classes], [], "int64"), b.constant([0, 1], [2], "int64")], { axis: -1 }) }),
  torch: ({ num_classes }) => ({ forward: (_, { x }) => `F.one_hot(${x}, ${num_classes})` }),
  examples: [{ inputs: { x: { dtype: "int64", shape: [2, 5] } } }, { params: { num_classes: 3 }, inputs: { x: { dtype: "int64", shape: [2] } } }],
});
