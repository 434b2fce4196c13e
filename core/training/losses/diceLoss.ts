import { float32, type Value } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { answers, answerTarget, classTarget, defineLoss, knownLike, mean, oneHotLike } from "./kit.ts";

export const diceLoss = defineLoss({
  name: "DiceLoss",
  title: "Dice",
  doc: "One minus the overlap of what was found with what is there, class by class over the whole batch. Applies softmax, or sigmoid to a single score.",
  formula: "loss = 1 − mean over classes of (2 · Σ p · t + smooth) / (Σ p + Σ t + smooth)",
  when: "For segmentation where what is looked for is small. Its gradient is rough: often added to CrossEntropyLoss.",
  source: "https://arxiv.org/abs/1606.04797",
  learns: "classes",
  expects: "logits",
  params: { smooth: p.float({ min: 0, default: 1, doc: "Keeps the share defined where a class is absent." }) },
  curve: { of: "score of one pixel, t = 1", at: (y, { smooth }) => 1 - (2 / (1 + Math.exp(-y)) + smooth) / (1 / (1 + Math.exp(-y)) + 1 + smooth) },
  target: (y, info) => (y.shape.length === 1 || y.shape[1] === 1 ? answerTarget("DiceLoss", y, info) : classTarget("DiceLoss", y, info)),
  lower(b, { y, target }, { smooth }) {
    const type = float32(y.type.shape);
    const single = y.type.shape.length === 1 || y.type.shape[1] === 1;
    const known = knownLike(b, target);
    const ofKnown = (x: Value) => (known ? b.call("aten::mul.Tensor", [x, known], type) : x);
    const shares = ofKnown(single ? b.call("aten::sigmoid", [y], type) : b.call("aten::softmax.int", [y, 1], type));
    const truth = ofKnown(single ? answers(b, y, target) : oneHotLike(b, y, target));
    const axes = type.shape.map((_, axis) => axis).filter((axis) => single || axis !== 1);
    const sumType = float32(single ? [] : [type.shape[1] ?? 1]);
    const sum = (x: Value) => b.call("aten::sum.dim_IntList", [x, { ints: axes }], sumType);
    const overlap = b.call("aten::mul.Scalar", [sum(b.call("aten::mul.Tensor", [shares, truth], type)), 2], sumType);
    const both = b.call("aten::add.Tensor", [sum(shares), sum(truth)], sumType);
    const dice = b.call("aten::div.Tensor", [b.call("aten::add.Scalar", [overlap, smooth], sumType), b.call("aten::add.Scalar", [both, smooth], sumType)], sumType);
    return b.call("aten::rsub.Scalar", [mean(b, dice), 1], float32([]));
  },
  torch: ({ smooth }) =>
    `lambda y, t: (lambda p, o, k: 1 - ((2 * (p * o * k).flatten(2).sum((0, 2)) + ${smooth}) / ((p * k).flatten(2).sum((0, 2)) + (o * k).flatten(2).sum((0, 2)) + ${smooth})).mean())(y.softmax(1).unsqueeze(-1), F.one_hot(t.clamp(min=0), y.shape[1]).movedim(-1, 1).to(y.dtype).unsqueeze(-1), (t >= 0).unsqueeze(1).unsqueeze(-1))`,
});
