/**
 * How points lie in bytes. Level 0 keeps the points themselves; a bucket of level n stands for 16^n neighbouring points,
 * counted from the first one of the run, and exists once all of them are there. So a level only ever grows at its end, and
 * what is not yet in a bucket of one level is found in the level below.
 */
export const CHUNK = 256;
export const FACTOR = 16;
/** 256 · 16^7 points: more than a run will ever have. */
export const TOP_LEVEL = 7;

/** Points in step order. */
export type Raw = { steps: number[]; values: number[] };

/** A stretch of points: where it begins and ends, its ends' values, and its lowest and highest value with the first step that had it. NaN where no value is a number. */
export type Bucket = {
  firstStep: number;
  lastStep: number;
  minStep: number;
  maxStep: number;
  first: number;
  last: number;
  min: number;
  max: number;
};

/** One bucket out of the points `from` (included) to `to`. */
export function bucketOfPoints({ steps, values }: Raw, from: number, to: number): Bucket {
  const bucket: Bucket = {
    firstStep: steps[from] as number,
    lastStep: steps[to - 1] as number,
    minStep: steps[from] as number,
    maxStep: steps[from] as number,
    first: values[from] as number,
    last: values[to - 1] as number,
    min: Number.NaN,
    max: Number.NaN,
  };
  for (let index = from; index < to; index++) {
    const value = values[index] as number;
    // Written so that the first number replaces NaN, and NaN replaces nothing.
    if (!(bucket.min <= value) && !Number.isNaN(value)) [bucket.min, bucket.minStep] = [value, steps[index] as number];
    if (!(bucket.max >= value) && !Number.isNaN(value)) [bucket.max, bucket.maxStep] = [value, steps[index] as number];
  }
  return bucket;
}

/** One bucket out of neighbouring ones, in order. */
export function joinBuckets(buckets: readonly Bucket[]): Bucket {
  const first = buckets[0] as Bucket;
  const joined: Bucket = { ...first, lastStep: (buckets.at(-1) as Bucket).lastStep, last: (buckets.at(-1) as Bucket).last };
  for (const { min, minStep, max, maxStep } of buckets) {
    if (!(joined.min <= min) && !Number.isNaN(min)) [joined.min, joined.minStep] = [min, minStep];
    if (!(joined.max >= max) && !Number.isNaN(max)) [joined.max, joined.maxStep] = [max, maxStep];
  }
  return joined;
}

/** A chunk's two columns as they are kept: little-endian, whatever the machine. */
export type Packed = { steps: Uint8Array<ArrayBuffer>; values: Uint8Array<ArrayBuffer> };

export function packPoints({ steps, values }: Raw): Packed {
  return { steps: packInts(steps), values: packFloats(values) };
}

export function packBuckets(buckets: readonly Bucket[]): Packed {
  return {
    steps: packInts(buckets.flatMap(({ firstStep, lastStep, minStep, maxStep }) => [firstStep, lastStep, minStep, maxStep])),
    values: packFloats(buckets.flatMap(({ first, last, min, max }) => [first, last, min, max])),
  };
}

export function unpackPoints({ steps, values }: { steps: Uint8Array; values: Uint8Array }): Raw {
  return { steps: unpackInts(steps), values: unpackFloats(values) };
}

export function unpackBuckets(packed: { steps: Uint8Array; values: Uint8Array }): Bucket[] {
  const steps = unpackInts(packed.steps);
  const values = unpackFloats(packed.values);
  return Array.from({ length: steps.length / 4 }, (_, index) => {
    const [firstStep, lastStep, minStep, maxStep] = steps.slice(index * 4) as [number, number, number, number];
    const [first, last, min, max] = values.slice(index * 4) as [number, number, number, number];
    return { firstStep, lastStep, minStep, maxStep, first, last, min, max };
  });
}

function packInts(numbers: readonly number[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(numbers.length * 4));
  for (const [index, number] of numbers.entries()) view.setInt32(index * 4, number, true);
  return new Uint8Array(view.buffer);
}

function packFloats(numbers: readonly number[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(numbers.length * 8));
  for (const [index, number] of numbers.entries()) view.setFloat64(index * 8, number, true);
  return new Uint8Array(view.buffer);
}

function unpackInts(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.getInt32(index * 4, true));
}

function unpackFloats(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / 8 }, (_, index) => view.getFloat64(index * 8, true));
}
