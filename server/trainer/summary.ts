import type { Summary } from "../../core/training/evaluation.ts";

type Figure = NonNullable<Summary[string]>;

/** Whether more of it is better, less of it is, or neither. Keys end in the metric's name: `validation/accuracy`. */
function directionOf(key: string): "up" | "down" | null {
  const name = key.slice(key.lastIndexOf("/") + 1);
  if (name === "accuracy") return "up";
  return name === "loss" || name === "mae" ? "down" : null;
}

/** Folds more points of a metric into what is known of it; they must come after those folded before. */
export function foldPoints(figure: Figure | undefined, key: string, steps: readonly number[], values: readonly (number | null)[]): Figure {
  const direction = directionOf(key);
  const folded: Figure = { last: null, best: null, bestStep: null, ...figure };
  values.forEach((value, at) => {
    folded.last = value;
    if (value === null || direction === null) return;
    if (folded.best === null || (direction === "up" ? value > folded.best : value < folded.best)) {
      folded.best = value;
      folded.bestStep = steps[at] ?? null;
    }
  });
  return folded;
}

/** The metric by which one checkpoint is better than another: accuracy where the task has one, else the validation loss. */
export function mainKey(keys: readonly string[]): string | null {
  return ["validation/accuracy", "validation/loss"].find((key) => keys.includes(key)) ?? null;
}
