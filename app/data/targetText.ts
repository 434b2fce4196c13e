import { formatMetric } from "../ui/format.ts";

/** What is true of a row, in words: the name of its class, or its value; of several values the first ones. */
export function targetText(target: readonly number[], classes: readonly string[]): string {
  const word = (value: number) => (classes.length > 0 ? (classes[value] ?? String(value)) : formatMetric(value));
  const shown = target.slice(0, 4).map(word).join(", ");
  return target.length > 4 ? `${shown}, …` : shown;
}
