import { z } from "zod";

const Value = z.number().nullable();

/** Latest and best value of each metric of a run, for lists and headlines. Lower is better for losses and errors, higher for the rest. */
export const Summary = z.record(z.string(), z.strictObject({ last: Value, best: Value, bestStep: z.int().nullable() }));
export type Summary = z.infer<typeof Summary>;

/** What the last pass over the validation rows found, as it is kept with the run and sent to browsers. */
export const Evaluation = z.strictObject({
  step: z.int(),
  epoch: z.int(),
  values: z.record(z.string(), Value),
  /** Counts by true class (row) and predicted class (column); null where the task has no classes. */
  confusion: z.array(z.array(z.number())).nullable(),
  /** Raw outputs of the network for some validation rows, and what would have been right: a class index or a number. */
  samples: z.array(z.strictObject({ row: z.int(), target: z.number(), output: z.array(Value) })),
});
export type Evaluation = z.infer<typeof Evaluation>;
