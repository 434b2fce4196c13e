import { chain } from "./sketch.ts";
import type { Template } from "./template.ts";

export const tabularMlp: Template = {
  id: "tabular-mlp",
  title: "Tabular MLP",
  doc: "Batch norm and two hidden layers over the columns of a table: tells three species of penguin apart from nine numbers. 98 % right or more, in seconds.",
  task: "tabular-classification",
  datasetBuiltin: "penguins",
  graph: chain([
    ["input", "input", { shape: [9] }],
    ["fc1", "linear", { out_features: 64 }],
    ["bn1", "batch_norm1d"],
    ["relu1", "relu"],
    ["fc2", "linear", { out_features: 32 }],
    ["bn2", "batch_norm1d"],
    ["relu2", "relu"],
    ["fc3", "linear", { out_features: 3 }],
    ["output", "output"],
  ]),
};
