import { say } from "../../language/say.ts";
import type { MetricRecord } from "../records.ts";
import { areScores, classCount, predictedClass } from "./scores.ts";

/** Beyond this, the matrix is too large to be looked at, or to be sent after each epoch. */
const MOST_CLASSES = 256;

export const confusion: MetricRecord = {
  name: "confusion",
  title: "Confusion matrix",
  doc: "How many rows of each class (down) were taken for each class (across).",
  formula: "counts[target, argmax y]",
  use: say("To see which classes are taken for each other."),
  reduce: "sum",
  when: "validation",
  fits: (types) => areScores(types) && classCount(types.y) <= MOST_CLASSES,
  lower(b, { y, target }) {
    const classes = classCount(y.type);
    const cell = b.call("aten::add.Tensor", [b.call("aten::mul.Scalar", [target, classes], target.type), predictedClass(b, y, target), 1], target.type);
    const counts = b.call("aten::bincount", [b.call("aten::flatten.using_ints", [cell], { dtype: "int64", shape: ["N"] }), null, classes * classes], {
      dtype: "int64",
      shape: [classes * classes],
    });
    return b.call("aten::reshape", [counts, { ints: [classes, classes] }], { dtype: "int64", shape: [classes, classes] });
  },
};

/** Of one class: how many rows are of it, how many were taken for it, and how many of both. */
export type ClassCounts = { actual: number; predicted: number; right: number };

export function countsByClass(counts: readonly number[], classes: number): ClassCounts[] {
  return Array.from({ length: classes }, (_, one) => ({
    actual: sum(classes, (other) => counts[one * classes + other] ?? 0),
    predicted: sum(classes, (other) => counts[other * classes + one] ?? 0),
    right: counts[one * classes + one] ?? 0,
  }));
}

function sum(count: number, of: (index: number) => number): number {
  let total = 0;
  for (let index = 0; index < count; index++) total += of(index);
  return total;
}
