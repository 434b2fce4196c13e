import { z } from "zod";
import type { TrainSpec } from "./spec.ts";

/** A point of a search for a learning rate: the rate of a step, and the loss before that step moved anything. */
const LrPoint = z.strictObject({ lr: z.number(), loss: z.number() });
export type LrPoint = z.infer<typeof LrPoint>;
export type LrSuggestion = { lr: number; steepest: number; lowest: number };

/** What the process that searches answers. `message` is one sentence for the person. */
export const LrAnswer = z.discriminatedUnion("ok", [
  z.strictObject({ ok: z.literal(true), points: z.array(LrPoint) }),
  z.strictObject({ ok: z.literal(false), message: z.string() }),
]);
export type LrAnswer = z.infer<typeof LrAnswer>;

/** From a rate at which nothing moves to one at which every network diverges. */
export const LR_RANGE = { low: 1e-7, high: 10 } as const;
export const LR_STEPS = 120;
/** A smoothed loss this many times its lowest says that the search is over. */
const DIVERGED = 4;
/** How much of the smoothed loss a step leaves as it was. */
const SMOOTHING = 0.9;

/** The learning rate of each step of a search: they rise by the same factor. */
export function lrSteps(): number[] {
  return Array.from({ length: LR_STEPS }, (_, i) => LR_RANGE.low * (LR_RANGE.high / LR_RANGE.low) ** (i / (LR_STEPS - 1)));
}

/** The order of a run, made into that of a search: the same network, rows and optimizer under a rising rate, of which nothing is kept. */
export function lrSearchSpec(spec: TrainSpec, stepsPerEpoch: number): TrainSpec {
  const { earlyStopping, ema, oneBatch, generate, lattice, looks, ...rest } = spec;
  return {
    ...rest,
    // What validation rows there are is evaluated after each epoch; nobody asks for it here.
    data: { ...spec.data, validation: { ...spec.data.validation, rows: Math.min(spec.data.validation.rows, spec.batchSize) } },
    lr: { base: 1, schedule: { kind: "table", factors: lrSteps() } },
    epochs: Math.max(1, Math.ceil(LR_STEPS / stepsPerEpoch)),
    checkpoint: null,
    resumeFrom: null,
    sampleRows: [],
  };
}

/** Losses as they are read: an exponential mean, freed of its start at 0, so that single batches do not decide. */
export function smoothLosses(points: readonly LrPoint[]): LrPoint[] {
  let mean = 0;
  return points.map(({ lr, loss }, i) => {
    mean = SMOOTHING * mean + (1 - SMOOTHING) * loss;
    return { lr, loss: mean / (1 - SMOOTHING ** (i + 1)) };
  });
}

/** Whether the losses have left their lowest for good: rates above are of no use. */
export function hasDiverged(points: readonly LrPoint[]): boolean {
  const smoothed = smoothLosses(points);
  const first = smoothed[0]?.loss ?? 0;
  const last = smoothed.at(-1)?.loss ?? 0;
  const lowest = Math.min(...smoothed.map(({ loss }) => loss));
  return !Number.isFinite(last) || last - lowest > (DIVERGED - 1) * Math.max(Math.abs(lowest), 0.25 * Math.abs(first), 1e-6);
}

/**
 * The rate at which the smoothed loss falls most steeply over the logarithm of the rate, before its lowest value; but at most a tenth of the
 * rate of that lowest value, beyond which a run would soon diverge. Null where the loss never fell by a hundredth.
 */
export function suggestLr(points: readonly LrPoint[]): LrSuggestion | null {
  const smoothed = smoothLosses(points.filter(({ loss }) => Number.isFinite(loss)));
  const [first] = smoothed;
  if (!first) return null;
  const lowestAt = smoothed.reduce((best, point, i) => (point.loss < (smoothed[best]?.loss ?? Number.POSITIVE_INFINITY) ? i : best), 0);
  const lowest = smoothed[lowestAt];
  if (!lowest || first.loss - lowest.loss < 0.01 * Math.abs(first.loss)) return null;
  let steepest = { lr: first.lr, slope: 0 };
  for (let i = 1; i < lowestAt; i++) {
    const [before, here, after] = [smoothed[i - 1], smoothed[i], smoothed[i + 1]];
    if (!before || !here || !after) continue;
    const slope = (after.loss - before.loss) / Math.log(after.lr / before.lr);
    if (slope < steepest.slope) steepest = { lr: here.lr, slope };
  }
  return { lr: Number(Math.min(steepest.lr, lowest.lr / 10).toPrecision(2)), steepest: steepest.lr, lowest: lowest.lr };
}
