import type { Manifest, Task } from "../../../core/data/manifest.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import type { RunSettings } from "../../../core/training/settings.ts";

type TaskData = { id: string; task: Manifest["task"]; rows: { train: number } };

/**
 * Settings for learning from this data set: those that were chosen for it, else what trains well. What does not depend on the
 * data (seed, device, precision) is carried over from another data set. `task` is another one than the data set was made for.
 */
export function settingsFor(dataset: TaskData, before: RunSettings | null, task?: Task): RunSettings {
  if (before?.datasetId === dataset.id && (task === undefined || task === (before.task ?? dataset.task))) return before;
  const other = task !== undefined && task !== dataset.task;
  const fresh = { datasetId: dataset.id, ...(other ? { task } : {}), ...defaultSettings(task ?? dataset.task, dataset.rows.train) };
  return before ? { ...fresh, seed: before.seed, device: before.device, precision: before.precision } : fresh;
}
