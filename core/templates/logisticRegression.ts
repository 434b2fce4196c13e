import { chain } from "./sketch.ts";
import type { Template } from "./template.ts";

export const logisticRegression: Template = {
  id: "logistic-regression",
  title: "Logistic regression",
  doc: "One Linear layer from pixels to classes: the smallest model that learns, and the one to beat. About 92 % on MNIST.",
  task: "image-classification",
  datasetBuiltin: "mnist",
  graph: chain([
    ["input", "input", { shape: [1, 28, 28] }],
    ["flatten", "flatten"],
    ["fc", "linear", { out_features: 10 }],
    ["output", "output"],
  ]),
};
