import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { linearWeights } from "./initializers.ts";
import { countPerSample, defineLayer, float32 } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

/** y = x Wᵀ + b on the last axis: x [..., in] → y [..., out]. */
export const linear = defineLayer({
  type: "linear",
  title: "Linear",
  category: "linear",
  doc: "Every output is a weighted sum of all inputs of the last axis: the workhorse of classifiers.",
  formula: "y = x · Wᵀ + b",
  when: "For tables, behind Flatten or pooling, and on each token of a sequence. For whole images take convolutions, which need far fewer weights.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Linear.html",
  keywords: ["dense", "fully connected", "fc", "perceptron"],
  trait: "affine",
  widthParam: "out_features",
  params: {
    out_features: p.int({ min: 1, default: 128, doc: "How many numbers come out." }),
    bias: p.bool({ default: true, doc: "Adds a learned number to each output." }),
  },
  inputs: { x: { doc: "The last axis holds the features." } },
  summary: ({ out_features }) => `${out_features} features`,
  infer: ({ out_features, bias }, { x: { shape } }) => {
    const inFeatures = shape.at(-1);
    if (shape.length < 2 || inFeatures === undefined) return { problem: say("Linear needs [N, ..., features] but receives {shape}.", { shape: printShape(shape) }), port: "x" };
    if (typeof inFeatures !== "number") {
      return {
        problem: say("Linear needs to know its number of features, but the last axis of {shape} is known only at run time.", { shape: printShape(shape) }),
        port: "x",
        hint: say("Take the mean over that axis, or move it with Permute."),
        fixes: [{ kind: "insert", label: say("Insert Mean over {inFeatures}", { inFeatures }), nodes: [{ type: "mean", params: { dim: [-1], keepdim: true } }], port: "x" }],
      };
    }
    return {
      outputs: { y: float32([...shape.slice(0, -1), out_features]) },
      weights: linearWeights([out_features, inFeatures], bias ? out_features : null),
      hints:
        // Where height and width stand before, the last axis holds channels.
        shape.length === 4 && (shape[1] !== shape[2] || shape[2] === shape[3])
          ? [
              {
                message: say("Linear works along the last axis alone, here the {inFeatures} columns of an image {shape}.", { inFeatures, shape: printShape(shape) }),
                port: "x",
                hint: say("To use the whole image at once, flatten it first."),
                fixes: [
                  { kind: "insert", label: say("Insert Flatten"), nodes: [{ type: "flatten", params: {} }], port: "x" },
                  {
                    kind: "insert",
                    label: say("Insert AdaptiveAvgPool2d and Flatten"),
                    nodes: [
                      { type: "adaptive_avg_pool2d", params: {} },
                      { type: "flatten", params: {} },
                    ],
                    port: "x",
                  },
                ],
              },
            ]
          : [],
    };
  },
  lower: ({ bias }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::linear", [x, b.weight("weight"), bias ? b.weight("bias") : null], y ?? x.type) }),
  onnx: ({ bias }, { x }, b) => {
    if (x.type.shape.length === 2) {
      const [y = ""] = b.node("Gemm", [x.name, b.weight("weight"), bias ? b.weight("bias") : null], { transB: 1 });
      return { y };
    }
    const [transposed = ""] = b.node("Transpose", [b.weight("weight")], { perm: [1, 0] });
    const [product = ""] = b.node("MatMul", [x.name, transposed]);
    const [y = ""] = bias ? b.node("Add", [product, b.weight("bias")]) : [product];
    return { y };
  },
  torch: ({ out_features, bias }, { inputs: { x } }) => ({
    module: pythonCall("nn.Linear", [x.shape.at(-1) ?? 0, out_features], { bias: [bias, true] }),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  cost: ({ out_features }, { inputs: { x } }) => ({ multiplyAdds: countPerSample(x.shape) * out_features }),
  examples: [
    { params: { out_features: 5 }, inputs: { x: [2, 3] } },
    { params: { out_features: 5, bias: false }, inputs: { x: [2, 4, 3] } },
  ],
});
