import type { Manifest } from "../../../core/data/manifest.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import type { RunSettings } from "../../../core/training/settings.ts";

type TaskData = { id: string; task: Manifest["task"]; rows: { train: number } };

/**
 * Settings for learning from this data set: those that were chosen for it, else what trains well. What does not depend on the
 * data (seed, device, precision) is carried over from another data set.
 */
export function settingsFor(dataset: TaskData, before: RunSettings | null): RunSettings {
  if (before?.datasetId === dataset.id) return before;
  const fresh = { datasetId: dataset.id, ...defaultSettings(dataset.task, dataset.rows.train) };
  return before ? { ...fresh, seed: before.seed, device: before.device, precision: before.precision } : fresh;
}
