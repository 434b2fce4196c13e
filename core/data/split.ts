import { z } from "zod";

/** What decides by chance alone, and the same way each time it is asked. */
const Seed = z
  .int()
  .min(1)
  .max(2 ** 32 - 1);

/**
 * How rows come into the training and the validation part, for data that can be divided in these ways: `given` as the source says, `random` by chance,
 * `stratified` by chance within each class, `time` the latest for validation, `column` as a column says of each row.
 */
export function splitIn<const How extends readonly string[]>(how: How) {
  return z.strictObject({ how: z.enum(how), validationShare: z.number().min(0.01).max(0.9), seed: Seed });
}
export type SplitPlan = { how: string; validationShare: number; seed: number };
