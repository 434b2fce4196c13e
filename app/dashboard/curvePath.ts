import { type Bucket, joinBuckets, type Series, smooth } from "./series.ts";

/** What is drawn of a curve at one place along the steps. */
export type Row = { step: number; value: number | null; smooth: number | null; low: number | null; high: number | null };

/**
 * The rows to draw inside a range, and one on either side so that lines run to the frame. Where there are more buckets than
 * pixels, neighbours are joined: a group keeps its lowest, highest and last value. Groups are counted from the first
 * bucket of the series and double in size, so that they stand still while points come.
 */
export function rowsOf({ series, noisy }: { series: Series; noisy: boolean }, range: readonly [number, number], log: boolean, smoothing: number, pixels: number): Row[] {
  const { buckets } = series;
  const end = firstAt(buckets, range[1]) + 1;
  const start = Math.max(0, firstAt(buckets, range[0]) - 1);
  const size = 2 ** Math.max(0, Math.ceil(Math.log2((end - start) / Math.max(1, pixels))));
  const smoothed = noisy && smoothing > 0 ? smooth(series, smoothing) : null;
  const show = (value: number | null) => (value === null || (log && value <= 0) ? null : value);
  // Plain rows stay the same objects while their group does.
  const kept = smoothed === null && !log ? plain : null;
  const rows: Row[] = [];
  for (let from = start - (start % size); from < Math.min(end, buckets.length); from += size) {
    const until = Math.min(from + size, buckets.length);
    const bucket = groupOf(buckets, from, until);
    if (!bucket) break;
    const before = kept?.get(bucket);
    if (before) {
      rows.push(before);
      continue;
    }
    const isCoarse = bucket.count > 1;
    const row = {
      step: bucket.to,
      value: show(bucket.last),
      smooth: show(smoothed?.[until - 1] ?? null),
      low: isCoarse ? show(bucket.min) : null,
      high: isCoarse ? show(bucket.max) : null,
    };
    kept?.set(bucket, row);
    rows.push(row);
  }
  return rows;
}

const plain = new WeakMap<Bucket, Row>();

/** So many rows are drawn together: of a curve that grows all but the last of them are drawn once. */
const STEADY = 64;

/** Where a curve is cut: the rows up to there, it included, stay as they are until many more have come; those from there on, it included, are drawn anew. */
export function cutOf(rows: readonly Row[]): number {
  return Math.max(0, rows.length - 1 - ((rows.length - 1) % STEADY));
}

/** Groups that were joined before, by their first bucket: while points come, all but the last are the same. */
const joined = new WeakMap<Bucket, { last: Bucket; group: Bucket }>();

/** Neighbouring buckets as one. */
function groupOf(buckets: readonly Bucket[], from: number, until: number): Bucket | undefined {
  const [first, last] = [buckets[from], buckets[until - 1]];
  if (!first || !last || first === last) return first;
  const known = joined.get(first);
  if (known?.last === last) return known.group;
  const group = joinBuckets(buckets.slice(from, until));
  if (group) joined.set(first, { last, group });
  return group;
}

/** Index of the first bucket that ends at or after a step. */
function firstAt(buckets: readonly Bucket[], step: number): number {
  let low = 0;
  let high = buckets.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((buckets[middle] as Bucket).to < step) low = middle + 1;
    else high = middle;
  }
  return low;
}

type Scale = (value: number) => number;

/** An SVG path through the values; it breaks off where one is not finite. */
export function linePath(rows: readonly Row[], which: "value" | "smooth", x: Scale, y: Scale): string {
  let path = "";
  let pen = "M";
  for (const row of rows) {
    const value = row[which];
    if (value === null) pen = "M";
    else {
      path += `${pen}${round(x(row.step))} ${round(y(value))}`;
      pen = "L";
    }
  }
  return path;
}

/**
 * An SVG path around each stretch of coarse rows, from their lowest to their highest values; empty where none is coarse. Where the rows go on in another path its
 * `seam` is left without a line.
 */
export function bandPath(rows: readonly Row[], x: Scale, y: Scale, seam: "begin" | "end" | null = null): string {
  let path = "";
  for (let from = 0; from < rows.length; ) {
    let to = from;
    let top = "";
    let bottom = "";
    for (; to < rows.length; to++) {
      const { step, low, high } = rows[to] as Row;
      if (low === null || high === null) break;
      const at = round(x(step));
      top += `${to === from ? "M" : "L"}${at} ${round(y(high))}`;
      bottom = `L${at} ${round(y(low))}${bottom}`;
    }
    if (to > from) {
      if (seam === "end" && to === rows.length) path += `M${bottom.slice(1)}L${top.slice(1)}`;
      else path += `${top}${bottom}${seam === "begin" && from === 0 ? "" : "Z"}`;
    }
    from = Math.max(to, from + 1);
  }
  return path;
}

/** A tenth of a pixel is finer than a screen. */
const round = (pixels: number) => Math.round(pixels * 10) / 10;
