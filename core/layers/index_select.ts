import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { needAxis } from "./axes.ts";
import { axisOf, defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const indexSelect = defineLayer({
  type: "index_select",
  title: "IndexSelect",
  category: "shape",
  doc: "Picks whole entries of an axis by a list of places, the same for every sample: chosen channels, another order.",
  formula: "y[:, k] = x[:, index[k]]  (dim = 1)",
  when: "Use it with places from Constant or Arange. Where every sample picks other places use Gather; for fixed ranges Slice.",
  source: "https://pytorch.org/docs/2.13/generated/torch.index_select.html",
  keywords: ["index", "pick", "reorder", "subset", "channels", "lookup"],
  params: { dim: p.int({ default: 1, doc: "The axis along which is picked." }) },
  inputs: { x: { doc: "Any tensor.", dtype: "any" }, index: { doc: "The places, a single row of them, from 0.", dtype: "int64" } },
  summary: ({ dim }) => `axis ${dim}`,
  infer: ({ dim }, { x: { dtype, shape }, index }) => {
    const found = needAxis("IndexSelect", dim, shape);
    if ("problem" in found) return found;
    const [count] = index.shape;
    if (count === undefined || index.shape.length !== 1)
      return {
        problem: say("IndexSelect needs a single row of places but receives {shape}.", { shape: printShape(index.shape) }),
        port: "index",
        hint: say("Where every sample has places of its own use Gather."),
      };
    return { outputs: { y: { dtype, shape: shape.with(found.axis, count) } } };
  },
  lower: ({ dim }, { x, index }, b, { outputs: { y } }) => ({ y: b.call("aten::index_select", [x, dim, index], y ?? x.type) }),
  onnx: ({ dim }, { x, index }, b) => ({ y: onnxNode(b, "Gather", [x.name, index.name], { axis: axisOf(dim, x.type.shape.length) ?? 0 }) }),
  torch: ({ dim }) => ({ forward: (_, { x, index }) => `${x}.index_select(${dim}, ${index})` }),
  examples: [{ inputs: { x: [4, 5], index: { dtype: "int64", shape: [4] } } }, { params: { dim: -1 }, inputs: { x: [2, 3, 4], index: { dtype: "int64", shape: [2] } } }],
});
