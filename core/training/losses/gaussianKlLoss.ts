import { printShape } from "../../graph/shape.ts";
import { say } from "../../language/say.ts";
import { float32 } from "../../layers/kit.ts";
import { defineLoss, endInLinear, mean } from "./kit.ts";

export const gaussianKlLoss = defineLoss({
  name: "GaussianKLLoss",
  title: "KL to the standard normal",
  doc: "Keeps a latent code close to the standard normal distribution: the first half of the output holds the means, the second half the logarithms of the variances, as Reparameterize takes them.",
  formula: "loss = ½ · Σ (m² + exp(s) − 1 − s), [m, s] = y, the mean over the rows",
  when: "Beside the reconstruction loss of a variational autoencoder, on an output that joins mu and logvar by Concat; its weight is the β of a β-VAE.",
  source: "https://arxiv.org/abs/1312.6114",
  learns: "any",
  expects: "values",
  params: {},
  curve: { of: "m where s = 0", at: (m) => m ** 2 / 2 },
  target(y, { type }) {
    const [batch = "B", width, ...rest] = y.shape;
    if (rest.length > 0 || typeof width !== "number" || width % 2 !== 0)
      return {
        problem: say("GaussianKLLoss needs a mean and a logarithm of a variance for each number of the code, [B, 2 · numbers], but the output is {shape}.", {
          shape: printShape(y.shape),
        }),
        ...endInLinear(typeof width === "number" ? 2 * width : 4),
      };
    return { target: type ?? { dtype: "int64", shape: [batch] } };
  },
  lower(b, { y }) {
    const [batch = "B", width = 2] = y.type.shape;
    const size = Number(width) / 2;
    const half = float32([batch, size]);
    const mu = b.call("aten::narrow", [y, 1, 0, size], half);
    const logvar = b.call("aten::narrow", [y, 1, size, size], half);
    const spread = b.call("aten::sub.Tensor", [b.call("aten::expm1", [logvar], half), logvar], half);
    const each = b.call("aten::add.Tensor", [b.call("aten::square", [mu], half), spread], half);
    const rows = b.call("aten::sum.dim_IntList", [each, { ints: [1] }], float32([batch]));
    return b.call("aten::mul.Scalar", [mean(b, rows), 0.5], float32([]));
  },
  torch: () => "lambda y, t: 0.5 * (y.chunk(2, 1)[0] ** 2 + y.chunk(2, 1)[1].expm1() - y.chunk(2, 1)[1]).sum(1).mean()",
});
