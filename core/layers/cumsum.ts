import { needAxis } from "./axes.ts";
import { NUMBERS_AND_CONDITIONS, onnxAs } from "./dtypes.ts";
import { axisOf, defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const cumsum = defineLayer({
  type: "cumsum",
  title: "CumSum",
  category: "math",
  doc: "Adds up along an axis as it goes: each place holds the sum of all up to it.",
  formula: "yᵢ = x₀ + … + xᵢ",
  when: "Use it for positions among what counts, for distribution functions and running totals. For the total alone use Sum.",
  source: "https://pytorch.org/docs/2.13/generated/torch.cumsum.html",
  keywords: ["cumulative", "running total", "prefix sum"],
  params: { dim: p.int({ default: -1, doc: "The axis along which it adds up." }) },
  inputs: { x: { doc: "Any tensor; conditions count as 0 and 1.", dtype: NUMBERS_AND_CONDITIONS } },
  summary: ({ dim }) => `axis ${dim}`,
  infer: ({ dim }, { x: { dtype, shape } }) => {
    const found = needAxis("CumSum", dim, shape);
    return "problem" in found ? found : { outputs: { y: { dtype: dtype === "bool" ? "int64" : dtype, shape } } };
  },
  lower: ({ dim }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::cumsum", [x, dim], y ?? x.type) }),
  onnx: ({ dim }, { x }, b, { outputs: { y } }) => ({
    y: onnxNode(b, "CumSum", [onnxAs(b, x, y?.dtype ?? "float32"), b.constant([axisOf(dim, x.type.shape.length) ?? 0], [], "int64")]),
  }),
  torch: ({ dim }) => ({ forward: (_, { x }) => `${x}.cumsum(dim=${dim})` }),
  examples: [
    { inputs: { x: [2, 5] } },
    { params: { dim: 1 }, inputs: { x: [2, 3, 4] } },
    { inputs: { x: { dtype: "int64", shape: [2, 5] } } },
    { inputs: { x: { dtype: "bool", shape: [2, 5] } } },
  ],
});
