import { float32, type Value } from "../../layers/kit.ts";
import { reshapeLike } from "../losses/kit.ts";
import type { MetricRecord } from "../records.ts";
import { areValues } from "./scores.ts";

/** What is summed, in this order. */
export const MOMENTS = { count: 0, squaredError: 1, target: 2, squaredTarget: 3, shareError: 4 } as const;

/** Sums over all rows from which RMSE, R² and the like follow. */
export const errorMoments: MetricRecord = {
  name: "error_moments",
  title: "Sums of errors",
  doc: "Sums of errors and targets over all rows.",
  reduce: "sum",
  when: "validation",
  fits: areValues,
  lower(b, { y, target }) {
    const { type } = target;
    const error = b.call("aten::sub.Tensor", [reshapeLike(b, y, target), target], type);
    const sum = (x: Value) => b.call("aten::sum", [x], float32([]));
    const parts = [
      sum(b.call("aten::ones_like", [target], type)),
      sum(b.call("aten::square", [error], type)),
      sum(target),
      sum(b.call("aten::square", [target], type)),
      // Infinite where a target is 0: then the share is not defined.
      sum(b.call("aten::abs", [b.call("aten::div.Tensor", [error, target], type)], type)),
    ];
    return b.call("aten::stack", [parts], float32([parts.length]));
  },
};
