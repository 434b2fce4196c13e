import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineComposed, sketchBody } from "./composed.ts";
import { p } from "./params.ts";

/** y = SiLU(x W) · x V on the last axis: x [..., in] → y [..., out]. */
export const swiglu = defineComposed({
  type: "swiglu",
  title: "SwiGLU",
  category: "activation",
  doc: "Two Linear layers side by side, one of which opens and closes gates for the other by SiLU: the first half of a language model's feed-forward part.",
  formula: "y = SiLU(gate(x)) · value(x), with gate and value Linear",
  when: "In transformers, in place of Linear and GELU, with about ⅔ of their width and a Linear behind it. In small networks a plain activation does.",
  source: "https://arxiv.org/abs/2002.05202",
  keywords: ["gate", "glu", "transformer", "llama", "feed-forward", "activation"],
  widthParam: "out_features",
  params: {
    out_features: p.int({ min: 1, default: 128, doc: "How many numbers come out." }),
    bias: p.bool({ default: false, doc: "Adds a learned number to each output of both Linear layers." }),
  },
  inputs: { x: { doc: "The last axis holds the features." } },
  summary: ({ out_features }) => `${out_features} features`,
  compose: ({ out_features, bias }, { x: { shape } }) =>
    shape.length < 2 || typeof shape.at(-1) !== "number"
      ? { problem: say("SwiGLU needs [N, ..., features] with a known number of features but receives {shape}.", { shape: printShape(shape) }), port: "x" }
      : sketchBody(
          ["x"],
          {
            gate: ["linear", { out_features, bias }],
            silu: ["silu"],
            value: ["linear", { out_features, bias }, "x"],
            product: ["mul", {}, { a: "silu", b: "value" }],
          },
          { y: "product" },
        ),
  examples: [
    { params: { out_features: 5 }, inputs: { x: [2, 3] } },
    { params: { out_features: 4, bias: true }, inputs: { x: [2, 4, 3] } },
  ],
});
