import type { RunSettings } from "./settings.ts";
import type { TrainSpec } from "./spec.ts";

/** One learning-rate schedule. `factor` multiplies the learning rate of the Train panel; the panel draws its curve, the spec holds its table. */
export type ScheduleRecord = {
  name: RunSettings["schedule"];
  title: string;
  doc: string;
  source?: string;
  /** Whether the setting `warmupSteps` is heeded. */
  usesWarmup: boolean;
  /** Of optimizer step `step` (the first is 0) out of `totalSteps` after the warm-up. */
  factor: (step: number, totalSteps: number) => number;
};

export const schedules: readonly ScheduleRecord[] = [
  {
    name: "one-cycle",
    title: "One cycle",
    doc: "Climbs to the learning rate over the first 30 % of the run, then glides down to almost nothing. Learns fast and ends well in few epochs.",
    source: "https://pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.OneCycleLR.html",
    usesWarmup: false,
    factor: oneCycle,
  },
  {
    name: "cosine",
    title: "Cosine",
    doc: "Falls from the learning rate to zero along half a cosine.",
    source: "https://pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html",
    usesWarmup: true,
    factor: (step, totalSteps) => (1 + Math.cos((Math.PI * step) / totalSteps)) / 2,
  },
  {
    name: "step",
    title: "Step",
    doc: "A tenth of the learning rate after each third of the run.",
    source: "https://pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.StepLR.html",
    usesWarmup: true,
    factor: (step, totalSteps) => 0.1 ** Math.floor(step / Math.ceil(totalSteps / 3)),
  },
  {
    name: "constant",
    title: "Constant",
    doc: "The same learning rate throughout.",
    usesWarmup: true,
    factor: () => 1,
  },
];

export function findSchedule(name: RunSettings["schedule"]): ScheduleRecord {
  const found = schedules.find((schedule) => schedule.name === name);
  if (!found) throw new Error(`There is no schedule record for ${name}.`);
  return found;
}

/**
 * Factor of the learning rate at an optimizer step: a straight climb over `warmupSteps`, where the schedule heeds them, then
 * the schedule over the steps that remain.
 */
export function scheduleFactor(settings: Pick<RunSettings, "schedule" | "warmupSteps">, step: number, totalSteps: number): number {
  const schedule = findSchedule(settings.schedule);
  const warmup = schedule.usesWarmup ? Math.min(settings.warmupSteps, totalSteps) : 0;
  return step < warmup ? (step + 1) / (warmup + 1) : schedule.factor(step - warmup, Math.max(1, totalSteps - warmup));
}

/** The schedule as the engine takes it: one factor for each optimizer step. */
export function lrTable(settings: Pick<RunSettings, "schedule" | "warmupSteps">, totalSteps: number): TrainSpec["lr"]["schedule"] {
  if (settings.schedule === "constant" && settings.warmupSteps === 0) return { kind: "constant" };
  return { kind: "table", factors: Array.from({ length: totalSteps }, (_, step) => scheduleFactor(settings, step, totalSteps)) };
}

/**
 * PyTorch's OneCycleLR with its defaults (cosine, 30 % up, from 1/25 of the peak, down to 1/250,000), without its cycling of momentum.
 * Both phases end on their last step, hence the −1.
 */
function oneCycle(step: number, totalSteps: number): number {
  const start = 1 / 25;
  const end = start / 1e4;
  const upEnd = Math.max(0, 0.3 * totalSteps - 1);
  const downEnd = totalSteps - 1;
  if (step <= upEnd) return anneal(start, 1, step / upEnd);
  return anneal(1, end, Math.min(1, (step - upEnd) / (downEnd - upEnd)));
}

/** Half a cosine from `from` (share 0) to `to` (share 1). A phase of no length has no share, and is over. */
function anneal(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * (Number.isNaN(share) ? 1 : share)));
}
