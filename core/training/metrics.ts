import type { Manifest } from "../data/manifest.ts";
import { float32, type ProgramBuilder, type Value } from "../layers/kit.ts";
import { findLoss } from "./losses.ts";
import type { MetricRecord } from "./records.ts";

export const accuracy: MetricRecord = {
  name: "accuracy",
  title: "Accuracy",
  doc: "The share of rows whose highest score is that of the right class.",
  reduce: "mean",
  when: "always",
  lower(b, { y, target }) {
    const right = b.call("aten::eq.Tensor", [predictedClass(b, y, target), target], { dtype: "bool", shape: target.type.shape });
    return b.call("aten::mean", [b.call("aten::to.dtype", [right, "float32"], float32(target.type.shape))], float32([]));
  },
};

export const confusion: MetricRecord = {
  name: "confusion",
  title: "Confusion matrix",
  doc: "How many rows of each class (down) were taken for each class (across).",
  reduce: "sum",
  when: "validation",
  lower(b, { y, target }) {
    const classes = classCount(y);
    const cell = b.call("aten::add.Tensor", [b.call("aten::mul.Scalar", [target, classes], target.type), predictedClass(b, y, target), 1], target.type);
    const counts = b.call("aten::bincount", [b.call("aten::flatten.using_ints", [cell], { dtype: "int64", shape: ["N"] }), null, classes * classes], {
      dtype: "int64",
      shape: [classes * classes],
    });
    return b.call("aten::reshape", [counts, { ints: [classes, classes] }], { dtype: "int64", shape: [classes, classes] });
  },
};

const meanAbsoluteError: MetricRecord = {
  name: "mae",
  title: "Mean absolute error",
  doc: "How far predictions are off on average, in the target's own unit.",
  reduce: "mean",
  when: "always",
  lower: (b, values) => findLoss("L1Loss").lower(b, values),
};

/** The metrics of a task, in the order shown; the first is the one that a run is judged by, beside its loss. */
export function metricsFor(task: Manifest["task"]): readonly MetricRecord[] {
  return task === "tabular-regression" ? [meanAbsoluteError] : [accuracy, confusion];
}

/** How many classes scores tell apart: one score alone says yes or no. */
function classCount(y: Value): number {
  const scores = y.type.shape[1] ?? 1;
  if (typeof scores !== "number") throw new Error(`The number of classes is not known: the output is [${y.type.shape.join(", ")}].`);
  return Math.max(2, scores);
}

/** The class numbers that scores [B, classes, ...] say. One score alone means class 1 where it is above 0, the logit of one half. */
function predictedClass(b: ProgramBuilder, y: Value, target: Value): Value {
  const type = target.type;
  if (y.type.shape.length > 1 && y.type.shape[1] !== 1) return b.call("aten::argmax", [y, 1], type);
  const score = y.type.shape.length > 1 ? b.call("aten::squeeze.dim", [y, 1], float32(type.shape)) : y;
  return b.call("aten::to.dtype", [b.call("aten::gt.Scalar", [score, 0], { dtype: "bool", shape: type.shape }), "int64"], type);
}
