/**
 * Probabilities from what a classifier put out for one sample. Networks are drawn with logits at the end (the loss holds the
 * softmax), but a Softmax at the end is right too: values that already are a distribution stay as they are. One lone output
 * of a two-class model is the logit of the second class. Null where a value is not finite.
 */
export function toProbabilities(output: readonly (number | null)[], classCount: number): number[] | null {
  const values: number[] = [];
  for (const value of output) {
    if (value === null || !Number.isFinite(value)) return null;
    values.push(value);
  }
  const [only] = values;
  if (values.length === 1 && classCount <= 2 && only !== undefined) {
    const second = 1 / (1 + Math.exp(-only));
    return [1 - second, second];
  }
  const sum = values.reduce((total, value) => total + value, 0);
  if (Math.abs(sum - 1) < 1e-4 && values.every((value) => value >= 0)) return values;
  const top = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - top));
  const total = powers.reduce((acc, power) => acc + power, 0);
  return powers.map((power) => power / total);
}

/** Index of the largest; -1 for none. */
export function argmax(values: readonly number[]): number {
  return values.reduce((best, value, index) => (best < 0 || value > (values[best] as number) ? index : best), -1);
}
