import type { Preprocess } from "../data/manifest.ts";
import type { Graph } from "../graph/document.ts";
import { chain, type Step } from "./sketch.ts";
import type { Template } from "./template.ts";

const CONTEXT = 56;
const HORIZON = 14;
/** Of the training days. */
const MOMENTS = { mean: [9546.47], std: [1067.04] };

export const birthsLinear: Template = {
  id: "births-linear",
  title: "Linear forecast",
  doc: "One straight line from the last eight weeks to each day of the next two. About 280 births a day off, where the last week again is 322 off; in seconds.",
  task: "forecasting",
  datasetBuiltin: "births",
  graph: drawLinearForecast(CONTEXT, HORIZON, MOMENTS),
};

export const birthsGru: Template = {
  id: "births-gru",
  title: "GRU forecast",
  doc: "Reads eight weeks day by day and forecasts the next two at once. About 256 births a day off, where the last week again is 322 off.",
  task: "forecasting",
  datasetBuiltin: "births",
  graph: chain([
    ["days", "input", { shape: [CONTEXT, 1] }],
    ["gru", "gru", { hidden_size: 64 }],
    ["last", "last_step"],
    ["fc", "linear", { out_features: HORIZON }],
    backToUnits(MOMENTS),
    ["output", "output"],
  ]),
};

/** A straight line from the whole context to each value of the horizon. */
export function drawLinearForecast(context: number, horizon: number, preprocess: Pick<Preprocess, "mean" | "std">): Graph {
  return chain([["values", "input", { shape: [context, 1] }], ["flatten", "flatten"], ["fc", "linear", { out_features: horizon }], backToUnits(preprocess), ["output", "output"]]);
}

/** The node that takes what was standardized back to the unit of the series, in which it is compared. */
function backToUnits({ mean: [mean = 0], std: [std = 1] }: Pick<Preprocess, "mean" | "std">): Step {
  const written = (value: number) => String(Number(value.toPrecision(6)));
  return ["units", "expression", { expression: `x * ${written(std)} + ${written(mean)}` }];
}
