import { describe, expect, it } from "vitest";
import { Watchdog } from "../../../server/trainer/watchdog.ts";

const started = { type: "started", stepsPerEpoch: 10, totalSteps: 100, firstStep: 1, inEpoch: 0, device: "cpu", parameterCount: 1 } as const;
const steps = (...numbers: number[]) => ({ type: "points", key: "train/loss", steps: numbers, values: numbers.map(() => 1) }) as const;

describe("a watchdog", () => {
  it("finds a run stuck after the set time, where steps are quick", () => {
    const watchdog = new Watchdog({ stuckAfterMs: 60_000, evaluationSteps: 5, lookEveryMs: 60_000, now: 0 });
    watchdog.hear([started, steps(1, 2, 3)], 300);
    expect(watchdog.stuckForMs(60_000)).toBeNull();
    expect(watchdog.stuckForMs(60_400)).toBe(60_100);
  });

  it("gives slow steps twenty times their usual length", () => {
    const watchdog = new Watchdog({ stuckAfterMs: 60_000, evaluationSteps: 5, lookEveryMs: 60_000, now: 0 });
    watchdog.hear([started], 0);
    for (let step = 2; step < 8; step++) watchdog.hear([steps(step)], (step - 1) * 10_000);
    const lastAt = 60_000;
    expect(watchdog.stuckForMs(lastAt - 1_000)).toBeNull();
    expect(watchdog.stuckForMs(lastAt + 199_000)).toBeNull();
    expect(watchdog.stuckForMs(lastAt + 201_000)).toBe(201_000);
  });

  it("gives an evaluation the time that its rows would take in training, and more", () => {
    const watchdog = new Watchdog({ stuckAfterMs: 1_000, evaluationSteps: 100, lookEveryMs: 60_000, now: 0 });
    watchdog.hear([started], 0);
    for (let step = 2; step <= 10; step++) watchdog.hear([steps(step)], (step - 1) * 100);
    expect(watchdog.stuckForMs(900 + 31_000)).toBeNull();
    watchdog.hear([{ type: "evaluated", step: 10, epoch: 1, values: {}, tensors: {}, samples: {} }, steps(11)], 10_000);
    expect(watchdog.stuckForMs(10_000 + 2_500)).toBe(2_500);
  });

  it("does not count the time in which its process stood still", () => {
    const watchdog = new Watchdog({ stuckAfterMs: 60_000, evaluationSteps: 5, lookEveryMs: 1_000, now: 0 });
    watchdog.hear([started, steps(1, 2, 3)], 300);
    for (let at = 1_000; at <= 30_000; at += 1_000) expect(watchdog.stuckForMs(at)).toBeNull();
    // A pause of an hour.
    for (let at = 3_630_000; at <= 3_660_000; at += 1_000) expect(watchdog.stuckForMs(at)).toBeNull();
    expect(watchdog.stuckForMs(3_661_000)).toBe(60_700);
  });
});
