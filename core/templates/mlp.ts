import { chain } from "./sketch.ts";
import type { Template } from "./template.ts";

export const mlp: Template = {
  id: "mlp",
  title: "MLP",
  doc: "Two hidden layers with ReLU and dropout. Sees an image as a bare list of numbers, and still reads 98 % of MNIST.",
  task: "image-classification",
  datasetBuiltin: "mnist",
  graph: chain([
    ["input", "input", { shape: [1, 28, 28] }],
    ["flatten", "flatten"],
    ["fc1", "linear", { out_features: 256 }],
    ["relu1", "relu"],
    ["dropout1", "dropout", { p: 0.2 }],
    ["fc2", "linear", { out_features: 128 }],
    ["relu2", "relu"],
    ["dropout2", "dropout", { p: 0.2 }],
    ["fc3", "linear", { out_features: 10 }],
    ["output", "output"],
  ]),
};
