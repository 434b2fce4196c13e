import { affineWeights } from "./initializers.ts";
import { countPerSample, defineLayer } from "./kit.ts";
import { lastAxes } from "./last_axes.ts";
import { p, pythonCall } from "./params.ts";

export const layerNorm = defineLayer({
  type: "layer_norm",
  title: "LayerNorm",
  category: "normalization",
  doc: "Brings each sample's last axes to mean 0 and variance 1, whatever the batch: usual in transformers.",
  formula: "y = (x − mean) / √(variance + eps) · weight + bias, with mean and variance over the last axes",
  when: "In transformers and recurrent networks, and with batches of any size. In convolutional networks BatchNorm trains better; RMSNorm is cheaper.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.LayerNorm.html",
  keywords: ["normalize", "transformer"],
  params: {
    axes: p.int({ min: 1, max: 7, default: 1, doc: "How many of the last axes are normalized together." }),
    eps: p.float({ min: 0, default: 1e-5, doc: "Added to the variance against division by zero." }),
    elementwise_affine: p.bool({ default: true, doc: "Learns a scale and a shift for each place." }),
    bias: p.bool({ default: true, doc: "Learns the shift; only with elementwise_affine." }),
  },
  inputs: { x: { doc: "Any tensor whose last sizes are known." } },
  summary: ({ axes }) => (axes === 1 ? "" : `last ${axes} axes`),
  infer: ({ axes, elementwise_affine, bias }, { x }) => {
    const last = lastAxes("LayerNorm", axes, x.shape);
    if ("problem" in last) return last;
    const { weight, bias: shift } = affineWeights(last.shape);
    return { outputs: { y: x }, weights: { ...(elementwise_affine ? { weight } : {}), ...(elementwise_affine && bias ? { bias: shift } : {}) } };
  },
  lower: ({ axes, eps, elementwise_affine, bias }, { x }, b) => ({
    y: b.call(
      "aten::layer_norm",
      [x, { ints: numbers(x.type.shape, axes) }, elementwise_affine ? b.weight("weight") : null, elementwise_affine && bias ? b.weight("bias") : null, eps],
      x.type,
    ),
  }),
  onnx: ({ axes, eps, elementwise_affine, bias }, { x }, b) => {
    const shape = numbers(x.type.shape, axes);
    const ones = () => b.constant(Array<number>(shape.reduce((m, n) => m * n, 1)).fill(1), shape, "float32");
    const [y = ""] = b.node("LayerNormalization", [x.name, elementwise_affine ? b.weight("weight") : ones(), elementwise_affine && bias ? b.weight("bias") : null], {
      axis: -axes,
      epsilon: { float: eps },
    });
    return { y };
  },
  torch: ({ axes, eps, elementwise_affine, bias }, { inputs: { x } }) => ({
    module: pythonCall("nn.LayerNorm", [axes === 1 ? (x.shape.at(-1) ?? 0) : `(${x.shape.slice(-axes).join(", ")})`], {
      eps: [eps, 1e-5],
      elementwise_affine: [elementwise_affine, true],
      bias: [bias, true],
    }),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  cost: (_, { inputs: { x } }) => ({ multiplyAdds: countPerSample(x.shape) }),
  examples: [
    { inputs: { x: [2, 3, 8] } },
    { params: { axes: 2, elementwise_affine: false }, inputs: { x: [2, 3, 8] } },
    { params: { bias: false, eps: 1e-3 }, inputs: { x: [2, 8] } },
  ],
});

function numbers(shape: (number | string)[], axes: number): number[] {
  return shape.slice(-axes).map(Number);
}
