import { defineLayer } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const dropout = defineLayer({
  type: "dropout",
  title: "Dropout",
  category: "regularization",
  doc: "While training, switches off a random share of the numbers, so that no unit is relied on alone; afterwards it does nothing.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Dropout.html",
  keywords: ["overfitting", "regularize", "noise"],
  trait: "neutral",
  params: { p: p.float({ min: 0, max: 1, step: 0.05, default: 0.5, doc: "The share that is switched off." }) },
  inputs: { x: { doc: "Any tensor." } },
  summary: ({ p }) => `${Math.round(p * 1000) / 10} %`,
  infer: (_, { x }) => ({ outputs: { y: x } }),
  lower: ({ p }, { x }, b) => ({ y: b.call("aten::dropout", [x, p, { flag: "training" }], x.type) }),
  onnx: (_, { x }, b) => {
    // A downloaded model is for inference, where dropout does nothing.
    const [y = ""] = b.node("Identity", [x.name]);
    return { y };
  },
  torch: ({ p }) => ({ module: pythonCall("nn.Dropout", [], { p: [p, 0.5] }), forward: (self, { x }) => `${self}(${x})` }),
  examples: [{ inputs: { x: [4, 8] } }],
});
