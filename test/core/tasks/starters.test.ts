import { expect, it } from "vitest";
import type { Manifest, Task } from "../../../core/data/manifest.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import { taskNamed } from "../../../core/tasks/index.ts";
import { objectiveOf } from "../../../core/training/objective.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";

const SHAPES = [
  [1, 28, 28],
  [3, 64, 64],
  [3, 256, 256],
  [3, 50, 30],
  [1, 17, 17],
  [3, 16, 96],
];

function dataOf(task: Task, shape: number[]): Manifest {
  const input = { file: "x.npy", dtype: "uint8" as const, shape, sha256: "" };
  const target = task === "autoencoder" ? input : { file: "y.npy", dtype: "uint8" as const, shape: shape.slice(1), sha256: "" };
  const split = { rows: 100, input, target, classCounts: [] };
  return {
    task,
    preprocess: { dtype: "uint8", scale: 1 / 255, mean: [0.5], std: [0.25] },
    classes: task === "autoencoder" ? [] : ["ground", "road", "sky"],
    columns: [],
    targetName: "",
    splits: { train: split, validation: split },
    source: "",
    licence: "",
  };
}

it.each((["semantic-segmentation", "autoencoder"] as const).flatMap((task) => SHAPES.map((shape) => [task, shape] as const)))(
  "a model on pictures begins as one that trains: %s, %j",
  (task, shape) => {
    const data = dataOf(task, [...shape]);
    const graph = taskNamed(task).starter(data);
    const checked = checkGraph(graph, { ...objectiveOf(defaultSettings(task, 100)), data });
    expect(checked.problems).toEqual([]);
    const [, height, width] = shape;
    const y = checked.types.get("output")?.inputs.x;
    expect(y).toEqual({ dtype: "float32", shape: ["B", task === "autoencoder" ? shape[0] : 3, height, width] });
    // Nothing that a small machine could not hold.
    expect(checked.totals.parameters).toBeLessThan(1_500_000);
  },
);
