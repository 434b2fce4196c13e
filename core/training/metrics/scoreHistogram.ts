import { float32 } from "../../layers/kit.ts";
import type { MetricRecord } from "../records.ts";
import { areScores, classCount } from "./scores.ts";

/** Scores are counted from −RANGE to RANGE; what lies beyond falls into the outermost bins. */
const RANGE = 16;
const BINS = 1024;

/**
 * How many rows of each of two classes have each score. What is read from it takes rows within one bin as equal: bins are 1/32
 * wide in logits, which is at most 0.8 % in probability.
 */
export const scoreHistogram: MetricRecord = {
  name: "score_histogram",
  title: "Scores of both classes",
  doc: "How many rows of each class were given each score.",
  reduce: "sum",
  when: "validation",
  fits: (types) => areScores(types) && types.y.shape.length <= 2 && classCount(types.y) === 2,
  lower(b, { y, target }) {
    const rows = float32(target.type.shape);
    const whole = { ...target.type };
    const column = (index: number) => b.call("aten::select.int", [y, 1, index], rows);
    // Two scores say the logit by their difference.
    const logit = y.type.shape.length === 1 ? y : y.type.shape[1] === 1 ? column(0) : b.call("aten::sub.Tensor", [column(1), column(0)], rows);
    const scaled = b.call("aten::mul.Scalar", [b.call("aten::add.Scalar", [logit, RANGE], rows), BINS / (2 * RANGE)], rows);
    const bin = b.call("aten::to.dtype", [b.call("aten::clamp", [b.call("aten::floor", [scaled], rows), 0, BINS - 1], rows), "int64"], whole);
    const cell = b.call("aten::add.Tensor", [b.call("aten::mul.Scalar", [target, BINS], whole), bin, 1], whole);
    const counts = b.call("aten::bincount", [cell, null, 2 * BINS], { dtype: "int64", shape: [2 * BINS] });
    return b.call("aten::reshape", [counts, { ints: [2, BINS] }], { dtype: "int64", shape: [2, BINS] });
  },
};
