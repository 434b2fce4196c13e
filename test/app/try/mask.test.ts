import { expect, test } from "vitest";
import { classesOf } from "../../../app/try/TryMask.tsx";

test("each pixel has the class with its highest score", () => {
  // Three classes of four pixels, class by class.
  const scores = [0, 1, 5, 0, /* */ 2, 0, 1, 0, /* */ 1, 3, 2, 0];
  expect([...classesOf(scores, 4)]).toEqual([1, 2, 0, 0]);
});

test("one score alone says yes where it is above 0", () => {
  expect([...classesOf([-1, 0, 0.5], 3)]).toEqual([0, 0, 1]);
});
