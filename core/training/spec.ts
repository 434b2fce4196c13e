import { z } from "zod";
import { Program } from "../program/program.ts";
import { BreakCondition } from "./breakpoints.ts";
import { Knob } from "./knobs.ts";

/**
 * The frozen order that the engine carries out: everything that decides the numbers, and nothing else. Kept with the run;
 * the same spec on the same machine and build gives the same numbers bit for bit.
 */

const Betas = z.tuple([z.number(), z.number()]);

const Optimizer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("SGD"), momentum: z.number(), dampening: z.number(), weightDecay: z.number(), nesterov: z.boolean() }),
  z.strictObject({ kind: z.literal("Adam"), betas: Betas, eps: z.number(), weightDecay: z.number(), amsgrad: z.boolean() }),
  z.strictObject({ kind: z.literal("AdamW"), betas: Betas, eps: z.number(), weightDecay: z.number(), amsgrad: z.boolean() }),
  z.strictObject({ kind: z.literal("RMSprop"), alpha: z.number(), eps: z.number(), weightDecay: z.number(), momentum: z.number(), centered: z.boolean() }),
  z.strictObject({ kind: z.literal("Adagrad"), lrDecay: z.number(), weightDecay: z.number(), eps: z.number() }),
  z.strictObject({ kind: z.literal("Adadelta"), rho: z.number(), eps: z.number(), weightDecay: z.number() }),
  z.strictObject({ kind: z.literal("Adamax"), betas: Betas, eps: z.number(), weightDecay: z.number() }),
  z.strictObject({ kind: z.literal("NAdam"), betas: Betas, eps: z.number(), weightDecay: z.number(), momentumDecay: z.number(), decoupled: z.boolean() }),
  z.strictObject({ kind: z.literal("RAdam"), betas: Betas, eps: z.number(), weightDecay: z.number(), decoupled: z.boolean() }),
  z.strictObject({ kind: z.literal("Lion"), betas: Betas, weightDecay: z.number() }),
  z.strictObject({
    kind: z.literal("LBFGS"),
    maxIter: z.int().min(1),
    historySize: z.int().min(1),
    toleranceGrad: z.number(),
    toleranceChange: z.number(),
    lineSearch: z.enum(["none", "strong_wolfe"]),
    weightDecay: z.number(),
  }),
]);

/**
 * Rows of one split. Each array is a C-ordered `.npy` whose first axis is the sample. With `lengths`, the file of each row's
 * length, the inputs named in `crop` are cut along axis 1 to the longest row of each batch; a program input named `lengths` is fed
 * the same numbers. With `window`, row r of an input are `length` entries of the file from entry `first + r · stride` on: windows over
 * one series lie in it once, however much they overlap.
 */
const Split = z.strictObject({
  arrays: z.record(z.string(), z.strictObject({ file: z.string(), window: z.strictObject({ first: z.int().min(0), stride: z.int().min(1), length: z.int().min(1) }).optional() })),
  rows: z.int().min(1),
  lengths: z.strictObject({ file: z.string(), crop: z.array(z.string()) }).optional(),
});

