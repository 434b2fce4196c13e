import { z } from "zod";
import { Arrays } from "./arrays.ts";
import { Pictures } from "./pictures.ts";
import { Series } from "./series.ts";
import { MissingRule, TablePlan } from "./table.ts";
import { Text } from "./text.ts";

/** What a data set is for; `core/tasks` says what that means. */
export const Task = z.enum([
  "image-classification",
  "tabular-classification",
  "tabular-regression",
  "text-classification",
  "text-regression",
  "language-model",
  "forecasting",
  "semantic-segmentation",
  "autoencoder",
]);
export type Task = z.infer<typeof Task>;

/** What stands between stored numbers and the network: `(x · scale − mean) / std`, per channel or column (axis 1). Part of every program and export. */
export const Preprocess = z.strictObject({
  /** How the array is stored. */
  dtype: z.enum(["uint8", "float32", "int64"]),
  scale: z.number(),
  mean: z.array(z.number()),
  std: z.array(z.number()),
});
export type Preprocess = z.infer<typeof Preprocess>;

/** The name of the Input that is fed the lengths of a data set's sequences, where a graph has one. */
export const LENGTHS_INPUT = "lengths";

const ArrayFile = z.strictObject({
  /** Storage key under the dataset's folder: `train-images.npy`. */
  file: z.string(),
  dtype: z.enum(["uint8", "float32", "int64"]),
  /** Without the sample axis. */
  shape: z.array(z.int()),
  sha256: z.string(),
  /** Where rows are windows over the file's first axis: row r begins at entry `first + r · stride`, and is `shape[0]` entries long. Parts may share a file. */
  window: z.strictObject({ first: z.int(), stride: z.int() }).optional(),
});

const Split = z.strictObject({
  rows: z.int(),
  input: ArrayFile,
  /** Of sequences: how many steps of each row are its own; the rest of `input` is padding. int64 [rows], each ≥ 1. */
  lengths: ArrayFile.optional(),
  /** Further inputs by the name of the Input that is fed with them: int64, which preprocessing leaves whole. */
  more: z.record(z.string(), ArrayFile).optional(),
  /**
   * What is to be predicted: values (float32), or class numbers (int64; uint8 where there is one for each pixel, of which 255 says
   * that nothing is known there: loss and metrics leave such pixels out).
   */
  target: ArrayFile,
  /** Of pictures: the path that each row's file had, as a list in JSON. */
  names: z.strictObject({ file: z.string(), sha256: z.string() }).optional(),
  /** Of texts: how each row began before it was cut into tokens, as a list in JSON, for networks that read with a vocabulary of their own. */
  texts: z.strictObject({ file: z.string(), sha256: z.string() }).optional(),
  /** How many rows of each class, in class order, or pixels where each has a class; empty without classes. */ classCounts: z.array(z.int()),
});

/** What became of the gaps in a person's own table, and how it was split. */
const Table = z.strictObject({
  missing: z.array(z.strictObject({ column: z.string(), cells: z.int(), rule: MissingRule })),
  rowsLeftOut: z.int(),
  split: TablePlan.shape.split,
});

/** One frozen version of a data set, as ingest wrote it. Tensors are memory-mappable `.npy`. */
export const Manifest = z.strictObject({
  task: Task,
  preprocess: Preprocess,
  /** Class names in target order; empty for regression. */
  classes: z.array(z.string()),
  /** Column names of tabular inputs, in order, one-hot columns as `island=Dream`; empty for images. */
  columns: z.array(z.string()),
  targetName: z.string(),
  text: Text.optional(),
  table: Table.optional(),
  series: Series.optional(),
  pictures: Pictures.optional(),
  arrays: Arrays.optional(),
  /** Of rows that were read anew as a pretrained network reads: the data set that they come from, and the network. */
  readFor: z.strictObject({ datasetId: z.uuid(), networkId: z.string() }).optional(),
  splits: z.strictObject({ train: Split, validation: Split }),
  source: z.string(),
  licence: z.string(),
});
export type Manifest = z.infer<typeof Manifest>;
