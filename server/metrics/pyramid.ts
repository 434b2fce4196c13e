import { endianness } from "node:os";

/**
 * How points lie in bytes. Level 0 keeps the points themselves; a bucket of level n stands for 16^n neighbouring points,
 * counted from the first one of the run, and exists once all of them are there. So a level only ever grows at its end, and
 * what is not yet in a bucket of one level is found in the level below.
 */
export const CHUNK = 256;
export const FACTOR = 16;
/** 256 · 16^7 points: more than a run will ever have. */
export const TOP_LEVEL = 7;

/**
 * Entries of one level in order. A point has one step and one value. A bucket has four of each: first, last, lowest and highest value, and
 * the steps that had them, the first one each where several did. Lowest and highest are NaN where no value is a number.
 */
export type Entries = { steps: Int32Array; values: Float64Array };

/** How many steps, and how many values, an entry of a level has. */
export const width = (level: number): number => (level === 0 ? 1 : 4);

/** Every whole group of 16 entries of a level as a bucket of the next; what is left at the end is left out. */
export function foldEntries(level: number, { steps, values }: Entries): Entries {
  const group = FACTOR * width(level);
  const count = Math.floor(steps.length / group);
  const folded: Entries = { steps: new Int32Array(count * 4), values: new Float64Array(count * 4) };
  for (let at = 0; at < count; at++) foldGroup(level, steps, values, at * group, (at + 1) * group, folded, at * 4);
  return folded;
}

/** Writes the bucket of the entries that lie between two places of the arrays. */
export function foldGroup(level: number, steps: Int32Array, values: Float64Array, from: number, to: number, into: Entries, at: number): void {
  // Places of the last, lowest and highest value and step within an entry.
  const [last, low, high, stride] = level === 0 ? [0, 0, 0, 1] : [1, 2, 3, 4];
  let min = Number.NaN;
  let max = Number.NaN;
  let minStep = steps[from] as number;
  let maxStep = minStep;
  for (let entry = from; entry < to; entry += stride) {
    const lowest = values[entry + low] as number;
    const highest = values[entry + high] as number;
    // Written so that the first number replaces NaN, and NaN replaces nothing.
    if (lowest < min || (Number.isNaN(min) && !Number.isNaN(lowest))) {
      min = lowest;
      minStep = steps[entry + low] as number;
    }
    if (highest > max || (Number.isNaN(max) && !Number.isNaN(highest))) {
      max = highest;
      maxStep = steps[entry + high] as number;
    }
  }
  into.steps[at] = steps[from] as number;
  into.steps[at + 1] = steps[to - stride + last] as number;
  into.steps[at + 2] = minStep;
  into.steps[at + 3] = maxStep;
  into.values[at] = values[from] as number;
  into.values[at + 1] = values[to - stride + last] as number;
  into.values[at + 2] = min;
  into.values[at + 3] = max;
}

export function joinEntries(a: Entries, b: Entries): Entries {
  if (a.steps.length === 0) return b;
  const steps = new Int32Array(a.steps.length + b.steps.length);
  steps.set(a.steps);
  steps.set(b.steps, a.steps.length);
  const values = new Float64Array(a.values.length + b.values.length);
  values.set(a.values);
  values.set(b.values, a.values.length);
  return { steps, values };
}

export type Packed = { steps: Uint8Array; values: Uint8Array };

/** The bytes of entries as they are kept: little-endian. Shares their memory. */
export function packEntries({ steps, values }: Entries): Packed {
  return { steps: new Uint8Array(steps.buffer, steps.byteOffset, steps.byteLength), values: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

export function unpackEntries({ steps, values }: Packed): Entries {
  // A copy, since numbers have to lie at multiples of their size.
  return { steps: new Int32Array(new Uint8Array(steps).buffer), values: new Float64Array(new Uint8Array(values).buffer) };
}

if (endianness() !== "LE") throw new Error("Metrics are kept little-endian and written as they lie in memory: this processor is big-endian.");
