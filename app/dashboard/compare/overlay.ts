import type { Answers } from "../../ui/trpc.ts";

/** A curve as it came: the last step of each stretch, and its last, lowest and highest value (NaN: not finite). */
export type Curve = { runId: string; steps: Int32Array; values: Float32Array };

export function decodeOverlay(overlay: Answers["runs"]["overlay"]): Curve[] {
  return overlay.map(({ runId, steps, values }) => ({ runId, steps: new Int32Array(bytesOf(steps)), values: new Float32Array(bytesOf(values)) }));
}

function bytesOf(text: string): ArrayBuffer {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes.buffer;
}

/** What lies along the chart for each stretch: steps, epochs, hours of training, or another metric. NaN where that is not known. */
export type Along = (curve: Curve, at: number) => number;

/** Index of the last stretch that ends at or before a step; -1 where there is none. */
export function stretchBefore(steps: Int32Array, step: number): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] as number) <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Seconds of training before a step, between the steps at which they were noted; beyond the last at the pace until there. NaN where nothing is known. */
export function secondsAt(steps: ArrayLike<number>, seconds: (at: number) => number, step: number): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] as number) < step) low = middle + 1;
    else high = middle;
  }
  if (steps.length === 0) return Number.NaN;
  const before = low === 0 ? { step: 0, seconds: 0 } : { step: steps[low - 1] as number, seconds: seconds(low - 1) };
  if (low === steps.length) return before.step === 0 ? Number.NaN : (before.seconds * step) / before.step;
  const after = { step: steps[low] as number, seconds: seconds(low) };
  return before.seconds + ((after.seconds - before.seconds) * (step - before.step)) / Math.max(1, after.step - before.step);
}

/** The ranges of what is drawn; null where nothing is. */
export function rangesOf(curves: readonly Curve[], along: Along, window: readonly [number, number] | null, log: boolean): { x: [number, number]; y: [number, number] } | null {
  let [x0, x1, y0, y1] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const curve of curves) {
    for (let at = 0; at < curve.steps.length; at++) {
      const x = along(curve, at);
      if (Number.isNaN(x) || (window && (x < window[0] || x > window[1]))) continue;
      x0 = Math.min(x0, x);
      x1 = Math.max(x1, x);
      for (let part = 1; part < 3; part++) {
        const y = curve.values[at * 3 + part] as number;
        if (!Number.isFinite(y) || (log && y <= 0)) continue;
        y0 = Math.min(y0, y);
        y1 = Math.max(y1, y);
      }
    }
  }
  return y0 <= y1 ? { x: window ? [window[0], window[1]] : [x0, x1], y: [y0, y1] } : null;
}

/** A moving mean that is freed of its start: `weight` is what one step from stretch to stretch keeps of the past. */
export function smoothed(values: Float32Array, weight: number): Float32Array {
  const count = values.length / 3;
  const out = new Float32Array(count);
  let [sum, mass] = [0, 0];
  for (let at = 0; at < count; at++) {
    const value = values[at * 3] as number;
    if (Number.isFinite(value)) {
      sum = weight * sum + (1 - weight) * value;
      mass = weight * mass + (1 - weight);
    }
    out[at] = Number.isFinite(value) ? sum / mass : Number.NaN;
  }
  return out;
}
