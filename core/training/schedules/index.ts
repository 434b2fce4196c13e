import { readParams } from "../../layers/params.ts";
import type { ParamValues } from "../records.ts";
import type { TrainSpec } from "../spec.ts";
import { constant } from "./constant.ts";
import { cosineAnnealingLr } from "./cosineAnnealingLr.ts";
import { cosineAnnealingWarmRestarts } from "./cosineAnnealingWarmRestarts.ts";
import { exponentialLr } from "./exponentialLr.ts";
import type { Schedule, ScheduleAt } from "./kit.ts";
import { linearLr } from "./linearLr.ts";
import { multiStepLr } from "./multiStepLr.ts";
import { oneCycleLr } from "./oneCycleLr.ts";
import { polynomialLr } from "./polynomialLr.ts";
import { reduceLrOnPlateau } from "./reduceLrOnPlateau.ts";
import { stepLr } from "./stepLr.ts";
import { warmupCosine } from "./warmupCosine.ts";

const all = [
  oneCycleLr,
  warmupCosine,
  cosineAnnealingLr,
  cosineAnnealingWarmRestarts,
  linearLr,
  polynomialLr,
  stepLr,
  multiStepLr,
  exponentialLr,
  reduceLrOnPlateau,
  constant,
] as const;

export type ScheduleName = (typeof all)[number]["name"];

/** The schedules, in the order offered. */
export const schedules = all as readonly unknown[] as readonly Schedule<ScheduleName>[];

export function findSchedule(name: ScheduleName): Schedule<ScheduleName> {
  const found = schedules.find((schedule) => schedule.name === name);
  if (!found) throw new Error(`There is no schedule record for ${name}.`);
  return found;
}

/** The settings that decide the learning rate. */
export type RateSettings = { schedule: ScheduleName; scheduleParams: ParamValues; warmupSteps: number; lr: number };
type Length = { totalSteps: number; stepsPerEpoch: number };

/**
 * Factor of the learning rate at an optimizer step, the first being 0: a straight climb over `warmupSteps`, where the schedule
 * heeds them, then the schedule over the steps that remain. Null where only the run itself can tell.
 */
export function scheduleFactor({ schedule: name, scheduleParams, warmupSteps, lr }: RateSettings, step: number, { totalSteps, stepsPerEpoch }: Length): number | null {
  const schedule = findSchedule(name);
  if ("plateau" in schedule) return null;
  const warmup = schedule.usesWarmup ? Math.min(warmupSteps, totalSteps) : 0;
  if (step < warmup) return (step + 1) / (warmup + 1);
  const at: ScheduleAt = { step: step - warmup, totalSteps: Math.max(1, totalSteps - warmup), stepsPerEpoch, lr };
  return schedule.factor(readParams(schedule.params, scheduleParams).values, at);
}

/** The schedule as the engine takes it: one factor for each optimizer step, or what to do on a plateau. */
export function lrSchedule(settings: RateSettings, length: Length): TrainSpec["lr"]["schedule"] {
  const schedule = findSchedule(settings.schedule);
  if ("plateau" in schedule) return schedule.plateau(readParams(schedule.params, settings.scheduleParams).values);
  if (settings.schedule === "constant" && settings.warmupSteps === 0) return { kind: "constant" };
  return { kind: "table", factors: Array.from({ length: length.totalSteps }, (_, step) => scheduleFactor(settings, step, length) ?? 1) };
}
