import { expect, test } from "vitest";
import { nearestPoint, planeOf } from "../../../app/dashboard/results/plane.ts";

const map = { x: [0, 10, 4], y: [0, 2, -3], classes: [0, 1, 1] };
const plane = planeOf(map, 220);

test("points lie within the square, up is more, and both axes have one scale", () => {
  for (const [at, x] of map.x.entries()) {
    expect(plane.x(x)).toBeGreaterThanOrEqual(10);
    expect(plane.x(x)).toBeLessThanOrEqual(210);
    expect(plane.y(map.y[at] ?? 0)).toBeGreaterThan(10);
    expect(plane.y(map.y[at] ?? 0)).toBeLessThan(210);
  }
  expect(plane.y(2)).toBeLessThan(plane.y(-3));
  expect(plane.x(10) - plane.x(0)).toBeCloseTo(plane.y(0) - plane.y(10), 9);
});

test("a place says the numbers that it stands for", () => {
  const [x, y] = plane.at(plane.x(3.5), plane.y(-1.25));
  expect(x).toBeCloseTo(3.5, 9);
  expect(y).toBeCloseTo(-1.25, 9);
});

test("the nearest point is found, of one class where one is looked at, and none far away", () => {
  expect(nearestPoint(map, plane, plane.x(4) + 3, plane.y(-3), null)).toBe(2);
  expect(nearestPoint(map, plane, plane.x(0), plane.y(0), null)).toBe(0);
  expect(nearestPoint(map, plane, plane.x(0), plane.y(0), 1)).toBeNull();
});

test("one point alone, or none, has a place too", () => {
  expect(planeOf({ x: [5], y: [5] }, 100).x(5)).toBe(50);
  expect(Number.isFinite(planeOf({ x: [], y: [] }, 100).x(0))).toBe(true);
});
