import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { symmetricUniform } from "./initializers.ts";
import { countPerSample, defineLayer, float32, type InferProblem } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

/** y = x₁ᵀ W x₂ + b on the last axes: x1 [..., in1], x2 [..., in2] → y [..., out]. */
export const bilinear = defineLayer({
  type: "bilinear",
  title: "Bilinear",
  category: "linear",
  doc: "Every output is a weighted sum over all pairs of a number of the one input with a number of the other: learns how two things go together.",
  formula: "y[o] = Σ over i, j of x1[i] · W[o, i, j] · x2[j] + b[o]",
  when: "To score pairs, such as a question and an answer, by short vectors. Its weights grow with the product of both widths; Concat and Linear is lighter.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Bilinear.html",
  keywords: ["pair", "interaction", "similarity"],
  widthParam: "out_features",
  params: {
    out_features: p.int({ min: 1, default: 32, doc: "How many numbers come out." }),
    bias: p.bool({ default: true, doc: "Adds a learned number to each output." }),
  },
  inputs: { x1: { doc: "The one; the last axis holds its features." }, x2: { doc: "The other; all axes but the last as in x1." } },
  summary: ({ out_features }) => `${out_features} features`,
  infer: ({ out_features, bias }, { x1, x2 }) => {
    const widths: number[] = [];
    for (const [port, { shape }] of [["x1", x1] as const, ["x2", x2] as const]) {
      const width = shape.at(-1);
      if (shape.length < 2 || typeof width !== "number")
        return {
          problem: say("Bilinear needs [N, ..., features] with a known number of features but receives {shape} in {port}.", { shape: printShape(shape), port }),
          port,
          ...(shape.length < 2 ? {} : { hint: say("Take the mean over that axis, or move it with Permute.") }),
        };
      widths.push(width);
    }
    const apart = needEqualStarts(x1.shape, x2.shape);
    if (apart) return apart;
    const [in1 = 1, in2 = 1] = widths;
    const init = symmetricUniform(1 / Math.sqrt(in1));
    return {
      outputs: { y: float32([...x1.shape.slice(0, -1), out_features]) },
      weights: { weight: { shape: [out_features, in1, in2], init }, ...(bias ? { bias: { shape: [out_features], init } } : {}) },
    };
  },
  lower: ({ bias }, { x1, x2 }, b, { outputs: { y } }) => ({ y: b.call("aten::bilinear", [x1, x2, b.weight("weight"), bias ? b.weight("bias") : null], y ?? x1.type) }),
  onnx: ({ bias }, { x1, x2 }, b) => {
    const [product = ""] = b.node("Einsum", [x1.name, b.weight("weight"), x2.name], { equation: "...i,oij,...j->...o" });
    const [y = ""] = bias ? b.node("Add", [product, b.weight("bias")]) : [product];
    return { y };
  },
  torch: ({ out_features, bias }, { inputs: { x1, x2 } }) => ({
    module: pythonCall("nn.Bilinear", [x1.shape.at(-1) ?? 0, x2.shape.at(-1) ?? 0, out_features], { bias: [bias, true] }),
    forward: (self, { x1, x2 }) => `${self}(${x1}, ${x2})`,
  }),
  cost: ({ out_features }, { inputs: { x1, x2 } }) => ({ multiplyAdds: countPerSample(x1.shape) * Number(x2.shape.at(-1)) * out_features }),
  examples: [
    { params: { out_features: 5 }, inputs: { x1: [2, 3], x2: [2, 4] } },
    { params: { out_features: 2, bias: false }, inputs: { x1: [2, 4, 3], x2: [2, 4, 5] } },
  ],
});

function needEqualStarts(one: readonly (number | string)[], other: readonly (number | string)[]): InferProblem | null {
  if (one.length === other.length && one.slice(0, -1).every((size, i) => size === other[i])) return null;
  return {
    problem: say("Bilinear needs two inputs that differ in their last axis alone but receives {shape} and {shape2}.", {
      shape: printShape([...one]),
      shape2: printShape([...other]),
    }),
    port: "x2",
    hint: say("Bring both to the same shape, but for the features."),
  };
}
