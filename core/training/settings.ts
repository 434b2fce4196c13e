import { z } from "zod";
import { Task } from "../data/manifest.ts";
import { say } from "../language/say.ts";
import { type Params, readParams } from "../layers/params.ts";
import { losses, lossNamed } from "./losses/index.ts";
import { AVERAGES } from "./metrics/average.ts";
import { ExpressionMetric } from "./metrics/expression.ts";
import { findOptimizer, optimizers } from "./optimizers/index.ts";
import type { ParamValues } from "./records.ts";
import { findSchedule, schedules } from "./schedules/index.ts";

/** Parameters of a loss, optimizer or schedule, by PyTorch's names; the record says which there are. Those not given take their defaults. */
const ParamRecord: z.ZodType<ParamValues> = z.record(z.string().max(64), z.union([z.number(), z.string().max(200), z.boolean(), z.array(z.number()).max(64)]));
const LossName = z.enum(namesOf(losses));

/** A further loss, of another output of the graph, added to the first with this weight. It compares with the same targets. */
const ExtraLoss = z.strictObject({
  /** The name of an Output. */
  output: z.string().min(1).max(64),
  loss: LossName,
  lossParams: ParamRecord.default({}),
  weight: z.number().min(-1e6).max(1e6),
});
export type ExtraLoss = z.infer<typeof ExtraLoss>;

/**
 * Of several optimizers in one run, as a GAN has them, one beside the main one: in each step, before that, it makes the losses of these
 * outputs small, by the weights of these nodes alone. The main one has the other losses and the other weights.
 */
const FurtherOptimizer = z.strictObject({
  /** Where the nodes stand: those inside a block or zone are meant with it. */
  nodes: z.array(z.string().min(1).max(512)).min(1).max(256),
  /** Outputs with a further loss. */
  outputs: z.array(z.string().min(1).max(64)).min(1).max(16),
  optimizer: z.enum(namesOf(optimizers)),
  optimizerParams: ParamRecord.default({}),
  /** Goes the way of the run's schedule. */
  lr: z.number().positive().max(100),
  weightDecay: z.number().min(0).max(10),
});

const EarlyStopping = z.strictObject({
  /** The validation loss, or what decides which checkpoint is the best: accuracy where the task has classes, the loss elsewhere. */
  watch: z.enum(["loss", "metric"]),
  patience: z.int().min(1).max(10_000).describe("epochs"),
  /** What is no more than this better counts as no better. */
  minDelta: z.number().min(0).max(1e6),
});
export type EarlyStopping = z.infer<typeof EarlyStopping>;

const Writing = z.strictObject({ prompt: z.string().max(500), tokens: z.int().min(1).max(1_000), temperature: z.number().min(0).max(5) });

