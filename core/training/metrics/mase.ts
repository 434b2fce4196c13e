import { say } from "../../language/say.ts";
import { float32 } from "../../layers/kit.ts";
import { l1Loss } from "../losses/l1Loss.ts";
import type { MetricRecord } from "../records.ts";
import { areValues } from "./scores.ts";

/** The metric in units of `scale`, the mean absolute error of saying of each training value what stood one season before. */
export function maseIn(scale: number): MetricRecord {
  return {
    name: "mase",
    title: "Scaled error (MASE)",
    doc: "The error as a share of what it is to say of each training value the one a season before.",
    formula: "MASE = mean |y − t| / mean |xₜ − xₜ₋ₛ| over training",
    use: say("For forecasts: below 1 is better than one step of the seasonal naive forecast, whatever the unit."),
    reduce: "mean",
    when: "validation",
    better: "lower",
    fits: areValues,
    lower: (b, values) => b.call("aten::mul.Scalar", [l1Loss.lower(b, values, {}), 1 / scale], float32([])),
  };
}

export const mase = maseIn(1);
