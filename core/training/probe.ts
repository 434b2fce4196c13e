import { z } from "zod";
import type { TrainSpec } from "./spec.ts";

/** What some real steps of a throw-away copy have shown, at one batch size. */
export const Measured = z.strictObject({
  batchSize: z.int(),
  /** How many steps the time of one was taken over. */
  steps: z.int(),
  stepMs: z.number(),
  /** One pass over all validation rows, as far as it was measured. */
  evaluationMs: z.number(),
  /** One text that it writes; 0 where it writes none. */
  writingMs: z.number().default(0),
  samplesPerSecond: z.number(),
  /** The most that tensors took. */
  peakBytes: z.int(),
});
export type Measured = z.infer<typeof Measured>;

/** Why a batch size was not measured. */
const Unfit = z.strictObject({ batchSize: z.int(), code: z.string(), message: z.string() });
export type Unfit = z.infer<typeof Unfit>;

/** What the process that measures is told: orders whose files are placed, smallest batch first, and when to end. */
export type ProbeOrder = { specs: TrainSpec[]; validationRows: number; search: boolean };
/** What it answers. `unfit` is what ended it before its last order. */
export const ProbeAnswer = z.strictObject({ measured: z.array(Measured), unfit: Unfit.nullable() });
export type ProbeAnswer = z.infer<typeof ProbeAnswer>;

/** What of an order decides how long a step takes and what it holds. */
const deciding = [
  "program",
  "metrics",
  "data",
  "optimizer",
  "furtherOptimizers",
  "batchSize",
  "bucketing",
  "dropLast",
  "oneBatch",
  "device",
  "precision",
  "channelsLast",
  "gradClip",
  "accumulate",
  "threads",
] as const satisfies readonly (keyof TrainSpec)[];

/** That part of an order as text that is equal where it is. Of averages only whether there are any counts. */
export function probeKey(spec: TrainSpec): string {
  return JSON.stringify([...deciding.map((field) => spec[field] ?? null), spec.ema !== undefined, spec.generate ? [spec.generate.tokens, spec.generate.context] : null]);
}

/** An order made into one that only measures: nothing of it is kept, and it goes on for as long as it is let. */
export function probeSpec(spec: TrainSpec, rows: { train?: number; validation: number }): TrainSpec {
  const { earlyStopping, resumeFrom, generate, lattice, looks, ...rest } = spec;
  const { train, validation } = spec.data;
  return {
    ...rest,
    data: { train: { ...train, rows: Math.min(train.rows, rows.train ?? train.rows) }, validation: { ...validation, rows: Math.min(validation.rows, rows.validation) } },
    // A rate at which nothing moves: what is measured must not depend on how learning goes.
    lr: { base: 1e-9, schedule: { kind: "constant" } },
    epochs: 100_000,
    checkpoint: null,
    resumeFrom: null,
    sampleRows: [],
  };
}

/** Less than this much more speed for twice the batch is no gain. */
const LEAST_GAIN = 1.05;

/** Whether larger batches have stopped paying: three doublings in a row brought next to nothing, since a busy machine spoils one or two. */
export function hasLevelledOff(measured: readonly Measured[]): boolean {
  const [before, ...since] = measured.slice(-4);
  if (!before || since.length < 3) return false;
  return Math.max(...since.map(({ samplesPerSecond }) => samplesPerSecond)) < LEAST_GAIN * before.samplesPerSecond;
}

/** The smallest batch that is about as quick as the quickest: from there on throughput no longer gains. */
export function bestBatch(measured: readonly Measured[]): Measured | null {
  const most = Math.max(0, ...measured.map(({ samplesPerSecond }) => samplesPerSecond));
  return measured.find(({ samplesPerSecond }) => samplesPerSecond * LEAST_GAIN >= most) ?? null;
}

/** Powers of two from 8 up to the rows there are, and the limit of settings. */
export function batchSizes(rows: number): number[] {
  const sizes: number[] = [];
  for (let size = Math.min(8, 2 ** Math.floor(Math.log2(Math.max(1, rows)))); size <= Math.min(rows, 65_536); size *= 2) sizes.push(size);
  return sizes;
}

/** What was foretold of a run when it was started, to be compared with what came. */
export const Forecast = z.strictObject({
  /** Of an epoch with its evaluation; null where nothing was measured. */
  epochMs: z.number().nullable(),
  /** The most that tensors would take: measured, or by the model. */
  peakBytes: z.number(),
  measured: z.boolean(),
});
export type Forecast = z.infer<typeof Forecast>;

/** Time of one epoch out of what was measured, where a text is written after every so many. */
export function epochMs({ stepMs, evaluationMs, writingMs }: Pick<Measured, "stepMs" | "evaluationMs" | "writingMs">, stepsPerEpoch: number, writesEvery: number): number {
  return stepsPerEpoch * stepMs + evaluationMs + writingMs / writesEvery;
}
