import { float32 } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { answers, answerTarget, classTarget, defineLoss, knownLike, mean, oneHotLike } from "./kit.ts";

export const focalLoss = defineLoss({
  name: "FocalLoss",
  title: "Focal",
  doc: "Cross-entropy in which what is already answered well counts less, so that rare and hard cases are learned. Applies softmax, or sigmoid to a single score.",
  formula: "loss = −alpha · (1 − p)^gamma · log p, p = the share given to the right class",
  when: "When nearly everything is one easy class. With balanced classes CrossEntropyLoss does as well.",
  source: "https://arxiv.org/abs/1708.02002",
  learns: "classes",
  expects: "logits",
  params: {
    gamma: p.float({ min: 0, max: 10, step: 0.5, default: 2, doc: "How little the easy ones count; 0 is cross-entropy." }),
    alpha: p.float({
      min: 0,
      max: 1,
      step: 0.05,
      default: 1,
      doc: "For a single score: what a yes counts, while a no counts 1 − alpha; 1 leaves both as they are. With several classes a factor of all.",
    }),
  },
  curve: { of: "y[target] beside one score of 0", at: (y, { alpha, gamma }) => alpha * (1 - 1 / (1 + Math.exp(-y))) ** gamma * Math.log1p(Math.exp(-y)) },
  target: (y, info) => (y.shape.length === 1 || y.shape[1] === 1 ? answerTarget("FocalLoss", y, info) : classTarget("FocalLoss", y, info)),
  lower(b, { y, target }, { gamma, alpha }) {
    const type = float32(y.type.shape);
    if (y.type.shape.length > 1 && y.type.shape[1] !== 1) {
      const [batch = "B", , ...rest] = type.shape;
      const one = float32([batch, ...rest]);
      const hot = oneHotLike(b, y, target);
      const known = knownLike(b, target);
      // Where nothing is known the logarithm is 0, and so is the loss, as F.cross_entropy has it.
      const truth = known ? b.call("aten::mul.Tensor", [hot, known], type) : hot;
      const logRight = b.call("aten::sum.dim_IntList", [b.call("aten::mul.Tensor", [b.call("aten::log_softmax.int", [y, 1], type), truth], type), { ints: [1] }], one);
      const uncertain = b.call("aten::rsub.Scalar", [b.call("aten::exp", [logRight], one), 1], one);
      // A root has no slope at 0, which is where points are of which nothing is known.
      const miss = known && gamma < 1 ? b.call("aten::clamp_min", [uncertain, 1e-12], one) : uncertain;
      const each = b.call("aten::mul.Tensor", [b.call("aten::pow.Tensor_Scalar", [miss, gamma], one), logRight], one);
      return b.call("aten::mul.Scalar", [mean(b, each), -alpha], float32([]));
    }
    const yes = answers(b, y, target);
    // The sign turns a score into that of the right answer: p = σ(±y).
    const sign = b.call("aten::sub.Scalar", [b.call("aten::mul.Scalar", [yes, 2], type), 1], type);
    const right = b.call("aten::mul.Tensor", [y, sign], type);
    const miss = b.call("aten::sigmoid", [b.call("aten::neg", [right], type)], type);
    const each = b.call("aten::mul.Tensor", [b.call("aten::pow.Tensor_Scalar", [miss, gamma], type), b.call("aten::log_sigmoid", [right], type)], type);
    if (alpha === 1) return b.call("aten::neg", [mean(b, each)], float32([]));
    const share = b.call("aten::add.Scalar", [b.call("aten::mul.Scalar", [yes, 2 * alpha - 1], type), 1 - alpha], type);
    return b.call("aten::neg", [mean(b, b.call("aten::mul.Tensor", [share, each], type))], float32([]));
  },
  torch: ({ gamma, alpha }) => `lambda y, t: (lambda ce: (${alpha} * (1 - (-ce).exp()) ** ${gamma} * ce).mean())(F.cross_entropy(y, t, reduction="none"))`,
});
