import { defineActivation } from "./elementwise.ts";
import { p, pythonCall } from "./params.ts";

export const threshold = defineActivation({
  type: "threshold",
  title: "Threshold",
  doc: "Keeps numbers above a threshold and puts one value in place of all others.",
  formula: "y = x where x > threshold, else value",
  when: "For a ReLU that bends elsewhere than at 0. For a limit without a jump, take Clamp.",
  curve: (x) => Math.max(0, x),
  params: {
    threshold: p.float({ default: 0, step: 0.1, doc: "What a number must exceed to be kept." }),
    value: p.float({ default: 0, step: 0.1, doc: "What stands in place of the others." }),
  },
  summary: ({ threshold, value }) => `≤ ${threshold} becomes ${value}`,
  aten: ({ threshold, value }) => ["aten::threshold", threshold, value],
  onnx: ({ threshold, value }, x, b) => {
    const [isKept = ""] = b.node("Greater", [x, b.constant([threshold], [], "float32")]);
    return b.node("Where", [isKept, x, b.constant([value], [], "float32")])[0] ?? "";
  },
  torch: ({ threshold, value }) => pythonCall("nn.Threshold", [threshold, value]),
  examples: [{ threshold: -0.4, value: -1 }],
});
