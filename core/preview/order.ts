import { z } from "zod";
import type { Preprocess } from "../data/manifest.ts";
import type { Graph } from "../graph/document.ts";
import { Picture } from "./picture.ts";

/** One row of an array of a data set. */
export type RowArray = {
  file: string;
  dtype: "uint8" | "float32" | "int64" /** Without the sample axis. */;
  shape: number[];
  window?: { first: number; stride: number } | undefined;
};

/** What the preview process is told: a drawing, a row to send through it, and what is to be seen of it. File paths are this machine's. */
export type PreviewOrder = {
  graph: Graph;
  preprocess: Preprocess;
  arrays: { input: RowArray; lengths: RowArray | null; more: { [input: string]: RowArray } };
  row: number;
  weights: { file: string | null; seed: number };
  /** Whether what is random in training is so here, with the numbers that follow from `draw`. */
  training: boolean;
  draw: number;
  /** Paths of nodes to be seen small, and of one to be seen large. */
  paths: string[];
  large: string | null;
};

/** What it answers. */
export const PreviewAnswer = z.strictObject({
  values: z.array(z.strictObject({ path: z.string(), port: z.string(), small: Picture.optional(), large: Picture.optional() })),
  /** Nodes at which the row could go no further. */
  failures: z.array(z.strictObject({ node: z.string(), message: z.string() })),
  /** How many of the drawing's weights the file had; the others are fresh. */
  weights: z.strictObject({ matched: z.int(), total: z.int() }),
  ms: z.number(),
});
export type PreviewAnswer = z.infer<typeof PreviewAnswer>;
