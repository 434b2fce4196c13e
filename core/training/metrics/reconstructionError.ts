import { say } from "../../language/say.ts";
import { mseLoss } from "../losses/mseLoss.ts";
import type { MetricRecord } from "../records.ts";
import { areValues } from "./scores.ts";

export const reconstructionError: MetricRecord = {
  name: "reconstruction_error",
  title: "Reconstruction error",
  doc: "How far what was rebuilt is from what went in: the mean squared difference of their numbers, of pictures from 0 to 1.",
  formula: "error = mean (y − x)²",
  use: say("To compare autoencoders whatever their losses are. A rather high one for a single row says that the row is unlike the others."),
  reduce: "mean",
  when: "always",
  better: "lower",
  fits: areValues,
  lower: (b, values) => mseLoss.lower(b, values, {}),
};
