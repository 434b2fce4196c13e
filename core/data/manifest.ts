import { z } from "zod";

/** What stands between stored numbers and the network: `(x · scale − mean) / std`, per channel or column (axis 1). Part of every program and export. */
export const Preprocess = z.strictObject({
  /** How the array is stored. */
  dtype: z.enum(["uint8", "float32", "int64"]),
  scale: z.number(),
  mean: z.array(z.number()),
  std: z.array(z.number()),
});
export type Preprocess = z.infer<typeof Preprocess>;

const ArrayFile = z.strictObject({
  /** Storage key under the dataset's folder: `train-images.npy`. */
  file: z.string(),
  dtype: z.enum(["uint8", "float32", "int64"]),
  /** Without the sample axis. */
  shape: z.array(z.int()),
  sha256: z.string(),
});

const Split = z.strictObject({
  rows: z.int(),
  input: ArrayFile,
  target: ArrayFile,
  /** How many rows of each class, in class order; empty for regression. */ classCounts: z.array(z.int()),
});

/** One frozen version of a data set, as ingest wrote it. Tensors are memory-mappable `.npy`. */
export const Manifest = z.strictObject({
  task: z.enum(["image-classification", "tabular-classification", "tabular-regression"]),
  preprocess: Preprocess,
  /** Class names in target order; empty for regression. */
  classes: z.array(z.string()),
  /** Column names of tabular inputs, in order, one-hot columns as `island=Dream`; empty for images. */
  columns: z.array(z.string()),
  targetName: z.string(),
  splits: z.strictObject({ train: Split, validation: Split }),
  source: z.string(),
  licence: z.string(),
});
export type Manifest = z.infer<typeof Manifest>;
