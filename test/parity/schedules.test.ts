import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type RateSettings, scheduleFactor, schedules } from "../../core/training/schedules/index.ts";
import { missingOracles, runPython } from "../oracle.ts";

const missing = missingOracles("torch");

type Case = Pick<RateSettings, "schedule"> & Partial<RateSettings> & { theirs: string; steps: number };

/** One step an epoch, so that what is said in epochs equals what PyTorch counts in steps. */
const cases: Case[] = [
  { schedule: "OneCycleLR", theirs: "OneCycleLR(optimizer, max_lr=1.0, total_steps=100, cycle_momentum=False)", steps: 100 },
  { schedule: "OneCycleLR", theirs: "OneCycleLR(optimizer, max_lr=1.0, total_steps=11, cycle_momentum=False)", steps: 11 },
  {
    schedule: "OneCycleLR",
    scheduleParams: { pct_start: 0.1, div_factor: 10, final_div_factor: 100 },
    theirs: "OneCycleLR(optimizer, max_lr=1.0, total_steps=60, pct_start=0.1, div_factor=10, final_div_factor=100, cycle_momentum=False)",
    steps: 60,
  },
  { schedule: "CosineAnnealingLR", theirs: "CosineAnnealingLR(optimizer, T_max=57)", steps: 57 },
  { schedule: "CosineAnnealingLR", scheduleParams: { T_max: 10, eta_min: 0.2 }, theirs: "CosineAnnealingLR(optimizer, T_max=10, eta_min=0.2)", steps: 35 },
  {
    schedule: "CosineAnnealingLR",
    theirs: "SequentialLR(optimizer, [LinearLR(optimizer, 1/11, 1.0, 10), CosineAnnealingLR(optimizer, T_max=50)], [10])",
    warmupSteps: 10,
    steps: 60,
  },
  {
    schedule: "WarmupCosine",
    scheduleParams: { warmup: 0.25 },
    theirs: "SequentialLR(optimizer, [LinearLR(optimizer, 1/11, 1.0, 10), CosineAnnealingLR(optimizer, T_max=30)], [10])",
    steps: 40,
  },
  { schedule: "StepLR", theirs: "StepLR(optimizer, step_size=17, gamma=0.1)", steps: 50 },
  { schedule: "StepLR", scheduleParams: { step_size: 7, gamma: 0.5 }, theirs: "StepLR(optimizer, step_size=7, gamma=0.5)", steps: 50 },
  { schedule: "MultiStepLR", scheduleParams: { milestones: [20, 5], gamma: 0.3 }, theirs: "MultiStepLR(optimizer, milestones=[5, 20], gamma=0.3)", steps: 30 },
  { schedule: "ExponentialLR", scheduleParams: { gamma: 0.95 }, theirs: "ExponentialLR(optimizer, gamma=0.95)", steps: 40 },
  { schedule: "LinearLR", theirs: "LinearLR(optimizer)", steps: 12 },
  {
    schedule: "LinearLR",
    scheduleParams: { start_factor: 1, end_factor: 0, total_iters: 0 },
    theirs: "LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters=20)",
    steps: 20,
  },
  { schedule: "PolynomialLR", scheduleParams: { total_iters: 12, power: 0.9 }, theirs: "PolynomialLR(optimizer, total_iters=12, power=0.9)", steps: 20 },
  { schedule: "CosineAnnealingWarmRestarts", scheduleParams: { T_0: 5 }, theirs: "CosineAnnealingWarmRestarts(optimizer, T_0=5)", steps: 23 },
  {
    schedule: "CosineAnnealingWarmRestarts",
    scheduleParams: { T_0: 4, T_mult: 2, eta_min: 0.1 },
    theirs: "CosineAnnealingWarmRestarts(optimizer, T_0=4, T_mult=2, eta_min=0.1)",
    steps: 40,
  },
  { schedule: "constant", theirs: "ConstantLR(optimizer, factor=1)", steps: 5 },
];

/** The learning rates that each `torch.optim.lr_scheduler` sets, step by step, of a base of 1. */
const program = `
import json, sys, warnings
warnings.filterwarnings("ignore")
import torch
from torch.optim.lr_scheduler import *

def rates(theirs, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = eval(theirs)
    for step in range(steps):
        yield optimizer.param_groups[0]["lr"]
        optimizer.step()
        if step + 1 < steps:
            scheduler.step()

print(json.dumps([list(rates(case["theirs"], case["steps"])) for case in json.load(sys.stdin)]))
`;

describe("the cases", () => {
  it("leave out no schedule but the one that the engine decides", () => {
    expect([...new Set(cases.map(({ schedule }) => schedule))].sort()).toEqual(schedules.flatMap((schedule) => ("plateau" in schedule ? [] : [schedule.name])).sort());
  });
});

describe.skipIf(missing.length > 0)(`schedules give torch.optim.lr_scheduler's rates${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  let rates: number[][];
  beforeAll(async () => {
    rates = z.array(z.array(z.number())).parse(await runPython(program, cases));
  });

  it.each(cases.map((one, index) => ({ ...one, index })))("$schedule: $theirs", ({ schedule, scheduleParams = {}, warmupSteps = 0, steps, index }) => {
    expect(rates[index]).toHaveLength(steps);
    for (const [step, rate] of (rates[index] ?? []).entries()) {
      // PyTorch's recursive formulas add up rounding; both are doubles.
      expect(scheduleFactor({ schedule, scheduleParams, warmupSteps, lr: 1 }, step, { totalSteps: steps, stepsPerEpoch: 1 }), `step ${step}`).toBeCloseTo(rate, 12);
    }
  });
});
