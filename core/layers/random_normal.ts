import { LARGEST, pythonNumber } from "./dtypes.ts";
import { onnxNode } from "./kit.ts";
import { defineMaker } from "./maker.ts";
import { p } from "./params.ts";

export const randomNormal = defineMaker({
  type: "random_normal",
  title: "RandomNormal",
  doc: "Draws new numbers from a normal distribution on every pass, also outside training.",
  formula: "y ~ N(mean, std²)",
  when: "Use it as the noise that a generator starts from. Noise that ends with training is GaussianNoise; numbers that learn are Parameter.",
  source: "https://pytorch.org/docs/2.13/generated/torch.randn.html",
  keywords: ["noise", "gaussian", "randn", "sample", "latent", "normal"],
  random: true,
  params: {
    mean: p.float({ min: -LARGEST, max: LARGEST, default: 0, doc: "The middle of the distribution." }),
    std: p.float({ min: 0, max: LARGEST, default: 1, doc: "How far numbers lie from it." }),
  },
  dtype: () => "float32",
  summary: ({ mean, std }) => (mean === 0 && std === 1 ? "" : `${mean} ± ${std}`),
  lower: ({ mean, std }, sizes, b, type) => b.call("aten::add.Scalar", [b.call("aten::mul.Scalar", [b.call("aten::randn", [sizes, "float32"], type), std], type), mean], type),
  onnx: ({ mean, std }, sizes, b) =>
    onnxNode(b, "RandomNormalLike", [onnxNode(b, "Expand", [b.constant([0], [], "float32"), sizes])], { mean: { float: mean }, scale: { float: std } }),
  torch: ({ mean, std }, sizes, device) => `torch.randn(${sizes}${device}) * ${pythonNumber(std)} + ${pythonNumber(mean)}`,
  examples: [
    { params: { shape: [2, 3] }, inputs: {} },
    { params: { mean: 2, std: 0.5 }, inputs: { like: [2, 3] } },
    { params: { shape: ["B", 4] }, inputs: { like: [2, 3] } },
  ],
});
