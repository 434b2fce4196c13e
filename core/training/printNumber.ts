/** A figure in three digits, for a sentence or a label; very small and very large ones by their power of ten. */
export function printNumber(value: number): string {
  return value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
