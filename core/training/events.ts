import { z } from "zod";
import { Broke } from "./breakpoints.ts";
import { Histogram } from "./histograms.ts";
import { Look } from "./look.ts";

/**
 * What a run says while it goes, in the order it happened; points never step backwards. The engine sends arrays of these,
 * about ten a second. JSON has no NaN: such a value is `null`.
 */
const Value = z.number().nullable();

export const RunEvent = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("started"), stepsPerEpoch: z.int(), totalSteps: z.int(), firstStep: z.int(), inEpoch: z.int(), device: z.string(), parameterCount: z.int() }),
  /** Scalars of finished steps (`step` counts optimizer steps, the first is 1). Keys: `train/loss`, `train/accuracy`, `lr`, `grad_norm`, `samples_per_second`. */
  z.strictObject({ type: z.literal("points"), key: z.string(), steps: z.array(z.int()), values: z.array(Value) }),
  /** One pass over the validation rows. `values` become points `validation/<name>` at `step`. */
  z.strictObject({
    type: z.literal("evaluated"),
    step: z.int(),
    epoch: z.int(),
    values: z.record(z.string(), Value),
    tensors: z.record(z.string(), z.strictObject({ shape: z.array(z.int()), data: z.array(z.number()) })),
    /** Raw outputs for `sampleRows`, row by row, by output name. */
    samples: z.record(z.string(), z.array(z.array(Value))),
  }),
  /** How the weights, the gradients of the epoch's last step and what the nodes gave in the evaluation are spread. */
  z.strictObject({
    type: z.literal("histograms"),
    step: z.int(),
    epoch: z.int(),
    weights: z.array(Histogram),
    gradients: z.array(Histogram),
    activations: z.array(Histogram),
  }),
  /** What the network wrote after an evaluation: the prompt and what it went on with, as token numbers. */
  z.strictObject({ type: z.literal("generated"), step: z.int(), epoch: z.int(), tokens: z.array(z.int()) }),
  /** Progress for bars and ETA. Steps and epochs done so far, how long the last evaluation took, and the most that tensors have taken on the device that trains. */
  z.strictObject({
    type: z.literal("progress"),
    step: z.int(),
    epoch: z.int(),
    elapsedMs: z.number(),
    stepsPerSecond: z.number(),
    evaluationMs: z.number().optional(),
    peakBytes: z.int().optional(),
  }),
  z.strictObject({ type: z.literal("checkpoint"), step: z.int(), epoch: z.int(), file: z.string(), sizeBytes: z.int(), sha256: z.string() }),
  /** The run ends before its last epoch, because the validation rows say that it no longer gets better. */
  z.strictObject({ type: z.literal("stopped"), step: z.int(), epoch: z.int(), bestEpoch: z.int(), message: z.string() }),
  /** The end of a run on one batch: whether the network could learn that. */
  z.strictObject({ type: z.literal("judged"), step: z.int(), learnt: z.boolean(), message: z.string() }),
  /** A knob has taken hold after this step: the next one is the first with it. `before` is what was in force, where that is one number. */
  z.strictObject({ type: z.literal("turned"), id: z.string(), step: z.int(), epoch: z.int(), before: Value, stepsPerEpoch: z.int(), totalSteps: z.int() }),
  /** A step that was looked at, node by node. */
  z.strictObject({ type: z.literal("looked"), ...Look.shape }),
  /** A Breakpoint's condition began to hold in this step, after which the run pauses, unless it was the last. */
  Broke,
  z.strictObject({ type: z.literal("log"), level: z.enum(["info", "warn"]), message: z.string() }),
]);
export type RunEvent = z.infer<typeof RunEvent>;

/**
 * Why a run ended badly. Stable codes: OP_FAILED, SHAPE_MISMATCH, OUT_OF_MEMORY, RUN_NONFINITE, LOOP_LIMIT, DATA_MISMATCH,
 * PROGRAM_INVALID, OP_NOT_ALLOWED, WEIGHTS_MISMATCH, CHECKPOINT_CORRUPT, DEVICE_MISSING, ENGINE_CRASHED, INTERNAL.
 */
export const Failure = z.strictObject({
  code: z.string(),
  /** One sentence for the person: what, where, the limit, what to do. */
  message: z.string(),
  node: z.string().optional(),
  op: z.string().optional(),
  step: z.int().optional(),
  shapes: z.array(z.array(z.int())).optional(),
  /** Of OUT_OF_MEMORY: what was asked for, what that would have made with what was held, and the limit. */
  askedBytes: z.int().optional(),
  neededBytes: z.int().optional(),
  limitBytes: z.int().optional(),
  /** Of OUT_OF_MEMORY: a batch size that ought to fit. */
  batchSize: z.int().optional(),
});
export type Failure = z.infer<typeof Failure>;
