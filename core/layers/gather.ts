import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { needAxis } from "./axes.ts";
import { axisOf, defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const gather = defineLayer({
  type: "gather",
  title: "Gather",
  category: "shape",
  doc: "Picks along an axis what a tensor of places says, with a place of its own for each number of the result.",
  formula: "y[i, j] = x[i, index[i, j]]  (dim = 1)",
  when: "Use it where every sample picks other places, as after TopK or ArgMax. Where all pick the same use IndexSelect.",
  source: "https://pytorch.org/docs/2.13/generated/torch.gather.html",
  keywords: ["index", "pick", "lookup", "take along axis"],
  params: { dim: p.int({ default: 1, doc: "The axis along which is picked." }) },
  inputs: { x: { doc: "Any tensor.", dtype: "any" }, index: { doc: "Places from 0, with as many axes as x; no axis but dim may be longer than that of x.", dtype: "int64" } },
  summary: ({ dim }) => `axis ${dim}`,
  infer: ({ dim }, { x: { dtype, shape }, index }) => {
    const found = needAxis("Gather", dim, shape);
    if ("problem" in found) return found;
    const fits = index.shape.every((size, i) => {
      const have = shape[i] ?? 1;
      return i === found.axis || size === have || (typeof size === "number" && typeof have === "number" ? size < have : size === 1);
    });
    if (index.shape.length !== shape.length || !fits)
      return {
        problem: say("Gather along axis {dim} of {shape} cannot use places {shape2}: these need as many axes, and none longer but axis {dim}.", {
          dim,
          shape: printShape(shape),
          shape2: printShape(index.shape),
        }),
        port: "index",
        fixes:
          index.shape.length === shape.length - 1
            ? [{ kind: "insert", label: say("Insert Unsqueeze of axis {dim}", { dim }), nodes: [{ type: "unsqueeze", params: { dim } }], port: "index" }]
            : [],
      };
    return { outputs: { y: { dtype, shape: index.shape } } };
  },
  lower: ({ dim }, { x, index }, b, { outputs: { y } }) => ({ y: b.call("aten::gather", [x, dim, index], y ?? x.type) }),
  onnx: ({ dim }, { x, index }, b) => ({ y: onnxNode(b, "GatherElements", [x.name, index.name], { axis: axisOf(dim, x.type.shape.length) ?? 0 }) }),
  torch: ({ dim }) => ({ forward: (_, { x, index }) => `${x}.gather(${dim}, ${index})` }),
  examples: [{ inputs: { x: [2, 5], index: { dtype: "int64", shape: [2, 3] } } }, { params: { dim: -1 }, inputs: { x: [2, 3, 4], index: { dtype: "int64", shape: [2, 2, 6] } } }],
});
