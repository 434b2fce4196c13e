import { defineActivation } from "./elementwise.ts";
import { p, pythonCall } from "./params.ts";

export const softplus = defineActivation({
  type: "softplus",
  title: "Softplus",
  doc: "A smooth ReLU that never quite reaches 0: makes results positive, such as a variance.",
  formula: "y = ln(1 + exp(beta · x)) / beta, and y = x where beta · x > threshold",
  when: "Where a result must be above 0 and smooth. Between layers ReLU is cheaper.",
  curve: (x) => (x > 20 ? x : Math.log1p(Math.exp(x))),
  keywords: ["positive", "smooth"],
  params: {
    beta: p.float({ min: 1e-3, default: 1, step: 0.5, doc: "How sharply it bends; great values come near ReLU." }),
    threshold: p.float({ default: 20, doc: "Where beta · x is above it, x is passed on, so that exp stays finite." }),
  },
  summary: ({ beta }) => (beta === 1 ? "" : `beta ${beta}`),
  aten: ({ beta, threshold }) => ["aten::softplus", beta, threshold],
  onnx: ({ beta, threshold }, x, b) => {
    const [scaled = ""] = beta === 1 ? [x] : b.node("Mul", [x, b.constant([beta], [], "float32")]);
    const [soft = ""] = b.node("Softplus", [scaled]);
    const [y = ""] = beta === 1 ? [soft] : b.node("Div", [soft, b.constant([beta], [], "float32")]);
    // From 20 on the curve and the line are the same float32.
    if (threshold >= 20) return y;
    const [isLine = ""] = b.node("Greater", [scaled, b.constant([threshold], [], "float32")]);
    return b.node("Where", [isLine, x, y])[0] ?? "";
  },
  torch: ({ beta, threshold }) => pythonCall("nn.Softplus", [], { beta: [beta, 1], threshold: [threshold, 20] }),
  examples: [{ beta: 2 }, { beta: 0.5, threshold: 0.25 }],
});
