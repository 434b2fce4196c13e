import { printShape } from "../graph/shape.ts";
import { axisOf, defineLayer } from "./kit.ts";
import { p } from "./params.ts";

export const softmax = defineLayer({
  type: "softmax",
  title: "Softmax",
  category: "activation",
  doc: "Turns scores into probabilities that sum to 1. CrossEntropyLoss does this itself, so do not put it before the output.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Softmax.html",
  keywords: ["probability", "activation", "attention"],
  trait: "probabilities",
  params: { dim: p.int({ default: -1, doc: "The axis that sums to 1; −1 is the last." }) },
  inputs: { x: { doc: "Scores." } },
  summary: ({ dim }) => `axis ${dim}`,
  infer: ({ dim }, { x }) =>
    axisOf(dim, x.shape.length) === null
      ? {
          problem: `Softmax has no axis ${dim} in ${printShape(x.shape)}.`,
          code: "GRAPH_PARAM",
          param: "dim",
          fixes: [{ kind: "set-param", label: "Use the last axis", name: "dim", value: -1 }],
        }
      : { outputs: { y: x } },
  lower: ({ dim }, { x }, b) => ({ y: b.call("aten::softmax.int", [x, dim], x.type) }),
  onnx: ({ dim }, { x }, b) => {
    const [y = ""] = b.node("Softmax", [x.name], { axis: dim });
    return { y };
  },
  torch: ({ dim }) => ({ module: `nn.Softmax(dim=${dim})`, forward: (self, { x }) => `${self}(${x})` }),
  examples: [{ inputs: { x: [2, 5] } }, { params: { dim: 1 }, inputs: { x: [2, 3, 4] } }],
});
