import { say } from "../language/say.ts";
import { LARGEST, pythonNumber } from "./dtypes.ts";
import { onnxNode } from "./kit.ts";
import { defineMaker } from "./maker.ts";
import { p } from "./params.ts";

export const randomUniform = defineMaker({
  type: "random_uniform",
  title: "RandomUniform",
  doc: "Draws new numbers evenly between two bounds on every pass, also outside training.",
  formula: "y ~ U(low, high)",
  when: "Use it for random choices and noise within bounds. Noise around a middle is RandomNormal; numbers that learn are Parameter.",
  source: "https://pytorch.org/docs/2.13/generated/torch.rand.html",
  keywords: ["noise", "rand", "sample", "uniform"],
  random: true,
  params: {
    low: p.float({ min: -LARGEST / 2, max: LARGEST / 2, default: 0, doc: "The lower bound." }),
    high: p.float({ min: -LARGEST / 2, max: LARGEST / 2, default: 1, doc: "The upper bound, which is never drawn." }),
  },
  dtype: () => "float32",
  need: ({ low, high }) =>
    low < high ? null : { problem: say("RandomUniform needs low below high, but they are {low} and {high}.", { low, high }), code: "GRAPH_PARAM", param: "low" },
  summary: ({ low, high }) => `${low} … ${high}`,
  lower: ({ low, high }, sizes, b, type) => b.call("aten::add.Scalar", [b.call("aten::mul.Scalar", [b.call("aten::rand", [sizes, "float32"], type), high - low], type), low], type),
  onnx: ({ low, high }, sizes, b) =>
    onnxNode(b, "RandomUniformLike", [onnxNode(b, "Expand", [b.constant([0], [], "float32"), sizes])], { low: { float: low }, high: { float: high } }),
  torch: ({ low, high }, sizes, device) => `torch.rand(${sizes}${device}) * ${pythonNumber(high - low)} + ${pythonNumber(low)}`,
  examples: [
    { params: { shape: [2, 3] }, inputs: {} },
    { params: { low: -1, high: 2 }, inputs: { like: [2, 3] } },
    { params: { shape: ["B", 4] }, inputs: { like: [2, 3] } },
  ],
});
