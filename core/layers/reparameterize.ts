import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, isSameType, onnxNode } from "./kit.ts";

export const reparameterize = defineLayer({
  type: "reparameterize",
  title: "Reparameterize",
  category: "math",
  doc: "Draws from a normal distribution so that its mean and spread can learn: the middle of a variational autoencoder. Outside training it gives the mean.",
  formula: "y = mu + exp(½ logvar) · ε,  ε ~ N(0, 1);  y = mu outside training",
  when: "Use it between the encoder and the decoder of a VAE, with the KL loss beside. For plain noise use GaussianNoise.",
  source: "https://arxiv.org/abs/1312.6114",
  keywords: ["vae", "variational", "latent", "sample", "gaussian", "autoencoder"],
  params: {},
  inputs: { mu: { doc: "The means." }, logvar: { doc: "The logarithms of the variances, of the same shape." } },
  outputs: { y: { doc: "One draw for each mean; outside training the means." } },
  summary: () => "",
  infer: (_, { mu, logvar }) =>
    isSameType(mu, logvar)
      ? { outputs: { y: mu } }
      : {
          problem: say("Reparameterize needs a variance for each mean but receives {shape} and {shape2}.", { shape: printShape(mu.shape), shape2: printShape(logvar.shape) }),
          port: "logvar",
        },
  lower: (_, { mu, logvar }, b) => {
    // Outside training both factors fall away first: exp must not overflow where it is not used.
    const training = { flag: "training" as const };
    const noise = b.call("aten::mul.Scalar", [b.call("aten::randn_like", [mu], mu.type), training], mu.type);
    const half = b.call("aten::mul.Scalar", [b.call("aten::mul.Scalar", [logvar, 0.5], mu.type), training], mu.type);
    return { y: b.call("aten::add.Tensor", [mu, b.call("aten::mul.Tensor", [b.call("aten::exp", [half], mu.type), noise], mu.type)], mu.type) };
  },
  // A downloaded model is for inference.
  onnx: (_, { mu }, b) => ({ y: onnxNode(b, "Identity", [mu.name]) }),
  torch: () => ({ forward: (_, { mu, logvar }) => `${mu} + torch.exp(0.5 * ${logvar}) * torch.randn_like(${mu}) if self.training else ${mu}` }),
  examples: [{ inputs: { mu: [2, 4], logvar: [2, 4] } }],
});
