import { defineLayer } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const gaussianNoise = defineLayer({
  type: "gaussian_noise",
  title: "GaussianNoise",
  category: "regularization",
  doc: "While training, adds normal noise to every number, so that the model learns to bear it; afterwards it does nothing.",
  formula: "y = x + std · e while training, with e normal of mean 0 and variance 1; y = x afterwards",
  when: "On inputs that are measured, and in denoising autoencoders. Scale the inputs first, since std is in their unit.",
  source: "https://pytorch.org/docs/2.13/generated/torch.randn_like.html",
  keywords: ["augment", "denoise", "overfitting", "regularize"],
  trait: "neutral",
  params: { std: p.float({ min: 0, step: 0.05, default: 0.1, doc: "Size of the noise: its standard deviation." }) },
  inputs: { x: { doc: "Any tensor." } },
  summary: ({ std }) => `std ${std}`,
  infer: (_, { x }) => ({ outputs: { y: x } }),
  lower: ({ std }, { x }, b) => {
    const noise = b.call("aten::mul.Scalar", [b.call("aten::randn_like", [x], x.type), std], x.type);
    return { y: b.call("aten::add.Tensor", [x, b.call("aten::mul.Scalar", [noise, { flag: "training" }], x.type)], x.type) };
  },
  onnx: (_, { x }, b) => {
    // A downloaded model is for inference, which has no noise.
    const [y = ""] = b.node("Identity", [x.name]);
    return { y };
  },
  torch: ({ std }) => ({
    module: pythonCall("GaussianNoise", [], { std: [std, 0.1] }),
    forward: (self, { x }) => `${self}(${x})`,
    helper: `class GaussianNoise(nn.Module):
    """Adds normal noise while training."""

    def __init__(self, std=0.1):
        super().__init__()
        self.std = std

    def forward(self, x):
        return x + self.std * torch.randn_like(x) if self.training else x`,
  }),
  examples: [{ inputs: { x: [4, 8] } }, { params: { std: 0.5 }, inputs: { x: [2, 3, 4] } }],
});
