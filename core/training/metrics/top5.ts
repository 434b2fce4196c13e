import type { MetricRecord } from "../records.ts";
import { areScores, classCount, shareOf } from "./scores.ts";

const COUNT = 5;

export const top5: MetricRecord = {
  name: "top5",
  title: "Top-5 accuracy",
  doc: "The share of rows whose right class is among the five highest scores.",
  formula: "top-5 = right class among the 5 highest / rows",
  use: "With twenty classes or more, some of which are hard to tell apart.",
  isShare: true,
  reduce: "mean",
  when: "validation",
  better: "higher",
  fits: (types) => areScores(types) && classCount(types.y) >= 20,
  lower(b, { y, target }) {
    const [batch = "B", , ...rest] = y.type.shape;
    const shape = [batch, COUNT, ...rest];
    const [, best] = b.calls(
      "aten::topk",
      [y, COUNT, 1],
      [
        { dtype: "float32", shape },
        { dtype: "int64", shape },
      ],
    );
    if (!best) throw new Error("topk gives values and indices.");
    const wanted = b.call("aten::unsqueeze", [target, 1], { dtype: "int64", shape: [batch, 1, ...rest] });
    const hits = b.call("aten::eq.Tensor", [best, wanted], { dtype: "bool", shape });
    // At most one of the five is the right one.
    return b.call("aten::mul.Scalar", [shareOf(b, hits), COUNT], { dtype: "float32", shape: [] });
  },
};
