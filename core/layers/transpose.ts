import type { Shape } from "../graph/shape.ts";
import { needAxis } from "./axes.ts";
import { axisOf, defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const transpose = defineLayer({
  type: "transpose",
  title: "Transpose",
  category: "shape",
  doc: "Swaps two axes, such as steps and features.",
  formula: "y[…, j, …, i, …] = x[…, i, …, j, …]",
  when: "Use it to swap two axes. For a whole new order use Permute.",
  source: "https://pytorch.org/docs/2.13/generated/torch.transpose.html",
  keywords: ["swap", "swapaxes", "matrix", "turn", "permute"],
  params: { dim0: p.int({ default: 1, doc: "One axis." }), dim1: p.int({ default: 2, doc: "The axis it changes places with." }) },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ dim0, dim1 }) => `axes ${dim0} and ${dim1}`,
  infer: ({ dim0, dim1 }, { x: { dtype, shape } }) => {
    const first = needAxis("Transpose", dim0, shape, "dim0");
    if ("problem" in first) return first;
    const second = needAxis("Transpose", dim1, shape, "dim1");
    if ("problem" in second) return second;
    return { outputs: { y: { dtype, shape: order(dim0, dim1, shape).map((axis) => shape[axis] ?? 1) } } };
  },
  lower: ({ dim0, dim1 }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::transpose.int", [x, dim0, dim1], y ?? x.type) }),
  onnx: ({ dim0, dim1 }, { x }, b) => ({ y: onnxNode(b, "Transpose", [x.name], { perm: order(dim0, dim1, x.type.shape) }) }),
  torch: ({ dim0, dim1 }) => ({ forward: (_, { x }) => `${x}.transpose(${dim0}, ${dim1})` }),
  examples: [
    { inputs: { x: [2, 3, 4] } },
    { params: { dim0: -1, dim1: 1 }, inputs: { x: [2, 3, 4, 5] } },
    { params: { dim0: 0, dim1: 1 }, inputs: { x: { dtype: "int64", shape: [2, 3] } } },
  ],
});

function order(dim0: number, dim1: number, shape: Shape): number[] {
  const axes = shape.map((_, i) => i);
  const [first, second] = [axisOf(dim0, shape.length) ?? 0, axisOf(dim1, shape.length) ?? 0];
  return axes.with(first, second).with(second, first);
}
