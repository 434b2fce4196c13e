import { z } from "zod";
import type { TrainSpec } from "./spec.ts";

/** What a network decides at evenly spread places of a plane of two columns. */
export const Boundary = z.strictObject({
  low: z.tuple([z.number(), z.number()]),
  high: z.tuple([z.number(), z.number()]),
  side: z.int(),
  /** Two bytes for each place, row by row upward, in base64: the class, and how sure the network is of it, 255 being certain. */
  places: z.string(),
});
export type Boundary = z.infer<typeof Boundary>;

/** Classes and their probabilities out of what a network says of a lattice: scores of each class, or the score of the second one alone. Null where one is no number. */
export function boundaryOf({ low, high, side }: NonNullable<TrainSpec["lattice"]>, rows: readonly (readonly (number | null)[])[]): Boundary | null {
  if (rows.length !== side * side) return null;
  let places = "";
  for (const row of rows) {
    const scores = row.length === 1 ? [0, row[0] ?? Number.NaN] : row.map((score) => score ?? Number.NaN);
    const most = Math.max(...scores);
    if (!Number.isFinite(most)) return null;
    const total = scores.reduce((sum, score) => sum + Math.exp(score - most), 0);
    places += String.fromCharCode(scores.indexOf(most), Math.round(255 / total));
  }
  return { low, high, side, places: btoa(places) };
}
