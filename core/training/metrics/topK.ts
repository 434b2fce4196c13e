import { say } from "../../language/say.ts";
import type { MetricRecord } from "../records.ts";
import { areScores, classCount, shareOf } from "./scores.ts";

/** With this many classes, the five best are measured without being asked for. */
const MANY_CLASSES = 20;

/** As sklearn.metrics.top_k_accuracy_score: the share of rows whose right class is among the k highest scores, of outputs with at least so many classes. */
export function topK(k: number, leastClasses = k + 1): MetricRecord {
  return {
    name: `top${k}`,
    title: `Top-${k} accuracy`,
    doc: `The share of rows whose right class is among the ${k} highest scores.`,
    formula: `top-${k} = right class among the ${k} highest / rows`,
    use: say("With {MANY_CLASSES} classes or more, some of which are hard to tell apart. With k or fewer classes it would always be 100 %, and is left out.", { MANY_CLASSES }),
    isShare: true,
    reduce: "mean",
    when: "validation",
    better: "higher",
    fits: (types) => areScores(types) && types.y.shape.length > 1 && types.y.shape[1] !== 1 && classCount(types.y) >= leastClasses,
    lower(b, { y, target }) {
      const [batch = "B", , ...rest] = y.type.shape;
      const shape = [batch, k, ...rest];
      const [, best] = b.calls(
        "aten::topk",
        [y, k, 1],
        [
          { dtype: "float32", shape },
          { dtype: "int64", shape },
        ],
      );
      if (!best) throw new Error("topk gives values and indices.");
      const wanted = b.call("aten::unsqueeze", [target, 1], { dtype: "int64", shape: [batch, 1, ...rest] });
      const hits = b.call("aten::eq.Tensor", [best, wanted], { dtype: "bool", shape });
      // At most one of the k is the right one.
      return b.call("aten::mul.Scalar", [shareOf(b, hits), k], { dtype: "float32", shape: [] });
    },
  };
}

export const top5 = topK(5, MANY_CLASSES);

/** The metric of a series called `top3`; undefined for any other name. */
export function topKNamed(name: string): MetricRecord | undefined {
  const [, k] = /^top([1-9]\d{0,3})$/.exec(name) ?? [];
  return k === undefined ? undefined : topK(Number(k));
}
