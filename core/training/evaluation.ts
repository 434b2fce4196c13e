import { z } from "zod";
import { Boundary } from "./boundary.ts";
import { LatentMap } from "./latentMap.ts";

const Value = z.number().nullable();

/**
 * Latest, best, lowest and highest value of each metric of a run, for lists and headlines. Lower is better for losses and errors, higher for the
 * rest. What runs of an older release kept has no lowest and highest.
 */
export const Summary = z.record(z.string(), z.strictObject({ last: Value, best: Value, bestStep: z.int().nullable(), min: Value.default(null), max: Value.default(null) }));
export type Summary = z.infer<typeof Summary>;

/** What the last pass over the validation rows found, as it is kept with the run and sent to browsers. */
export const Evaluation = z.strictObject({
  step: z.int(),
  epoch: z.int(),
  values: z.record(z.string(), Value),
  /** Counts by true class (row) and predicted class (column); null where the task has no classes. */
  confusion: z.array(z.array(z.number())).nullable(),
  /** What the network says of some validation rows, and what would have been right: one class number or value, or as many as the target has. */
  samples: z.array(
    z.strictObject({
      row: z.int(),
      target: z.array(z.number()),
      output: z.array(Value),
      /** Where a whole picture is predicted, its bytes, deflated and in base64; target and output are empty then. */
      bytes: z.string().optional(),
    }),
  ),
  /** Where validation rows lie in the middle of the network. */
  latent: LatentMap.optional(),
  /** What the network decides all over the plane, where two columns are all it sees. */
  boundary: Boundary.optional(),
});
export type Evaluation = z.infer<typeof Evaluation>;

/** An evaluation as it was kept, by this release or an older one, where a target was always one number. */
export const StoredEvaluation = z.preprocess((stored) => {
  if (typeof stored !== "object" || stored === null || !("samples" in stored) || !Array.isArray(stored.samples)) return stored;
  const upgrade = (sample: unknown) =>
    typeof sample === "object" && sample !== null && "target" in sample && typeof sample.target === "number" ? { ...sample, target: [sample.target] } : sample;
  return { ...stored, samples: stored.samples.map(upgrade) };
}, Evaluation);
