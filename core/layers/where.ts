import { broadcast } from "./broadcast.ts";
import { LARGEST, NUMBERS, onnxAs, promote, pythonNumber } from "./dtypes.ts";
import { defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const where = defineLayer({
  type: "where",
  title: "Where",
  category: "math",
  doc: "Picks number by number: from x where the condition holds, else from other or a plain number.",
  formula: "y = x where condition, else other",
  when: "Use it to replace what is masked, or to join two answers place by place. To run only one of two parts for the whole batch use If.",
  source: "https://pytorch.org/docs/2.13/generated/torch.where.html",
  keywords: ["select", "mask", "condition", "choose", "masked_fill", "if"],
  params: { value: p.float({ min: -LARGEST, max: LARGEST, default: 0, doc: "A plain number in the place of other, while other is not connected." }) },
  inputs: {
    condition: { doc: "True where x is taken.", dtype: "bool" },
    x: { doc: "Taken where the condition holds.", dtype: NUMBERS },
    other: { doc: "Taken elsewhere; shapes stretch to one another.", dtype: NUMBERS, optional: true },
  },
  summary: ({ value }) => (value === 0 ? "" : `else ${value}`),
  infer: ({ value }, { condition, x, other }) => {
    const values = other ? broadcast("Where", x.shape, other.shape) : x;
    if ("problem" in values) return { ...values, port: "other", fixes: [] };
    const result = broadcast("Where", values.shape, condition.shape);
    if ("problem" in result) return { ...result, port: "condition", fixes: [] };
    return { outputs: { y: { dtype: promote(x.dtype, other?.dtype ?? value), shape: result.shape } } };
  },
  lower: ({ value }, { condition, x, other }, b, { outputs: { y } }) => ({
    y: other ? b.call("aten::where.self", [condition, x, other], y ?? x.type) : b.call("aten::where.ScalarOther", [condition, x, value], y ?? x.type),
  }),
  onnx: ({ value }, { condition, x, other = value }, b, { outputs: { y } }) => {
    const dtype = y?.dtype ?? "float32";
    return { y: onnxNode(b, "Where", [condition.name, onnxAs(b, x, dtype), onnxAs(b, other, dtype)]) };
  },
  torch: ({ value }) => ({ forward: (_, { condition, x, other }) => `torch.where(${condition}, ${x}, ${other ?? pythonNumber(value)})` }),
  examples: [
    { inputs: { condition: { dtype: "bool", shape: [3] }, x: [2, 3] } },
    { inputs: { condition: { dtype: "bool", shape: [3, 1] }, x: [2, 3, 4], other: [2, 1, 4] } },
    { params: { value: -1.5 }, inputs: { condition: { dtype: "bool", shape: [3] }, x: { dtype: "int64", shape: [2, 3] } } },
    { inputs: { condition: { dtype: "bool", shape: [3] }, x: { dtype: "int64", shape: [2, 3] }, other: [2, 3] } },
    { inputs: { condition: { dtype: "bool", shape: [1, 3] }, x: [2, 3], other: [2, 3] } },
  ],
});
