import type { Manifest } from "../data/manifest.ts";
import type { RunSettings } from "./settings.ts";

/**
 * Settings that train well before anybody has tuned anything. Images: AdamW at 3e-3 with one cycle brings LeNet-5 beyond
 * 98.5 % of MNIST in three epochs. Tables: small batches and many short epochs, since the tables are small.
 */
export function defaultSettings(task: Manifest["task"], rows: number): Omit<RunSettings, "datasetId"> {
  const image = task === "image-classification";
  // A table should see a few thousand steps at most, and some hundred at least.
  const batchSize = Math.max(1, Math.min(image ? 128 : rows < 2_000 ? 16 : 64, rows));
  const epochs = image ? 3 : Math.max(5, Math.min(100, Math.round((2_000 * batchSize) / Math.max(1, rows))));
  return {
    loss: task === "tabular-regression" ? "MSELoss" : "CrossEntropyLoss",
    optimizer: "AdamW",
    lr: image ? 3e-3 : 1e-2,
    weightDecay: 1e-2,
    momentum: 0.9,
    nesterov: true,
    schedule: "one-cycle",
    warmupSteps: 0,
    batchSize,
    epochs,
    seed: 0,
    device: "cpu",
    precision: "float32",
    channelsLast: false,
    gradClipNorm: 0,
    accumulate: 1,
  };
}
