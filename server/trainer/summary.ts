import type { Summary } from "../../core/training/evaluation.ts";
import { goodDirection } from "../../core/training/metrics/index.ts";

type Figure = NonNullable<Summary[string]>;

/** Folds more points of a metric into what is known of it; they must come after those folded before. */
export function foldPoints(figure: Figure | undefined, key: string, steps: readonly number[], values: readonly (number | null)[]): Figure {
  const direction = goodDirection(key);
  const folded: Figure = { last: null, best: null, bestStep: null, min: null, max: null, ...figure };
  values.forEach((value, at) => {
    folded.last = value;
    if (value === null) return;
    if (folded.min === null || value < folded.min) folded.min = value;
    if (folded.max === null || value > folded.max) folded.max = value;
    if (direction === null) return;
    if (folded.best === null || (direction === "higher" ? value > folded.best : value < folded.best)) {
      folded.best = value;
      folded.bestStep = steps[at] ?? null;
    }
  });
  return folded;
}

/** How good the network was at an evaluation: `score` decides, the higher the better; the loss decides between equals. */
export type Standing = { step: number; score: number; loss: number };

/** How an evaluation's values stand by the metric that the task is judged by, or by the loss; null where they are not numbers that can be compared. */
export function standingOf(step: number, values: { [name: string]: number | null | undefined }, judgedBy: string | null): Standing | null {
  const loss = values.loss ?? Number.POSITIVE_INFINITY;
  const judge = judgedBy === null ? undefined : values[judgedBy];
  if (judge === null) return null;
  const score = judge === undefined ? -loss : goodDirection(`validation/${judgedBy}`) === "lower" ? -judge : judge;
  return score === Number.NEGATIVE_INFINITY ? null : { step, score, loss };
}

/** The better of two; the earlier one where they are equal in everything, for it is the one that has a checkpoint. */
export function betterOf(known: Standing | null, next: Standing | null): Standing | null {
  if (known === null || next === null) return known ?? next;
  return next.score > known.score || (next.score === known.score && next.loss < known.loss) ? next : known;
}

/** The best of all evaluations of a run, out of its points. */
export function bestOf(series: { [key: string]: { steps: readonly number[]; values: readonly (number | null)[] } }, judgedBy: string | null): Standing | null {
  const losses = series["validation/loss"];
  const judged = judgedBy === null ? undefined : series[`validation/${judgedBy}`];
  const main = judged ?? losses;
  if (main === undefined) return null;
  const lossAt = new Map(losses?.steps.map((step, at) => [step, losses.values[at]]));
  let best: Standing | null = null;
  main.steps.forEach((step, at) => {
    best = betterOf(best, standingOf(step, { loss: lossAt.get(step), ...(judged && judgedBy !== null ? { [judgedBy]: judged.values[at] } : {}) }, judgedBy));
  });
  return best;
}
