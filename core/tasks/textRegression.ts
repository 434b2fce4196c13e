import { tabularRegression } from "./tabularRegression.ts";
import type { TaskRecord } from "./task.ts";
import { textRecipe, textStarter } from "./textClassification.ts";

export const textRegression: TaskRecord = {
  ...tabularRegression,
  id: "text-regression",
  title: "Text regression",
  input: "text",
  recipe: textRecipe,
  starter: (data) => textStarter(data, data.splits.train.target.shape[0] ?? 1),
};
