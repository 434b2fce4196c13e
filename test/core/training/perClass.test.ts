import { expect, test } from "vitest";
import { scoreClasses } from "../../../core/training/perClass.ts";

test("a class is scored by what was right of what was named so, and of what is so", () => {
  const [cat, dog, fox] = scoreClasses([
    [8, 2, 0],
    [1, 9, 0],
    [0, 0, 0],
  ]);
  expect(cat).toEqual({ index: 0, rows: 10, precision: 8 / 9, recall: 0.8, f1: 16 / 19 });
  expect(dog).toMatchObject({ precision: 9 / 11, recall: 0.9 });
  // A class that neither is nor was named has no score, not a bad one.
  expect(fox).toEqual({ index: 2, rows: 0, precision: null, recall: null, f1: null });
});
