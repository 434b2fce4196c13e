import { z } from "zod";
import type { Preprocess } from "../data/manifest.ts";
import type { Graph } from "../graph/document.ts";
import type { Program } from "../program/program.ts";
import type { RowArray } from "./order.ts";

/** A network as one of its checkpoints has it, and where the rows of a data set lie on this machine. */
type Trained = {
  graph: Graph;
  preprocess: Preprocess;
  arrays: { input: RowArray; lengths: RowArray | null; more: { [input: string]: RowArray } };
  /** The checkpoint. */
  file: string;
};

/** Sends many rows through a trained network. */
export type StudyOrder = Trained & {
  rows: number[];
  batchSize: number;
  /** After so long no further batch is begun. */
  budgetMs: number;
};

/** What the network says of the first `rows` of those that were asked for: `width` numbers each, as little-endian float32 in base64. */
export const StudyAnswer = z.strictObject({ rows: z.int(), width: z.int(), outputs: z.string() });
export type StudyAnswer = z.infer<typeof StudyAnswer>;

/** Of which nodes numbers are asked, for some rows, taken as one batch. */
type Wanted = {
  rows: number[];
  /** Path of the node, with all that is inside of it; null: every node. */
  node: string | null;
  /** More than this is not handed out. */
  mostBytes: number;
};

/** Asks what nodes give. */
export type ActivationsOrder = Trained & Wanted;

/** Asks how the loss changes with each weight. `program` is the run's own, which ends in its loss; targets lie among `arrays.more`, under their input's name. */
export type GradientsOrder = Pick<Trained, "arrays" | "file"> & Wanted & { program: Program };

/** One tensor of a run, its numbers little-endian in base64. */
const NamedTensor = z.strictObject({ name: z.string(), dtype: z.enum(["float32", "int64", "bool", "uint8"]), shape: z.array(z.int()), data: z.string() });

/** `bytes` is what the tensors take; there are none where that is too much. */
export const TensorsAnswer = z.strictObject({ bytes: z.int(), tensors: z.array(NamedTensor) });
export type TensorsAnswer = z.infer<typeof TensorsAnswer>;

/** Asks what in one row speaks for an answer. */
export type ExplainOrder = Trained & {
  row: number;
  /** Which of the output's numbers is to be explained; null: the largest. */
  at: number | null;
  /** Path of the node whose maps are weighed; null: the last that still has places. */
  node: string | null;
};

/** Places of a picture, row by row: 255 speaks most for the answer, 0 not at all. */
const Heat = z.strictObject({ height: z.int(), width: z.int(), bytes: z.string() });
export type Heat = z.infer<typeof Heat>;

export const ExplainAnswer = z.strictObject({
  output: z.array(z.number().nullable()),
  at: z.int(),
  /** How much each place of the picture changes the answer: the largest gradient over its channels. Null where the network sees no picture. */
  gradient: Heat.nullable(),
  /** Grad-CAM: a node's maps, each weighed by how much it speaks for the answer. */
  maps: Heat.nullable(),
  /** Whose maps these are, and whose else there are. */
  node: z.string().nullable(),
  nodes: z.array(z.string()),
  /** How much each step (row) looks at each other (column), of every node that attends: shares of one, 255 for all. */
  attention: z.array(z.strictObject({ node: z.string(), heads: z.int(), rows: z.int(), columns: z.int(), bytes: z.string() })),
});
export type ExplainAnswer = z.infer<typeof ExplainAnswer>;
