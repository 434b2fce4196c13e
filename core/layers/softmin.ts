import { defineAlongAxis } from "./along_axis.ts";

export const softmin = defineAlongAxis({
  type: "softmin",
  title: "Softmin",
  doc: "Turns costs into probabilities that sum to 1, where the lowest cost gets the most.",
  formula: "yᵢ = exp(−xᵢ) / Σⱼ exp(−xⱼ)",
  when: "To choose among distances or costs. For scores, where more is better, take Softmax.",
  keywords: ["probability", "activation", "distance"],
  trait: "probabilities",
  aten: "aten::softmax.int",
  negate: true,
  onnx: "Softmax",
});
