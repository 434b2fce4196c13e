/** How well one class is known: shares from 0 to 1, null where there is nothing to divide by. */
export type ClassScore = { index: number; rows: number; precision: number | null; recall: number | null; f1: number | null };

/** Precision, recall and F1 of each class, out of counts of true classes (rows) against predicted ones (columns). */
export function scoreClasses(counts: readonly (readonly number[])[]): ClassScore[] {
  return counts.map((row, index) => {
    const rows = row.reduce((sum, count) => sum + count, 0);
    const predicted = counts.reduce((sum, other) => sum + (other[index] ?? 0), 0);
    const right = row[index] ?? 0;
    return {
      index,
      rows,
      precision: predicted > 0 ? right / predicted : null,
      recall: rows > 0 ? right / rows : null,
      f1: rows + predicted > 0 ? (2 * right) / (rows + predicted) : null,
    };
  });
}
