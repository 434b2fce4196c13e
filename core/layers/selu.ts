import { defineActivation } from "./elementwise.ts";

/** Chosen so that mean 0 and variance 1 are a fixed point of a deep network. */
const ALPHA = 1.6732632423543772;
const SCALE = 1.0507009873554805;

export const selu = defineActivation({
  type: "selu",
  title: "SELU",
  doc: "ELU with constants that pull mean and variance of each layer towards 0 and 1, without any normalization layer.",
  formula: "y = 1.0507 · x where x > 0, else 1.0507 · 1.6733 · (exp(x) − 1)",
  when: "For deep networks of Linear layers alone, together with AlphaDropout. In convolutional networks, BatchNorm and ReLU do better.",
  curve: (x) => SCALE * (x > 0 ? x : ALPHA * Math.expm1(x)),
  keywords: ["self-normalizing"],
  params: {},
  aten: () => ["aten::selu"],
  onnx: ["Selu"],
  torch: () => "nn.SELU()",
});
