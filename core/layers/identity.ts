import { defineLayer } from "./kit.ts";

export const identity = defineLayer({
  type: "identity",
  title: "Identity",
  category: "shape",
  doc: "Passes its input on unchanged: a place to hold, or a bend in a wire.",
  formula: "y = x",
  when: "To keep a place for a layer to come, or to give a value a name of its own. It costs nothing.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Identity.html",
  keywords: ["pass", "reroute", "nothing"],
  trait: "neutral",
  params: {},
  inputs: { x: { doc: "Anything.", dtype: "any" } },
  summary: () => "",
  infer: (_, { x }) => ({ outputs: { y: x } }),
  lower: (_, { x }) => ({ y: x }),
  onnx: (_, { x }, b) => {
    const [y = ""] = b.node("Identity", [x.name]);
    return { y };
  },
  torch: () => ({ module: "nn.Identity()", forward: (self, { x }) => `${self}(${x})` }),
  examples: [{ inputs: { x: [2, 3] } }],
});