export const TrainSpec = z.strictObject({
  version: z.literal(1),
  /** Model, loss and metrics in one program. Outputs: `loss` (scalar, the batch mean), `y...` predictions, and one per metric. */
  program: Program,
  /** Which outputs are metrics and how batches combine: `mean` weighted by rows; `sum` adds tensors (confusion counts). */
  metrics: z.array(z.strictObject({ output: z.string(), reduce: z.enum(["mean", "sum"]), when: z.enum(["always", "validation"]) })),
  data: z.strictObject({ train: Split, validation: Split }),
  optimizer: Optimizer,
  /**
   * Several optimizers: each of these, in order and before `optimizer`, passes the rows of the step through the network, makes `loss` small by
   * the gradients at its own weights, and steps. `optimizer` comes last, with the output `loss` and the weights that are left.
   */
  furtherOptimizers: z
    .array(
      z.strictObject({
        /** An output that is among the metrics, `mean` and `always`. */
        loss: z.string(),
        /** Names of trainable weights; none is in two lists. */
        weights: z.array(z.string()).min(1),
        optimizer: Optimizer,
        /** Its learning rate, as a share of `lr`. */
        lrFactor: z.number().min(0),
      }),
    )
    .max(16)
    .optional(),
  /** Learning rate of every optimizer step, 0-based. */
  lr: z.strictObject({
    base: z.number(),
    schedule: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("constant") }),
      z.strictObject({ kind: z.literal("table"), /** one factor of `base` per optimizer step; the last holds on */ factors: z.array(z.number()) }),
      /** As ReduceLROnPlateau has it, stepped with the validation loss after each epoch. */
      z.strictObject({
        kind: z.literal("plateau"),
        factor: z.number(),
        patience: z.int().min(0),
        threshold: z.number(),
        thresholdMode: z.enum(["rel", "abs"]),
        cooldown: z.int().min(0),
        minLr: z.number(),
        eps: z.number(),
      }),
    ]),
  }),
  /** Weights that learn at another pace than the rest: `scale` times the learning rate, and not before an epoch. */
  paces: z.array(z.strictObject({ weights: z.array(z.string()).min(1), scale: z.number().min(0), fromEpoch: z.int().min(0) })).optional(),
  /** Values of the program that nothing learns in front of, and that say the same of a row in whatever batch it stands: computed once for each row. Absent: none. */
  features: z.array(z.int().min(0)).min(1).max(16).optional(),
  batchSize: z.int().min(1),
  epochs: z.int().min(1),
  /** Ends the run once `output` of the validation rows has not bettered its best by more than `minDelta` for `patience` epochs in a row. */
  earlyStopping: z
    .strictObject({ /** `loss`, or a metric that is a mean. */ output: z.string(), better: z.enum(["lower", "higher"]), patience: z.int().min(1), minDelta: z.number().min(0) })
    .optional(),
  shuffle: z.boolean(),
  /** Rows of like length share a batch, which saves padding; absent or false: any rows do. Needs `lengths`. */
  bucketing: z.boolean().optional(),
  dropLast: z.boolean(),
  /** Every step takes the rows of the first: the run finds out whether the network can learn them by heart. */
  oneBatch: z.boolean().optional(),
  seed: z.int().min(0),
  device: z.enum(["cpu", "cuda"]),
  precision: z.enum(["float32", "bf16"]),
  channelsLast: z.boolean(),
  gradClip: z.strictObject({ kind: z.enum(["norm", "value"]), max: z.number() }).nullable(),
  /** Keeps an exponential moving average of the weights; that is what is evaluated and saved under the weights' names. Absent: none. */
  ema: z.strictObject({ decay: z.number().min(0).max(1) }).optional(),
  accumulate: z.int().min(1),
  threads: z.int().min(0).describe("0: as many as the machine has cores"),
  /** Where checkpoints go; the engine names files `step-<n>.safetensors`. `everyMs` 0 means at epoch ends only. */
  checkpoint: z.strictObject({ folder: z.string(), everyMs: z.int().min(0) }).nullable(),
  /** Continue from this checkpoint: weights, optimizer, random state, position. */
  resumeFrom: z.string().nullable(),
  /** Weights to start from instead of the initialisers (safetensors, by name). */
  startFrom: z.string().nullable(),
  /** Validation rows whose predictions every `evaluated` event carries. */
  sampleRows: z.array(z.int().min(0)).max(64),
  /** An output that every `evaluated` event carries for these validation rows, to be drawn as points of a map; absent: none. */
  points: z.strictObject({ output: z.string(), rows: z.array(z.int().min(0)).max(4096) }).optional(),
  /** A square of side × side rows of this input, evenly between two corners: every `evaluated` event says `y` of them, in rows upward; absent: none. */
  lattice: z.strictObject({ input: z.string(), low: z.tuple([z.number(), z.number()]), high: z.tuple([z.number(), z.number()]), side: z.int().min(2).max(128) }).optional(),
  /** Ends of epochs say how weights, gradients and activations are spread, twice a second at most; absent or false: they do not. */
  histograms: z.boolean().optional(),
  /** What tensors on the CPU may take together; set by the machine that trains, and beyond it the run fails with OUT_OF_MEMORY. Absent: no limit. */
  memoryLimitBytes: z.int().min(1).optional(),
  /** An open file of the process that trains, into which the engine writes which node is at work, for whoever holds it too when that process crashes; absent: nobody. */
  placeFile: z.int().min(3).optional(),
  /** It writes that of the backward pass too, at some cost: for a run that has crashed. Absent or false: no. */
  followsBackward: z.boolean().optional(),
  /**
   * Text that the network writes after every `everyEpochs`-th evaluation, token by token behind the prompt: drawn from its scores of
   * the last step over `temperature`, or the likeliest where that is 0. Draws of its own: training is the same with it and without.
   */
  generate: z
    .strictObject({
      /** The input that takes tokens, [B, T], and the output that scores the next one of each step, [B, vocabulary, T]. */
      input: z.string(),
      output: z.string(),
      prompt: z.array(z.int().min(0)).min(1).max(4096),
      tokens: z.int().min(1).max(4096),
      /** How many of the last tokens the network is shown. */
      context: z.int().min(1),
      temperature: z.number().min(0).max(100),
      everyEpochs: z.int().min(1),
      /** Tokens that are never written, such as padding. */
      without: z.array(z.int().min(0)),
    })
    .optional(),
  /**
   * Steps are looked at node by node, at most every `everyMs` and ever more rarely as the run grows old (0: as often as may be), and only where
   * the last look cost no more than this share of the time since. `rectified`: nodes of which silent units are counted along an axis. It
   * changes no number. Absent: none is looked at.
   */
  looks: z.strictObject({ everyMs: z.int().min(0), share: z.number().min(0), rectified: z.array(z.strictObject({ node: z.string(), axis: z.int().min(1).max(8) })) }).optional(),
  /**
   * Where the run pauses by itself: after the step in which a figure of `output`, float32 [5] as `BROKE_AT` has them, comes to lie beyond the limit.
   * A `broke` event says so, and training ends as where it is cancelled, with a checkpoint. Absent: nowhere.
   */
  breakpoints: z
    .array(z.strictObject({ output: z.string(), node: z.string(), ...BreakCondition.shape }))
    .max(256)
    .optional(),
  /** Settings that were changed when the run was here before, to be changed again at the same steps, and those that wait to be. */
  knobs: z.array(Knob).optional(),
});
export type TrainSpec = z.infer<typeof TrainSpec>;
