import { chain } from "./sketch.ts";
import type { Template } from "./template.ts";

export const fuelMlp: Template = {
  id: "fuel-mlp",
  title: "Fuel economy",
  doc: "Says a number instead of a class: how many miles a car goes on a gallon, from its engine, weight, year and origin. A small network with dropout, which with some 300 cars to learn from leaves an eighth of the spread unexplained or less, in seconds.",
  task: "tabular-regression",
  datasetBuiltin: "cars",
  graph: chain([
    ["input", "input", { shape: [9] }],
    ["fc1", "linear", { out_features: 64 }],
    ["relu1", "relu"],
    ["drop", "dropout", { p: 0.1 }],
    ["fc2", "linear", { out_features: 32 }],
    ["relu2", "relu"],
    ["fc3", "linear", { out_features: 1 }],
    ["output", "output"],
  ]),
};
