import { ONNX_DTYPES } from "../export/onnx-proto.ts";
import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, onnxNode } from "./kit.ts";
import { LENGTHS_PORT, lowerCounting, needSequence, onnxCounting, pythonCounting } from "./lengths.ts";

export const maskedMean = defineLayer({
  type: "masked_mean",
  title: "MaskedMean",
  category: "sequence",
  doc: "The mean over the steps of each sequence that count, whatever padding follows them.",
  formula: "y[n] = Σₜ x[n, t] / lengths[n], for t < lengths[n]",
  when: "To make one vector of a text or a signal. Where a few steps decide, AttentionPool learns which.",
  keywords: ["average", "pool", "sequence", "padding", "mask", "lengths", "bag of words"],
  params: {},
  inputs: { x: { doc: "[N, time, features]." }, lengths: LENGTHS_PORT },
  summary: () => "",
  infer: (_, { x, lengths }) => {
    if (x.shape.length !== 3)
      return needSequence("MaskedMean", x, lengths, 3) ?? { problem: say("MaskedMean needs [N, time, features] but receives {shape}.", { shape: printShape(x.shape) }) };
    return needSequence("MaskedMean", x, lengths, 3) ?? { outputs: { y: { dtype: "float32", shape: [x.shape[0] ?? "B", x.shape[2] ?? 1] } } };
  },
  lower: (_, { x, lengths }, b, { outputs: { y = x.type } }) => {
    if (!lengths) return { y: b.call("aten::mean.dim", [x, { ints: [1] }], y) };
    const counting = b.call("aten::unsqueeze", [lowerCounting(b, x, lengths), 2], { dtype: "bool", shape: [...x.type.shape.slice(0, 2), 1] });
    // Not a product: padding may hold anything, also what times 0 is no number.
    const zero = b.call("aten::zeros_like", [x], x.type);
    const total = b.call("aten::sum.dim_IntList", [b.call("aten::where.self", [counting, x, zero], x.type), { ints: [1] }], y);
    const count = b.call("aten::unsqueeze", [b.call("aten::clamp", [lengths, 1], lengths.type), 1], { dtype: "int64", shape: [x.type.shape[0] ?? 1, 1] });
    return { y: b.call("aten::div.Tensor", [total, count], y) };
  },
  onnx: (_, { x, lengths }, b) => {
    const axes = b.constant([1], [1], "int64");
    if (!lengths) return { y: onnxNode(b, "ReduceMean", [x.name, axes], { keepdims: 0 }) };
    const counting = onnxNode(b, "Unsqueeze", [onnxCounting(b, x, lengths), b.constant([2], [1], "int64")]);
    const total = onnxNode(b, "ReduceSum", [onnxNode(b, "Where", [counting, x.name, b.constant([0], [], "float32")]), axes], { keepdims: 0 });
    const count = onnxNode(b, "Cast", [onnxNode(b, "Max", [lengths.name, b.constant([1], [], "int64")])], { to: ONNX_DTYPES.float32 });
    return { y: onnxNode(b, "Div", [total, onnxNode(b, "Unsqueeze", [count, axes])]) };
  },
  torch: () => ({
    forward: (_, { x, lengths }) =>
      lengths === undefined ? `${x}.mean(1)` : `${x}.masked_fill(~(${pythonCounting(String(x), String(lengths))}).unsqueeze(2), 0).sum(1) / ${lengths}.clamp(min=1).unsqueeze(1)`,
  }),
  examples: [{ inputs: { x: [2, 4, 3] } }, { inputs: { x: [3, 4, 2], lengths: { dtype: "int64", shape: [3] } }, values: { lengths: [2, 4, 1] } }],
});
