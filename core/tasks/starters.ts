import { LENGTHS_INPUT } from "../data/manifest.ts";
import type { Graph } from "../graph/document.ts";
import { type Step, sketch } from "../templates/sketch.ts";
import { atMost, type StarterData, type TaskRecord } from "./task.ts";

/** The Input that takes a data set's rows. */
export function inputStep({ splits }: StarterData): Step {
  const { input, lengths } = splits.train;
  const shape = lengths ? ["T", ...input.shape.slice(1)] : input.shape;
  return ["input", "input", { shape, ...(input.dtype === "int64" ? { dtype: "int64" } : {}) }];
}

/** The samples come in at the top, predictions leave below, and all between is yet to be drawn. */
export function endsOnly(data: StarterData): Graph {
  const s = sketch();
  s.put(inputStep(data), { column: 0, row: 0 });
  if (data.splits.train.lengths) s.put(["lengths", "input", { shape: [], dtype: "int64" }, LENGTHS_INPUT], { column: 1, row: 0 });
  s.put(["output", "output"], { column: 0, row: 4 });
  return s.graph();
}

/** A small network that trains as it stands. */
export function smallTabular(data: StarterData, outputs: number): Graph {
  const s = sketch();
  s.stack(
    [
      inputStep(data),
      ["fc1", "linear", { out_features: 64 }],
      ["relu1", "relu"],
      ["fc2", "linear", { out_features: 32 }],
      ["relu2", "relu"],
      ["fc3", "linear", { out_features: outputs }],
      ["output", "output"],
    ],
    { column: 0, row: 0 },
  );
  return s.graph();
}

/** Small batches and many short epochs: a table should see a few thousand steps at most, and some hundred at least. */
export const tabularRecipe: TaskRecord["recipe"] = (rows) => {
  const batchSize = atMost(rows < 2_000 ? 16 : 64, rows);
  return { batchSize, epochs: Math.max(5, Math.min(100, Math.round((2_000 * batchSize) / Math.max(1, rows)))), lr: 1e-2 };
};
