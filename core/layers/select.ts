import { say } from "../language/say.ts";
import { needAxis } from "./axes.ts";
import { axisOf, defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const select = defineLayer({
  type: "select",
  title: "Select",
  category: "shape",
  doc: "Takes one entry of an axis, and the axis goes: the last step, the class token, one channel.",
  formula: "y = x[…, index, …]",
  when: "Use it for one entry at a fixed place. For several use Slice or IndexSelect; for the last real step of padded sequences LastStep.",
  source: "https://pytorch.org/docs/2.13/generated/torch.select.html",
  keywords: ["index", "pick", "last", "first", "token", "channel"],
  params: { dim: p.int({ default: 1, doc: "The axis." }), index: p.int({ default: -1, doc: "The place along it; −1 is the last." }) },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ dim, index }) => `${index} of axis ${dim}`,
  infer: ({ dim, index }, { x: { dtype, shape } }) => {
    const found = needAxis("Select", dim, shape);
    if ("problem" in found) return found;
    const size = shape[found.axis] ?? 1;
    if (typeof size === "number" && axisOf(index, size) === null)
      return {
        problem: say("Select cannot take entry {index} of axis {dim}, which has {size}.", { index, dim, size }),
        code: "GRAPH_PARAM",
        param: "index",
        fixes: [{ kind: "set-param", label: say("Take the last"), name: "index", value: -1 }],
      };
    return { outputs: { y: { dtype, shape: shape.toSpliced(found.axis, 1) } } };
  },
  lower: ({ dim, index }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::select.int", [x, dim, index], y ?? x.type) }),
  onnx: ({ dim, index }, { x }, b) => ({ y: onnxNode(b, "Gather", [x.name, b.constant([index], [], "int64")], { axis: axisOf(dim, x.type.shape.length) ?? 0 }) }),
  torch: ({ dim, index }) => ({ forward: (_, { x }) => `${x}.select(${dim}, ${index})` }),
  examples: [{ inputs: { x: [2, 3, 4] } }, { params: { dim: -1, index: 1 }, inputs: { x: [2, 3, 4] } }, { params: { index: 2 }, inputs: { x: { dtype: "int64", shape: [2, 3] } } }],
});
