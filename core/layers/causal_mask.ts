import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, onnxNode } from "./kit.ts";
import { lowerSteps, onnxSteps } from "./lengths.ts";

export const causalMask = defineLayer({
  type: "causal_mask",
  title: "CausalMask",
  category: "attention",
  doc: "Says which steps lie in the future of each step: true above the diagonal, as MultiheadAttention's attn_mask wants it.",
  formula: "y[i, j] = j > i",
  when: "To combine with other masks. For plain causal attention the parameter is_causal is faster.",
  keywords: ["mask", "triu", "autoregressive", "future", "attn_mask"],
  params: {},
  inputs: { x: { doc: "The sequence, for its number of steps: [N, time, …].", dtype: "any" } },
  outputs: { y: { doc: "True where step j comes after step i, [time, time]." } },
  gradient: false,
  summary: () => "",
  infer: (_, { x: { shape } }) => {
    const [, time] = shape;
    if (time === undefined) return { problem: say("CausalMask needs [N, time, …] but receives {shape}.", { shape: printShape(shape) }), port: "x" };
    return { outputs: { y: { dtype: "bool", shape: [time, time] } } };
  },
  lower: (_, { x }, b, { outputs: { y = x.type } }) => {
    const steps = lowerSteps(b, x);
    const [time = 1] = y.shape;
    return { y: b.call("aten::gt.Tensor", [steps, b.call("aten::unsqueeze", [steps, 1], { dtype: "int64", shape: [time, 1] })], y) };
  },
  onnx: (_, { x }, b) => {
    const steps = onnxSteps(b, x);
    return { y: onnxNode(b, "Greater", [steps, onnxNode(b, "Unsqueeze", [steps, b.constant([1], [1], "int64")])]) };
  },
  torch: () => ({ forward: (_, { x }) => `torch.ones(${x}.shape[1], ${x}.shape[1], dtype=torch.bool, device=${x}.device).triu(1)` }),
  examples: [{ inputs: { x: [2, 4, 3] } }],
});
