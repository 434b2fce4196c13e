import { expect, test } from "vitest";
import { heldRate } from "../../../core/training/knobs.ts";

const turned = (step: number | null, lr: number, hold: boolean) => ({ step, turn: { kind: "lr" as const, lr, hold } });

test("a rate is held from the last knob that took hold on, until one lets the schedule go on", () => {
  expect(heldRate([])).toBeNull();
  expect(heldRate([turned(5, 0.1, true), turned(null, 0.2, false)])).toBe(0.1);
  expect(heldRate([turned(9, 0.2, true), turned(5, 0.1, false)])).toBe(0.2);
  expect(heldRate([turned(5, 0.1, true), turned(9, 0.2, false)])).toBeNull();
  expect(heldRate([turned(5, 0.1, true), { step: 7, turn: { kind: "batch-size", batchSize: 8, dropLast: false } }])).toBe(0.1);
});
