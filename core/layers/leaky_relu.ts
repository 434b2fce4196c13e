import { defineActivation } from "./elementwise.ts";
import { p, pythonCall } from "./params.ts";

export const leakyRelu = defineActivation({
  type: "leaky_relu",
  title: "LeakyReLU",
  doc: "ReLU that lets a little of the negative through, so that no unit dies.",
  formula: "y = x where x > 0, else negative_slope · x",
  when: "Where ReLU leaves many units at 0, and in the discriminators of GANs. PReLU learns the slope instead.",
  curve: (x) => (x > 0 ? x : 0.01 * x),
  params: { negative_slope: p.float({ default: 0.01, step: 0.01, doc: "Slope for negative numbers." }) },
  summary: ({ negative_slope }) => `slope ${negative_slope}`,
  aten: ({ negative_slope }) => ["aten::leaky_relu", negative_slope],
  onnx: ["LeakyRelu", ({ negative_slope }) => ({ alpha: { float: negative_slope } })],
  torch: ({ negative_slope }) => pythonCall("nn.LeakyReLU", [], { negative_slope: [negative_slope, 0.01] }),
  examples: [{ negative_slope: 0.2 }],
});
