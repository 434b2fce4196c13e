import { describe, expect, it } from "vitest";
import { mapRows, pointCount } from "../../../core/training/latentMap.ts";
import { randomNumbers } from "../../native/specs.ts";

/** Rows that lie in a plane of a space of five numbers, with a little of everything beside. */
function rowsOnPlane(noise: number): { rows: number[][]; at: [number, number][] } {
  const random = randomNumbers(5);
  const normal = () => random() + random() + random() - 1.5;
  const [a, b] = [
    [0.6, 0, -0.8, 0, 0],
    [0, 0.5, 0, 0.5, -Math.SQRT1_2],
  ];
  const at = Array.from({ length: 300 }, (): [number, number] => [4 * normal(), normal()]);
  return { at, rows: at.map(([u, v]) => Array.from({ length: 5 }, (_, i) => 7 + u * (a?.[i] ?? 0) + v * (b?.[i] ?? 0) + noise * normal())) };
}

describe("the map of latent numbers", () => {
  it("shows two numbers as they are, and one beside 0", () => {
    expect(
      mapRows([
        [1, -2.5],
        [0.25, 3],
      ]),
    ).toEqual({ x: [1, 0.25], y: [-2.5, 3], width: 2, explained: 1 });
    expect(mapRows([[1], [2]])).toMatchObject({ x: [1, 2], y: [0, 0] });
  });

  it("finds the plane in which rows lie: distances are kept, and nothing is left over", () => {
    const { rows, at } = rowsOnPlane(0);
    const map = mapRows(rows);
    expect(map?.explained).toBe(1);
    for (const [i, j] of [
      [0, 1],
      [5, 200],
      [17, 299],
      [100, 101],
    ] as const) {
      const there = Math.hypot((at[i]?.[0] ?? 0) - (at[j]?.[0] ?? 0), (at[i]?.[1] ?? 0) - (at[j]?.[1] ?? 0));
      const here = Math.hypot((map?.x[i] ?? 0) - (map?.x[j] ?? 0), (map?.y[i] ?? 0) - (map?.y[j] ?? 0));
      // Points are written with four digits.
      expect(Math.abs(here - there)).toBeLessThan(0.01);
    }
  });

  it("puts the direction of the widest spread first, and says how much the plane leaves out", () => {
    const map = mapRows(rowsOnPlane(0.5).rows);
    const spread = (values: number[] = []) => values.reduce((sum, value) => sum + value * value, 0);
    expect(spread(map?.x)).toBeGreaterThan(4 * spread(map?.y));
    expect(map?.explained).toBeGreaterThan(0.8);
    expect(map?.explained).toBeLessThan(0.99);
  });

  it("is the same whichever way round the numbers are counted", () => {
    const { rows } = rowsOnPlane(0.1);
    const turned = mapRows(rows.map((row) => row.map((value) => -value)));
    const map = mapRows(rows);
    // Turned about, the same axes point the other way for every row, or for none.
    for (const side of ["x", "y"] as const) {
      const sign = Math.sign((map?.[side][0] ?? 0) * (turned?.[side][0] ?? 0));
      for (const [i, value] of (map?.[side] ?? []).entries()) expect(turned?.[side][i]).toBeCloseTo(sign * value, 2);
    }
  });

  it("is not drawn where a number is not finite", () => {
    expect(
      mapRows([
        [1, null],
        [0, 1],
      ]),
    ).toBeNull();
    expect(mapRows([])).toBeNull();
  });

  it("has fewer points where each says more", () => {
    expect([2, 64, 256, 4_000].map(pointCount)).toEqual([1_000, 1_000, 250, 64]);
  });
});
