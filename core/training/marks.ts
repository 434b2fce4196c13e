import { z } from "zod";

/** Something that befell a run at a step, as it is kept with the run and marked on its curves. */
export const RunMark = z.strictObject({
  step: z.int(),
  /**
   * `early-stop`: the run found that it no longer gets better. `stop`: somebody ended it and kept the best. `one-batch`: what came of one batch.
   * `knob`: a setting was changed. `pause` and `resume`: somebody let it rest, and go on. `breakpoint`: it let itself rest.
   */
  kind: z.enum(["early-stop", "stop", "one-batch", "knob", "pause", "resume", "breakpoint"]),
  text: z.string(),
});
export type RunMark = z.infer<typeof RunMark>;

/** What a network wrote after an evaluation. It is kept among a run's marks: a run that goes back to a checkpoint takes back what came after it. */
export const RunText = z.strictObject({ step: z.int(), epoch: z.int(), kind: z.literal("text"), text: z.string() });
export type RunText = z.infer<typeof RunText>;

/** What is kept with a run: marks, and what it wrote. */
export const StoredMarks = z.array(z.discriminatedUnion("kind", [RunMark, RunText]));
