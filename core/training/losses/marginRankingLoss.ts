import { float32 } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { defineLoss, lossSource, MEAN, pairTarget, part, signs } from "./kit.ts";

export const marginRankingLoss = defineLoss({
  name: "MarginRankingLoss",
  title: "Margin ranking",
  doc: "Takes two scores a sample, [B, 2]: the first should be higher where the target is yes (class 1), else the second.",
  formula: "loss = max(0, −t · (a − b) + margin)",
  when: "To learn an order from comparisons of two.",
  source: lossSource("MarginRankingLoss"),
  learns: "classes",
  expects: "values",
  params: { margin: p.float({ default: 0, doc: "By how much the winner should win." }) },
  curve: { of: "a − b where t = 1", at: (ahead, { margin }) => Math.max(0, margin - ahead) },
  target: (y, info) => pairTarget("MarginRankingLoss", y, info, "two scores a sample, [B, 2]", y.shape.length === 2 && y.shape[1] === 2),
  lower(b, { y, target }, { margin }) {
    const first = part(b, y, 0);
    return b.call("aten::margin_ranking_loss", [first, part(b, y, 1), signs(b, first, target), margin, MEAN], float32([]));
  },
  read: (b, { y }) => b.call("aten::sub.Tensor", [part(b, y, 0), part(b, y, 1)], float32(y.type.shape.slice(0, 1))),
  torch: ({ margin }) => `lambda y, t: nn.MarginRankingLoss(margin=${margin})(y[:, 0], y[:, 1], 2 * t - 1)`,
});
