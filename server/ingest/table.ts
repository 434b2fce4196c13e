import { z } from "zod";
import { say } from "../../core/language/say.ts";
import { splitRows } from "./shuffle.ts";
import { type Examples, IngestError, type Prepared } from "./source.ts";

/** Rows of a table as JSON has them. */
export const Rows = z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()])));
export type Rows = z.infer<typeof Rows>;
type Cell = string | number | null | undefined;

/** How a table becomes numbers. Columns keep the source's names and this order: numbers first, then one-hot columns as `Island=Dream`. */
export type TableSpec = {
  numeric: { column: string /** Reads a cell that is not a number by itself; null means missing. */; read?: (cell: Cell) => number | null }[];
  categorical: { column: string; values: string[] }[];
  target: { kind: "class"; column: string; values: string[] } | { kind: "number"; column: string };
  seed: number;
};

/**
 * Rows with a missing or unknown cell in a used column are left out; the rest are shuffled by the seed and split 80 to 20, within
 * each class where the target is one. Numeric columns get mean and standard deviation of the *training* rows as their
 * preprocessing; one-hot columns stay 0 or 1. The categories come once more as numbers, for an Input named `categories`.
 */
export function prepareTable(rows: Rows, spec: TableSpec): Omit<Prepared, "source" | "licence"> & { rowsLeftOut: number } {
  const complete = rows.map((row) => readRow(row, spec)).filter((example) => example !== null);
  const groups = spec.target.kind === "class" ? spec.target.values.map((_, index) => complete.filter(({ target }) => target === index)) : [complete];
  const { train, validation } = splitRows(groups, spec.seed);
  if (train.length === 0 || validation.length === 0)
    throw new IngestError("DATASET_EMPTY", say("Of {count} rows, {count2} are complete: too few to split.", { count: rows.length, count2: complete.length }));

  const columns = [...spec.numeric.map(({ column }) => column), ...spec.categorical.flatMap(({ column, values }) => values.map((value) => `${column}=${value}`))];
  const moments = columns.map((_, at) => (at < spec.numeric.length ? momentsOf(train.map(({ input }) => input[at] ?? 0)) : { mean: 0, std: 1 }));
  return {
    task: spec.target.kind === "class" ? "tabular-classification" : "tabular-regression",
    preprocess: { dtype: "float32", scale: 1, mean: moments.map(({ mean }) => mean), std: moments.map(({ std }) => std) },
    classes: spec.target.kind === "class" ? spec.target.values : [],
    columns,
    targetName: spec.target.column,
    splits: { train: examples(train, columns.length, spec), validation: examples(validation, columns.length, spec) },
    rowsLeftOut: rows.length - complete.length,
  };
}

/** `categories` are numbers of categories, counted on from column to column, so that one Embedding can tell them all apart. */
type Example = { input: number[]; categories: number[]; target: number };

function readRow(row: Rows[number], spec: TableSpec): Example | null {
  const input: number[] = [];
  for (const { column, read = readNumber } of spec.numeric) {
    const value = read(row[column]);
    if (value === null) return null;
    input.push(value);
  }
  const categories: number[] = [];
  let known = 0;
  for (const { column, values } of spec.categorical) {
    const index = values.indexOf(String(row[column]));
    if (index < 0) return null;
    categories.push(known + index);
    known += values.length;
    input.push(...values.map((_, at) => (at === index ? 1 : 0)));
  }
  const cell = row[spec.target.column];
  const target = spec.target.kind === "number" ? readNumber(cell) : spec.target.values.indexOf(String(cell));
  return target === null || (spec.target.kind === "class" && target < 0) ? null : { input, categories, target };
}

function readNumber(cell: Cell): number | null {
  return typeof cell === "number" && Number.isFinite(cell) ? cell : null;
}

function examples(rows: Example[], columnCount: number, spec: TableSpec): Examples {
  const input = { dtype: "float32" as const, shape: [rows.length, columnCount], data: Float32Array.from(rows.flatMap((row) => row.input)) };
  const categories = rows.flatMap((row) => row.categories);
  const more =
    spec.categorical.length > 0
      ? { more: { categories: { dtype: "int64" as const, shape: [rows.length, spec.categorical.length], data: BigInt64Array.from(categories, BigInt) } } }
      : {};
  const targets = rows.map(({ target }) => target);
  return spec.target.kind === "class"
    ? { input, ...more, target: { dtype: "int64", shape: [rows.length], data: BigInt64Array.from(targets, BigInt) } }
    : { input, ...more, target: { dtype: "float32", shape: [rows.length, 1], data: Float32Array.from(targets) } };
}

/** Mean and population standard deviation; a constant column is left as wide as it is. */
export function momentsOf(values: number[]): { mean: number; std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return { mean, std: std > 0 ? std : 1 };
}
