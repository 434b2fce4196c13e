/**
 * One drawn stretch of a metric: the values of `count` points from step `from` to step `to`, and of some beside them where a pixel's border
 * needed no look at each (`queryMetrics`); `first` and `last` are those of the points at `from` and `to`.
 * `null` stands for a value that was not finite. A bucket of one point has `from === to` and four equal values.
 */
export type Bucket = {
  readonly from: number;
  readonly to: number;
  readonly first: number | null;
  readonly last: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly count: number;
};

/**
 * A metric as the page keeps it: never more than `CAPACITY` buckets, however long the run. When they are full, neighbours
 * are joined two by two, and new points go on filling buckets of that size; the lowest and highest value of each stretch
 * stay, so a spike of one step is still there after a million.
 */
export type Series = { readonly bucketSize: number; readonly buckets: readonly Bucket[] };

/** About two buckets a pixel of the widest chart. */
export const CAPACITY = 1500;

export const emptySeries: Series = { bucketSize: 1, buckets: [] };

/** The last step of a series; 0 where it is empty (the first step of a run is 1). */
export function lastStep(series: Series): number {
  return series.buckets.at(-1)?.to ?? 0;
}

/** How many recorded points the buckets stand for. */
export function pointCount(series: Series): number {
  return series.buckets.reduce((sum, bucket) => sum + bucket.count, 0);
}

export function lastValue(series: Series): number | null {
  return series.buckets.at(-1)?.last ?? null;
}

/** A series from history. The size that new points fill up to is that of the largest bucket. */
export function seriesOf(buckets: readonly Bucket[], capacity = CAPACITY): Series {
  const bucketSize = buckets.reduce((size, bucket) => Math.max(size, bucket.count), 1);
  return fit({ bucketSize, buckets }, capacity);
}

/** Adds points that came live. Steps that are already there are passed over, so a batch that comes twice counts once. */
export function appendPoints(series: Series, steps: readonly number[], values: readonly (number | null)[], capacity = CAPACITY): Series {
  const buckets = [...series.buckets];
  let tail = buckets.at(-1);
  let end = lastStep(series);
  for (const [index, step] of steps.entries()) {
    if (step <= end) continue;
    const value = values[index] ?? null;
    const point: Bucket = { from: step, to: step, first: value, last: value, min: value, max: value, count: 1 };
    if (tail && tail.count < series.bucketSize) {
      tail = join(tail, point);
      buckets[buckets.length - 1] = tail;
    } else {
      tail = point;
      buckets.push(point);
    }
    end = step;
  }
  return fit({ bucketSize: series.bucketSize, buckets }, capacity);
}

/**
 * Forgets everything after `step`, because the run went back to a checkpoint there. `torn` says that a bucket reached over
 * that step and was dropped whole: the stretch from `series`' new end to `step` has to be asked for again.
 */
export function rewind(series: Series, step: number): { series: Series; torn: boolean } {
  const kept = series.buckets.filter((bucket) => endOf(bucket) <= step);
  if (kept.length === series.buckets.length) return { series, torn: false };
  return { series: { ...series, buckets: kept }, torn: series.buckets.some((bucket) => startOf(bucket) <= step && endOf(bucket) > step) };
}

/** Where a bucket's points really begin and end, which is beyond `from` and `to` where it holds more than lie between them. */
const startOf = ({ from, to, count }: Bucket) => Math.min(from, to - count + 1);
const endOf = ({ from, to, count }: Bucket) => Math.max(to, from + count - 1);

function fit(series: Series, capacity: number): Series {
  let { bucketSize, buckets } = series;
  while (buckets.length > capacity) {
    const size = bucketSize * 2;
    const joined: Bucket[] = [];
    for (const bucket of buckets) {
      const tail = joined.at(-1);
      if (tail && tail.count + bucket.count <= size) joined[joined.length - 1] = join(tail, bucket);
      else joined.push(bucket);
    }
    bucketSize = size;
    buckets = joined;
  }
  return { bucketSize, buckets };
}

/** One bucket for several neighbours, of which there is at least one. */
export function joinBuckets(buckets: readonly Bucket[]): Bucket | undefined {
  const [first, ...rest] = buckets;
  return first && rest.reduce(join, first);
}

function join(a: Bucket, b: Bucket): Bucket {
  return { from: a.from, to: b.to, first: a.first, last: b.last, min: lower(a.min, b.min), max: higher(a.max, b.max), count: a.count + b.count };
}

const lower = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.min(a, b));
const higher = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.max(a, b));

/** The bucket whose end lies nearest to `step`, by binary search. */
export function nearestBucket(series: Series, step: number): Bucket | null {
  const { buckets } = series;
  let low = 0;
  let high = buckets.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((buckets[middle] as Bucket).to < step) low = middle + 1;
    else high = middle;
  }
  const after = buckets[low];
  const before = buckets[low - 1];
  if (!after) return null;
  return before && step - before.to < after.to - step ? before : after;
}

/**
 * Exponential moving average over the last value of each bucket, freed of the bias towards its start. `weight` is what one
 * typical gap between buckets keeps of the past (0: raw); a longer gap keeps less, so zooming does not bend the curve.
 */
export function smooth(series: Series, weight: number): (number | null)[] {
  const { buckets } = series;
  const first = buckets[0];
  const last = buckets.at(-1);
  if (weight <= 0 || !first || !last || buckets.length < 3) return buckets.map((bucket) => bucket.last);
  const gap = (last.to - first.to) / (buckets.length - 1);
  let sum = 0;
  let mass = 0;
  let previous = first.to - gap;
  return buckets.map((bucket) => {
    const { last: value } = bucket;
    if (value === null) return null;
    const keep = weight ** ((bucket.to - previous) / gap);
    previous = bucket.to;
    sum = keep * sum + (1 - keep) * value;
    mass = keep * mass + (1 - keep);
    return sum / mass;
  });
}

/** Lowest and highest finite value inside a range of steps, or null where there is none. `positive` passes over what a log scale cannot show. */
export function extent(all: readonly Series[], range: readonly [number, number] | null, positive = false): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const take = (value: number | null) => {
    if (value === null || (positive && value <= 0)) return;
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (const { buckets } of all) {
    for (const bucket of buckets) {
      if (range && (bucket.to < range[0] || bucket.from > range[1])) continue;
      // One by one and not from a list: this is done for every bucket of every chart whenever points come.
      take(bucket.min);
      take(bucket.max);
      take(bucket.last);
    }
  }
  return low <= high ? [low, high] : null;
}