/** What a person sets in the Train panel. The server turns it, with the graph and the data set, into a `TrainSpec`. */
export const RunSettings = z
  .strictObject({
    datasetId: z.string(),
    /** What is learned from the data set, where that is not what it was made for. */
    task: Task.optional(),
    loss: LossName,
    lossParams: ParamRecord.default({}),
    extraLosses: z.array(ExtraLoss).max(16).default([]),
    /** What a person wants measured of the validation rows beside the task's own metrics. */
    expressionMetrics: z.array(ExpressionMetric).max(8).default([]),
    /** Of classes: how precision, recall and F1 become one figure. */
    average: z.enum(AVERAGES).default("macro"),
    /** Of classes: among how many of the highest scores the right one is to be; null: 5, where there are many classes. */
    topK: z.int().min(1).max(1_000).nullable().default(null),
    optimizer: z.enum(namesOf(optimizers)),
    optimizerParams: ParamRecord.default({}),
    furtherOptimizers: z.array(FurtherOptimizer).max(8).default([]),
    lr: z.number().positive().max(100),
    weightDecay: z.number().min(0).max(10),
    schedule: z.enum(namesOf(schedules)),
    scheduleParams: ParamRecord.default({}),
    warmupSteps: z.int().min(0).max(1_000_000),
    batchSize: z.int().min(1).max(65_536),
    /** Of sequences: rows of like length share a batch. */
    bucketing: z.boolean().default(true),
    epochs: z.int().min(1).max(10_000),
    /** Ends the run once the validation rows have seen nothing better for some epochs; null: it takes all its epochs. */
    earlyStopping: EarlyStopping.nullable().default(null),
    /** Trains on one batch only, to find out whether the network can learn at all. */
    oneBatch: z.boolean().default(false),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1),
    device: z.enum(["cpu", "cuda"]),
    precision: z.enum(["float32", "bf16"]),
    channelsLast: z.boolean(),
    gradClipNorm: z.number().min(0).max(1e6).describe("0: off"),
    gradClipValue: z.number().min(0).max(1e6).default(0).describe("0: off"),
    /** How much of the averaged weights a step leaves as it was; the averaged weights are evaluated and exported. */
    emaDecay: z.number().min(0).max(0.999999).default(0).describe("0: off"),
    accumulate: z.int().min(1).max(1024),
    /** Of language models: what they go on with after each epoch, for how many tokens, and how freely; 0: always the likeliest. */
    writing: Writing.default({ prompt: "", tokens: 200, temperature: 0.8 }),
    /** How strongly rows are blended with one another while training; see `mixup.ts`. */
    mixup: z.number().min(0).max(10).default(0).describe("0: off"),
  })
  .superRefine((settings, context) => {
    const check = (title: string, params: Params, given: ParamValues, path: (string | number)[]) => {
      const { problems, unknown } = readParams(params, given);
      for (const { name, message } of problems)
        context.addIssue({ code: "custom", path: [...path, name], message: say("{name} of {title} must be {message}.", { name, title, message }) });
      for (const name of unknown) context.addIssue({ code: "custom", path: [...path, name], message: say("{title} has no parameter “{name}”.", { title, name }) });
    };
    check(settings.loss, lossNamed(settings.loss).params, settings.lossParams, ["lossParams"]);
    for (const [i, { loss, lossParams }] of settings.extraLosses.entries()) check(loss, lossNamed(loss).params, lossParams, ["extraLosses", i, "lossParams"]);
    for (const [i, { name }] of settings.expressionMetrics.entries())
      if (settings.expressionMetrics.findIndex((other) => other.name === name) < i)
        context.addIssue({ code: "custom", path: ["expressionMetrics", i, "name"], message: say("Two metrics are named {name}.", { name }) });
    check(settings.optimizer, findOptimizer(settings.optimizer).params, settings.optimizerParams, ["optimizerParams"]);
    const claimed = new Set<string>();
    for (const [i, { optimizer, optimizerParams, outputs }] of settings.furtherOptimizers.entries()) {
      const path = ["furtherOptimizers", i];
      check(optimizer, findOptimizer(optimizer).params, optimizerParams, [...path, "optimizerParams"]);
      if (optimizer === "LBFGS")
        context.addIssue({ code: "custom", path: [...path, "optimizer"], message: say("LBFGS takes a step's loss several times and cannot take turns with others.") });
      for (const output of outputs) {
        if (!settings.extraLosses.some((extra) => extra.output === output))
          context.addIssue({
            code: "custom",
            path: [...path, "outputs"],
            message: say("There is no further loss of “{output}” for optimizer {i} to make small.", { output, i: i + 2 }),
          });
        if (claimed.has(output))
          context.addIssue({ code: "custom", path: [...path, "outputs"], message: say("Two optimizers are to make the loss of “{output}” small.", { output }) });
        claimed.add(output);
      }
    }
    if (settings.gradClipNorm > 0 && settings.gradClipValue > 0)
      context.addIssue({ code: "custom", path: ["gradClipValue"], message: say("Gradients are clipped by norm or by value, not both: set one of them to 0.") });
    check(settings.schedule, findSchedule(settings.schedule).params, settings.scheduleParams, ["scheduleParams"]);
  });
export type RunSettings = z.infer<typeof RunSettings>;

/** Settings as they were kept, by this release or an older one. */
export const StoredRunSettings = z.preprocess(upgradeSettings, RunSettings);

const SCHEDULES_BEFORE: { [name: string]: string } = { "one-cycle": "OneCycleLR", cosine: "CosineAnnealingLR", step: "StepLR" };

/** Before parameters had a place of their own, momentum stood beside the optimizer, and schedules had names of ours. */
function upgradeSettings(stored: unknown): unknown {
  if (typeof stored !== "object" || stored === null || !("momentum" in stored)) return stored;
  const { momentum, nesterov, ...rest }: { [name: string]: unknown } = { ...stored };
  const optimizerParams = rest.optimizer === "SGD" ? { momentum, nesterov } : rest.optimizer === "RMSprop" ? { momentum } : {};
  return { ...rest, optimizerParams, schedule: SCHEDULES_BEFORE[String(rest.schedule)] ?? rest.schedule };
}

function namesOf<N extends string>(records: readonly { name: N }[]): [N, ...N[]] {
  const [first, ...rest] = records.map(({ name }) => name);
  if (first === undefined) throw new Error("There is at least one of each kind.");
  return [first, ...rest];
}
