import { errorMoments } from "../training/metrics/errorMoments.ts";
import { mae } from "../training/metrics/mae.ts";
import { smallTabular, tabularRecipe } from "./starters.ts";
import type { TaskRecord } from "./task.ts";

export const tabularRegression: TaskRecord = {
  id: "tabular-regression",
  title: "Tabular regression",
  input: "table",
  learns: "values",
  loss: "MSELoss",
  metrics: [mae, errorMoments],
  judgedBy: null,
  samples: 24,
  recipe: tabularRecipe,
  starter: (data) => smallTabular(data, data.splits.train.target.shape[0] ?? 1),
};
