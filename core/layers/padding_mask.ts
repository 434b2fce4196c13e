import { defineLayer, onnxNode } from "./kit.ts";
import { lowerCounting, needSequence, onnxCounting, pythonCounting } from "./lengths.ts";

export const paddingMask = defineLayer({
  type: "padding_mask",
  title: "PaddingMask",
  category: "attention",
  doc: "Says which steps of each sequence are padding: true from the sample's length on, as MultiheadAttention's key_padding_mask wants it.",
  formula: "y[n, t] = t ≥ lengths[n]",
  when: "For attention over sequences of different lengths, so that nobody looks at padding.",
  keywords: ["mask", "lengths", "key_padding_mask", "variable length"],
  params: {},
  inputs: { x: { doc: "The sequence, for its number of steps: [N, time, …].", dtype: "any" }, lengths: { doc: "How many steps of each sample count, [N].", dtype: "int64" } },
  outputs: { y: { doc: "True where there is padding, [N, time]." } },
  gradient: false,
  summary: () => "",
  infer: (_, { x, lengths }) => needSequence("PaddingMask", x, lengths) ?? { outputs: { y: { dtype: "bool", shape: x.shape.slice(0, 2) } } },
  lower: (_, { x, lengths }, b, { outputs: { y = x.type } }) => ({ y: b.call("aten::logical_not", [lowerCounting(b, x, lengths)], y) }),
  onnx: (_, { x, lengths }, b) => ({ y: onnxNode(b, "Not", [onnxCounting(b, x, lengths)]) }),
  torch: () => ({ forward: (_, { x, lengths }) => `~(${pythonCounting(String(x), String(lengths))})` }),
  examples: [{ inputs: { x: [3, 4, 2], lengths: { dtype: "int64", shape: [3] } }, values: { lengths: [2, 4, 1] } }],
});
