import { z } from "zod";

/** Validation rows as points of a plane: what the network's output `latent` says of them, the same rows at every evaluation. */
export const LatentMap = z.strictObject({
  rows: z.array(z.int()),
  x: z.array(z.number()),
  y: z.array(z.number()),
  /** Class of each row, where the data set has classes; an empty list elsewhere. */
  classes: z.array(z.int()),
  /** How many numbers the network keeps of a row. */
  width: z.int(),
  /** How much of their variance the plane shows; 1 for two numbers, which are the plane themselves. */
  explained: z.number(),
});
export type LatentMap = z.infer<typeof LatentMap>;

/** How many rows are drawn, where each says so many numbers: an evaluation stays some hundred kilobytes. */
export function pointCount(width: number): number {
  return Math.max(64, Math.min(1_000, Math.floor(64_000 / Math.max(1, width))));
}

/**
 * Points of a plane out of rows of numbers: two numbers as they are, one beside 0, and more by their two principal components. Components have no sign
 * of their own: the largest part of each is taken as positive, so that a map does not flip between evaluations. Null where a number is not finite.
 */
export function mapRows(rows: readonly (readonly (number | null)[])[]): Pick<LatentMap, "x" | "y" | "width" | "explained"> | null {
  const width = rows[0]?.length ?? 0;
  const finite = rows.every((row) => row.length === width && row.every((value) => value !== null && Number.isFinite(value)));
  if (width === 0 || !finite) return null;
  const table = rows as readonly (readonly number[])[];
  if (width <= 2) return { x: table.map((row) => tidy(row[0])), y: table.map((row) => tidy(row[1])), width, explained: 1 };
  const means = columns(width, (at) => table.reduce((sum, row) => sum + (row[at] ?? 0), 0) / table.length);
  const centred = table.map((row) => row.map((value, at) => value - (means[at] ?? 0)));
  const { values, vectors } = eigenpairs(covariance(centred, width));
  const order = columns(width, (at) => at).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0));
  const [first = [], second = []] = order.slice(0, 2).map((at) => pointUp(vectors.map((line) => line[at] ?? 0)));
  const total = values.reduce((sum, value) => sum + Math.max(0, value), 0);
  const shown = order.slice(0, 2).reduce((sum, at) => sum + Math.max(0, values[at] ?? 0), 0);
  return { x: centred.map((row) => tidy(dot(row, first))), y: centred.map((row) => tidy(dot(row, second))), width, explained: total > 0 ? tidy(shown / total) : 1 };
}

const columns = (count: number, of: (index: number) => number): number[] => Array.from({ length: count }, (_, index) => of(index));
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
/** As many digits as a picture can show. */
const tidy = (value: number | undefined): number => Number((value ?? 0).toPrecision(4));

function covariance(centred: readonly (readonly number[])[], width: number): number[][] {
  const matrix = columns(width, () => 0).map(() => columns(width, () => 0));
  for (const row of centred)
    for (let i = 0; i < width; i++) {
      const line = matrix[i] as number[];
      for (let j = i; j < width; j++) line[j] = (line[j] ?? 0) + (row[i] ?? 0) * (row[j] ?? 0);
    }
  const share = 1 / Math.max(1, centred.length - 1);
  for (let i = 0; i < width; i++)
    for (let j = i; j < width; j++) {
      const value = (matrix[i]?.[j] ?? 0) * share;
      (matrix[i] as number[])[j] = value;
      (matrix[j] as number[])[i] = value;
    }
  return matrix;
}

const MOST_SWEEPS = 50;

/**
 * Eigenvalues of a symmetric matrix and its eigenvectors as columns, by Jacobi's rotations.
 * @see Golub, Van Loan, Matrix computations, 4th edition, 8.5
 */
function eigenpairs(matrix: number[][]): { values: number[]; vectors: number[][] } {
  const a = matrix.map((line) => Float64Array.from(line));
  const n = a.length;
  const v = a.map((_, i) => Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  const at = (i: number, j: number): number => a[i]?.[j] ?? 0;
  const size = Math.hypot(...a.map((line) => Math.hypot(...line)));
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let off = 0;
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) off += at(i, j) ** 2;
    if (Math.sqrt(off) <= 1e-12 * size) break;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(at(p, q)) <= 1e-15 * size) continue;
        const theta = (at(q, q) - at(p, p)) / (2 * at(p, q));
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        rotate(a, v, p, q, c, t * c);
      }
  }
  return { values: a.map((line, i) => line[i] ?? 0), vectors: v.map((line) => Array.from(line)) };
}

/** a ← Jᵀ a J and v ← v J, where J turns axes p and q. */
function rotate(a: Float64Array[], v: Float64Array[], p: number, q: number, c: number, s: number): void {
  for (const line of [...a, ...v]) {
    const [x = 0, y = 0] = [line[p], line[q]];
    line[p] = c * x - s * y;
    line[q] = s * x + c * y;
  }
  const [above, below] = [a[p] as Float64Array, a[q] as Float64Array];
  for (let k = 0; k < a.length; k++) {
    const [x = 0, y = 0] = [above[k], below[k]];
    above[k] = c * x - s * y;
    below[k] = s * x + c * y;
  }
}

function pointUp(vector: number[]): number[] {
  const largest = vector.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  return largest < 0 ? vector.map((value) => -value) : vector;
}
