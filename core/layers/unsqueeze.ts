import { needAxis } from "./axes.ts";
import { axisOf, defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const unsqueeze = defineLayer({
  type: "unsqueeze",
  title: "Unsqueeze",
  category: "shape",
  doc: "Adds an axis of size 1, so that shapes stretch to one another or a layer finds the axis it needs.",
  formula: "y.shape = [… before, 1, … after]",
  when: "Use it before arithmetic between tensors of different numbers of axes, or to give images a channel axis. Squeeze takes it away again.",
  source: "https://pytorch.org/docs/2.13/generated/torch.unsqueeze.html",
  keywords: ["add axis", "newaxis", "expand dims", "channel"],
  trait: "neutral",
  params: { dim: p.int({ default: 1, doc: "The place of the new axis; −1 is last." }) },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ dim }) => `axis ${dim}`,
  infer: ({ dim }, { x: { dtype, shape } }) => {
    const found = needAxis("Unsqueeze", dim, shape, "dim", 1);
    return "problem" in found ? found : { outputs: { y: { dtype, shape: shape.toSpliced(found.axis, 0, 1) } } };
  },
  lower: ({ dim }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::unsqueeze", [x, dim], y ?? x.type) }),
  onnx: ({ dim }, { x }, b) => ({ y: onnxNode(b, "Unsqueeze", [x.name, b.constant([axisOf(dim, x.type.shape.length + 1) ?? 0], [1], "int64")]) }),
  torch: ({ dim }) => ({ forward: (_, { x }) => `${x}.unsqueeze(${dim})` }),
  examples: [{ inputs: { x: [2, 3] } }, { params: { dim: -1 }, inputs: { x: [2, 3, 4] } }, { params: { dim: 0 }, inputs: { x: { dtype: "int64", shape: [2, 3] } } }],
});
