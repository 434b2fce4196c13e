import { z } from "zod";

/** What a person sets in the Train panel. The server turns it, with the graph and the data set, into a `TrainSpec`. */
export const RunSettings = z.strictObject({
  datasetId: z.string(),
  loss: z.enum(["CrossEntropyLoss", "MSELoss", "BCEWithLogitsLoss", "L1Loss"]),
  optimizer: z.enum(["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"]),
  lr: z.number().positive().max(100),
  weightDecay: z.number().min(0).max(10),
  /** SGD and RMSprop only. */
  momentum: z.number().min(0).max(0.9999),
  nesterov: z.boolean(),
  schedule: z.enum(["constant", "cosine", "one-cycle", "step"]),
  warmupSteps: z.int().min(0).max(1_000_000),
  batchSize: z.int().min(1).max(65_536),
  epochs: z.int().min(1).max(10_000),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  device: z.enum(["cpu", "cuda"]),
  precision: z.enum(["float32", "bf16"]),
  channelsLast: z.boolean(),
  gradClipNorm: z.number().min(0).max(1e6).describe("0: off"),
  accumulate: z.int().min(1).max(1024),
});
export type RunSettings = z.infer<typeof RunSettings>;
