import { chain } from "./sketch.ts";
import type { Template } from "./template.ts";

/** Two hidden layers of this width between the two numbers of a point and its class. */
const network = (width: number, activation: "tanh" | "relu") =>
  chain([
    ["input", "input", { shape: [2] }],
    ["fc1", "linear", { out_features: width }],
    ["act1", activation],
    ["fc2", "linear", { out_features: width }],
    ["act2", activation],
    ["fc3", "linear", { out_features: 2 }],
    ["output", "output"],
  ]);

export const playgroundMoons: Template = {
  id: "playground-moons",
  title: "Playground: moons",
  doc: "The smallest network that bends a line: two hidden layers of eight. Watch it part two half moons within seconds: 99 % of the points right.",
  task: "tabular-classification",
  datasetBuiltin: "moons",
  graph: network(8, "tanh"),
  settings: { epochs: 150 },
};

export const playgroundSpiral: Template = {
  id: "playground-spiral",
  title: "Playground: spiral",
  doc: "Wide enough to unwind two arms that wind about each other. About 99 % right in seconds; make it narrower and see where it fails.",
  task: "tabular-classification",
  datasetBuiltin: "spiral",
  graph: network(48, "tanh"),
  settings: { epochs: 150 },
};
