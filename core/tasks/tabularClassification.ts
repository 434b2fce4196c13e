import { classification } from "./classification.ts";
import { smallTabular, tabularRecipe } from "./starters.ts";
import type { TaskRecord } from "./task.ts";

export const tabularClassification: TaskRecord = {
  ...classification,
  id: "tabular-classification",
  title: "Tabular classification",
  input: "table",
  recipe: tabularRecipe,
  starter: (data) => smallTabular(data, data.classes.length),
};
