import type { Task } from "../data/manifest.ts";
import { taskNamed } from "../tasks/index.ts";
import type { RunSettings } from "./settings.ts";

/** Settings that train well before anybody has tuned anything: AdamW with one cycle, and what the task's own recipe says. */
export function defaultSettings(task: Task, rows: number): Omit<RunSettings, "datasetId"> {
  const { loss, recipe } = taskNamed(task);
  return {
    loss,
    lossParams: {},
    extraLosses: [],
    furtherOptimizers: [],
    expressionMetrics: [],
    average: "macro",
    topK: null,
    optimizer: "AdamW",
    optimizerParams: {},
    weightDecay: 1e-2,
    schedule: "OneCycleLR",
    scheduleParams: {},
    warmupSteps: 0,
    bucketing: true,
    earlyStopping: null,
    oneBatch: false,
    seed: 0,
    device: "cpu",
    precision: "float32",
    channelsLast: false,
    gradClipNorm: 0,
    gradClipValue: 0,
    emaDecay: 0,
    accumulate: 1,
    writing: { prompt: "", tokens: 200, temperature: 0.8 },
    mixup: 0,
    ...recipe(rows),
  };
}
