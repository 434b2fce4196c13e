/**
 * How much each class has to count for all of them to weigh the same over the training rows, as scikit-learn's `class_weight="balanced"` has it:
 * rows / (classes × rows of the class). A class without rows counts 1. Written with four digits, as loss parameters are.
 */
export function balancedWeights(counts: readonly number[]): string {
  const rows = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (count > 0 ? Number((rows / (counts.length * count)).toPrecision(4)) : 1)).join(", ");
}
