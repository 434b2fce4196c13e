import type { LatentMap } from "../../../core/training/latentMap.ts";

/** Where numbers of a map lie in a square of pixels, and what numbers a place stands for. Both axes have one scale, so that distances can be compared. */
export type Plane = { x(value: number): number; y(value: number): number; at(left: number, top: number): [x: number, y: number] };

const MARGIN = 10;

export function planeOf(map: Pick<LatentMap, "x" | "y">, side: number): Plane {
  const [left, right] = ends(map.x);
  const [bottom, top] = ends(map.y);
  const reach = Math.max(right - left, top - bottom) || 1;
  const scale = Math.max(1, side - 2 * MARGIN) / reach;
  const [midX, midY] = [(left + right) / 2, (bottom + top) / 2];
  return {
    x: (value) => side / 2 + (value - midX) * scale,
    y: (value) => side / 2 - (value - midY) * scale,
    at: (fromLeft, fromTop) => [midX + (fromLeft - side / 2) / scale, midY - (fromTop - side / 2) / scale],
  };
}

function ends(values: readonly number[]): [low: number, high: number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return low <= high ? [low, high] : [0, 1];
}

/** How far from a point, in pixels, a pointer still means it. */
const NEAR = 12;

/** The point nearest to a place, of one class or of all; null where none is near. */
export function nearestPoint(map: Pick<LatentMap, "x" | "y" | "classes">, plane: Plane, left: number, top: number, only: number | null): number | null {
  let nearest: number | null = null;
  let least = NEAR;
  for (const [at, x] of map.x.entries()) {
    if (only !== null && map.classes[at] !== only) continue;
    const distance = Math.hypot(plane.x(x) - left, plane.y(map.y[at] ?? 0) - top);
    if (distance >= least) continue;
    least = distance;
    nearest = at;
  }
  return nearest;
}
