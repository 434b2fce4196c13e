import { needAxis } from "./axes.ts";
import { NUMBERS } from "./dtypes.ts";
import { axisOf, defineLayer, onnxSizes } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const sort = defineLayer({
  type: "sort",
  title: "Sort",
  category: "math",
  doc: "Puts the numbers along an axis into order, and tells where each came from.",
  formula: "values, indices = x in order",
  when: "Use it for ranks, medians and trimmed means. For the best few alone TopK is quicker.",
  source: "https://pytorch.org/docs/2.13/generated/torch.sort.html",
  keywords: ["order", "rank", "ascending", "descending"],
  params: {
    dim: p.int({ default: -1, doc: "The axis along which they are put into order." }),
    descending: p.bool({ default: false, doc: "Largest first." }),
  },
  inputs: { x: { doc: "Any tensor of numbers.", dtype: NUMBERS } },
  outputs: { values: { doc: "The numbers in order." }, indices: { doc: "Where each came from along the axis, from 0." } },
  summary: ({ dim, descending }) => `axis ${dim}${descending ? ", descending" : ""}`,
  infer: ({ dim }, { x }) => {
    const found = needAxis("Sort", dim, x.shape);
    return "problem" in found ? found : { outputs: { values: x, indices: { dtype: "int64", shape: x.shape } } };
  },
  lower: ({ dim, descending }, { x }, b, { outputs: { values = x.type, indices = x.type } }) => {
    const [first = x, second = x] = b.calls("aten::sort", [x, dim, descending], [values, indices]);
    return { values: first, indices: second };
  },
  onnx: ({ dim, descending }, { x }, b) => {
    const axis = axisOf(dim, x.type.shape.length) ?? 0;
    const size = x.type.shape[axis] ?? 1;
    const count = onnxSizes(b, [typeof size === "number" ? size : { of: x.name, axis }]);
    const [values = "", indices = ""] = b.node("TopK", [x.name, count], { axis, largest: descending ? 1 : 0 }, 2);
    return { values, indices };
  },
  torch: ({ dim, descending }) => ({ forward: (_, { x }) => pythonCall(`${x}.sort`, [], { dim: [dim, -1], descending: [descending, false] }) }),
  examples: [{ inputs: { x: [2, 5] } }, { params: { dim: 1, descending: true }, inputs: { x: [2, 5, 3] } }, { params: { dim: 0 }, inputs: { x: [2, 3] } }],
});
