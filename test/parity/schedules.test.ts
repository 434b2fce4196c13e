import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { scheduleFactor } from "../../core/training/schedules.ts";
import { missingOracles, runPython } from "../oracle.ts";

const missing = missingOracles("torch");

const cases = [
  { schedule: "one-cycle", theirs: "OneCycleLR(optimizer, max_lr=1.0, total_steps=100, cycle_momentum=False)", warmupSteps: 0, steps: 100 },
  { schedule: "one-cycle", theirs: "OneCycleLR(optimizer, max_lr=1.0, total_steps=11, cycle_momentum=False)", warmupSteps: 0, steps: 11 },
  { schedule: "cosine", theirs: "CosineAnnealingLR(optimizer, T_max=57)", warmupSteps: 0, steps: 57 },
  { schedule: "step", theirs: "StepLR(optimizer, step_size=17, gamma=0.1)", warmupSteps: 0, steps: 50 },
  { schedule: "constant", theirs: "ConstantLR(optimizer, factor=1)", warmupSteps: 0, steps: 5 },
  { schedule: "cosine", theirs: "SequentialLR(optimizer, [LinearLR(optimizer, 1/11, 1.0, 10), CosineAnnealingLR(optimizer, T_max=50)], [10])", warmupSteps: 10, steps: 60 },
] as const;

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

describe.skipIf(missing.length > 0)(`schedules give torch.optim.lr_scheduler's rates${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  let rates: number[][];
  beforeAll(async () => {
    rates = z.array(z.array(z.number())).parse(await runPython(program, cases));
  });

  it.each(cases.map((one, index) => ({ ...one, index })))("$schedule: $theirs", ({ schedule, warmupSteps, steps, index }) => {
    expect(rates[index]).toHaveLength(steps);
    for (const [step, rate] of (rates[index] ?? []).entries()) {
      // PyTorch's recursive formulas add up rounding; both are doubles.
      expect(scheduleFactor({ schedule, warmupSteps }, step, steps), `step ${step}`).toBeCloseTo(rate, 12);
    }
  });
});
