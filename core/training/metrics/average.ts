import { type ClassCounts, countsByClass } from "./confusion.ts";

/** How a figure of each class becomes one of them all, as scikit-learn's `average` has it. */
export const AVERAGES = ["macro", "micro", "weighted"] as const;
export type Average = (typeof AVERAGES)[number];

/** What an average does, after the figure's own sentence. */
export const AVERAGE_WORDS: { readonly [average in Average]: string } = {
  macro: "the mean over the classes, each counting the same however rare it is",
  micro: "of all rows together, so that where each row has one class it is the accuracy",
  weighted: "the mean over the classes, each counting as many times as it has rows",
};

/** Above and below the line of a class's figure, such as right and taken for it. */
export type Fraction = (one: ClassCounts) => [above: number, below: number];

/**
 * A figure of the classes that occur, in truth or in what was said, out of a confusion matrix row by row. 0 where its denominator is 0, as
 * scikit-learn has it with `zero_division=0`; null where no class occurs.
 * @see https://scikit-learn.org/stable/modules/generated/sklearn.metrics.precision_recall_fscore_support.html
 */
export function averageOf(average: Average, counts: readonly number[], classes: number, figure: Fraction): number | null {
  const present = countsByClass(counts, classes).filter(({ actual, predicted }) => actual > 0 || predicted > 0);
  const fractions = present.map(figure);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const share = ([above, below]: [number, number]) => (below === 0 ? 0 : above / below);
  if (present.length === 0) return null;
  if (average === "micro") return share([sum(fractions.map(([above]) => above)), sum(fractions.map(([, below]) => below))]);
  const weights = present.map(({ actual }) => (average === "macro" ? 1 : actual));
  return share([sum(fractions.map((fraction, at) => share(fraction) * (weights[at] ?? 0))), sum(weights)]);
}
