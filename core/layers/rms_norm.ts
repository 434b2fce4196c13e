import { affineWeights } from "./initializers.ts";
import { countPerSample, defineLayer } from "./kit.ts";
import { lastAxes } from "./last_axes.ts";
import { p, pythonCall } from "./params.ts";

/** The step from 1 to the next float32, which PyTorch takes where `eps` is None. */
const FLOAT32_EPS = 2 ** -23;

export const rmsNorm = defineLayer({
  type: "rms_norm",
  title: "RMSNorm",
  category: "normalization",
  doc: "Divides each sample's last axes by their root mean square: LayerNorm without the mean, cheaper and as good in language models.",
  formula: "y = x / √(mean(x²) + eps) · weight, with the mean over the last axes",
  when: "In newer transformers, in place of LayerNorm. Where the mean carries no meaning but is large, LayerNorm takes it out.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.RMSNorm.html",
  keywords: ["normalize", "transformer", "llama", "root mean square"],
  params: {
    axes: p.int({ min: 1, max: 7, default: 1, doc: "How many of the last axes are normalized together." }),
    eps: p.float({ min: 0, default: FLOAT32_EPS, doc: "Added to the mean square against division by zero." }),
    elementwise_affine: p.bool({ default: true, doc: "Learns a scale for each place." }),
  },
  inputs: { x: { doc: "Any tensor whose last sizes are known." } },
  summary: ({ axes }) => (axes === 1 ? "" : `last ${axes} axes`),
  infer: ({ axes, elementwise_affine }, { x }) => {
    const last = lastAxes("RMSNorm", axes, x.shape);
    if ("problem" in last) return last;
    return { outputs: { y: x }, weights: { ...(elementwise_affine ? { weight: affineWeights(last.shape).weight } : {}) } };
  },
  lower: ({ axes, eps, elementwise_affine }, { x }, b) => ({
    y: b.call("aten::rms_norm", [x, { ints: x.type.shape.slice(-axes).map(Number) }, elementwise_affine ? b.weight("weight") : null, eps], x.type),
  }),
  onnx: ({ axes, eps, elementwise_affine }, { x }, b) => {
    const last = b.constant(x.type.shape.map((_, i) => i).slice(-axes), [axes], "int64");
    const [square = ""] = b.node("Mul", [x.name, x.name]);
    const [mean = ""] = b.node("ReduceMean", [square, last], { keepdims: 1 });
    const [steady = ""] = b.node("Add", [mean, b.constant([eps], [], "float32")]);
    const [root = ""] = b.node("Sqrt", [steady]);
    const [normal = ""] = b.node("Div", [x.name, root]);
    const [y = ""] = elementwise_affine ? b.node("Mul", [normal, b.weight("weight")]) : [normal];
    return { y };
  },
  torch: ({ axes, eps, elementwise_affine }, { inputs: { x } }) => ({
    module: pythonCall("nn.RMSNorm", [axes === 1 ? (x.shape.at(-1) ?? 0) : `(${x.shape.slice(-axes).join(", ")})`], {
      eps: [eps, FLOAT32_EPS],
      elementwise_affine: [elementwise_affine, true],
    }),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  cost: (_, { inputs: { x } }) => ({ multiplyAdds: countPerSample(x.shape) }),
  examples: [{ inputs: { x: [2, 3, 8] } }, { params: { axes: 2, elementwise_affine: false }, inputs: { x: [2, 3, 8] } }, { params: { eps: 1e-2 }, inputs: { x: [2, 8] } }],
});
