import { printShape } from "../../graph/shape.ts";
import { say } from "../../language/say.ts";
import { float32, type ProgramBuilder, type Value } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { defineLoss, endInLinear, lossSource, mean, reshapeLike, valueTarget } from "./kit.ts";

export const gaussianNllLoss = defineLoss({
  name: "GaussianNLLLoss",
  title: "Gaussian likelihood",
  doc: "Predicts a number and how sure it is: the first half of the output holds the means, the second half the logarithms of the variances.",
  formula: "loss = (log v + (m − t)² / v) / 2, v = max(exp(s), eps), [m, s] = y",
  when: "When it matters how far a prediction can be trusted. The logarithm lets any number stand in the output; PyTorch's own takes the variance itself.",
  source: lossSource("GaussianNLLLoss"),
  learns: "values",
  expects: "values",
  params: {
    full: p.bool({ default: false, doc: "Adds log(2π) / 2, which changes the value but not the training." }),
    eps: p.float({ min: 0, default: 1e-6, doc: "The smallest variance." }),
  },
  curve: { of: "m − t where s = 0", at: (error) => error ** 2 / 2 },
  target(y, info) {
    const [batch = "B", width, ...rest] = y.shape;
    if (rest.length > 0 || typeof width !== "number" || width % 2 !== 0)
      return {
        problem: say("GaussianNLLLoss needs a mean and a variance for each value, [B, 2 · values], but the output is {shape}.", { shape: printShape(y.shape) }),
        ...endInLinear(2 * Number(info.type?.shape[1] ?? 1)),
      };
    const answer = valueTarget("GaussianNLLLoss", float32([batch, width / 2]), info);
    if ("target" in answer || info.type?.dtype !== "float32") return answer;
    const wanted = 2 * Number(info.type.shape[1] ?? 1);
    return {
      problem: say("GaussianNLLLoss needs twice as many outputs as there are values, [B, {wanted}], but the output is {shape}.", { wanted, shape: printShape(y.shape) }),
      ...endInLinear(wanted),
    };
  },
  lower(b, { y, target }, { full, eps }) {
    const [mean0, logVariance] = halves(b, y);
    const type = mean0.type;
    const wanted = reshapeLike(b, target, mean0);
    // Clamped as PyTorch clamps: the gradient still passes through the logarithm.
    const variance = b.call("aten::clamp_min", [b.call("aten::exp", [logVariance], type), eps], type);
    const error = b.call("aten::square", [b.call("aten::sub.Tensor", [mean0, wanted], type)], type);
    const sum = b.call("aten::add.Tensor", [b.call("aten::log", [variance], type), b.call("aten::div.Tensor", [error, variance], type)], type);
    const half = b.call("aten::mul.Scalar", [mean(b, sum), 0.5], float32([]));
    return full ? b.call("aten::add.Scalar", [half, Math.log(2 * Math.PI) / 2], float32([])) : half;
  },
  read: (b, { y }) => halves(b, y)[0],
  torch: ({ full, eps }) => `lambda y, t: nn.GaussianNLLLoss(full=${full ? "True" : "False"}, eps=${eps})(y.chunk(2, 1)[0], t, y.chunk(2, 1)[1].exp())`,
});

function halves(b: ProgramBuilder, y: Value): [mean: Value, logVariance: Value] {
  const [batch = "B", width = 2] = y.type.shape;
  const size = Number(width) / 2;
  const [first, second] = [0, size].map((start) => b.call("aten::narrow", [y, 1, start, size], float32([batch, size])));
  return [first as Value, second as Value];
}
