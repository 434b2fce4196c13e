import { say } from "../../language/say.ts";
import type { MetricRecord } from "../records.ts";
import { areScores, predictedClass, shareOf } from "./scores.ts";

export const accuracy: MetricRecord = {
  name: "accuracy",
  title: "Accuracy",
  doc: "The share of rows whose highest score is that of the right class.",
  formula: "accuracy = right / rows",
  use: say("The first figure for classes of about equal size. Where one class is rare, look at F1."),
  isShare: true,
  reduce: "mean",
  when: "always",
  better: "higher",
  fits: areScores,
  lower: (b, { y, target }) => shareOf(b, b.call("aten::eq.Tensor", [predictedClass(b, y, target), target], { dtype: "bool", shape: target.type.shape })),
};
