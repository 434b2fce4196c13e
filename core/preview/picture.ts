import { z } from "zod";

/** How much of a value is shown: beside a node on the canvas, or in the panel. */
export type Detail = "small" | "large";

const LIMITS = {
  small: { channels: 8, side: 32, rows: 32, columns: 64, numbers: 16, tokens: 48 },
  large: { channels: 64, side: 64, rows: 128, columns: 192, numbers: 128, tokens: 512 },
} as const;
const BINS = 24;

/**
 * A small picture of a value. `bytes`, in base64, are 0 at `low` and 255 at `high`; where a value has both signs these lie evenly around 0.
 *  - image: `shown` of `channels` planes of height × width pixels. `natural`: as the data set's pictures look, of one or three channels.
 *  - map: steps (rows) by features (columns), or `folded` the numbers of a long vector in reading order.
 */
const View = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("image"),
    channels: z.int(),
    shown: z.int(),
    height: z.int(),
    width: z.int(),
    low: z.number(),
    high: z.number(),
    natural: z.boolean(),
    bytes: z.string(),
  }),
  z.strictObject({ kind: z.literal("map"), rows: z.int(), columns: z.int(), low: z.number(), high: z.number(), folded: z.boolean(), bytes: z.string() }),
  /** The first numbers, not finite ones as null. */
  z.strictObject({ kind: z.literal("numbers"), values: z.array(z.number().nullable()) }),
  /** Whole numbers in a row, such as tokens and classes. */
  z.strictObject({ kind: z.literal("tokens"), values: z.array(z.int()) }),
  z.strictObject({ kind: z.literal("nothing") }),
]);
export type View = z.infer<typeof View>;

export const Picture = z.strictObject({
  /** With the batch axis, which is 1. */
  shape: z.array(z.int()),
  dtype: z.enum(["float32", "int64", "bool", "uint8"]),
  count: z.int(),
  /** Over the finite numbers. */
  min: z.number().nullable(),
  max: z.number().nullable(),
  mean: z.number().nullable(),
  std: z.number().nullable(),
  /** How many are exactly 0, and how many are no numbers. */
  zeros: z.int(),
  bad: z.int(),
  /** How many lie in each of equal bins from `min` to `max`; empty where all are the same. */
  histogram: z.array(z.int()),
  view: View,
});
export type Picture = z.infer<typeof Picture>;

type Numbers = ArrayLike<number>;
/** How the data set's pictures were scaled before the network saw them. */
export type Scaling = { mean: readonly number[]; std: readonly number[] };

/** Makes a small picture of a tensor. `scaling` is undone where the value still looks like one of the data set's pictures. */
export function pictureOf(tensor: { dtype: Picture["dtype"]; shape: readonly number[]; data: Numbers }, detail: Detail, scaling: Scaling | null): Picture {
  const { dtype, shape, data } = tensor;
  return { shape: [...shape], dtype, ...measure(data), view: viewOf(tensor, detail, scaling) };
}

function measure(data: Numbers): Omit<Picture, "shape" | "dtype" | "view"> {
  let [min, max, sum, zeros, bad] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (!Number.isFinite(value)) {
      bad++;
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
    if (value === 0) zeros++;
    sum += value;
  }
  const finite = data.length - bad;
  if (finite === 0) return { count: data.length, min: null, max: null, mean: null, std: null, zeros, bad, histogram: [] };
  const mean = sum / finite;
  const histogram = max > min ? Array<number>(BINS).fill(0) : [];
  let squares = 0;
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (!Number.isFinite(value)) continue;
    squares += (value - mean) ** 2;
    if (histogram.length > 0) {
      const bin = Math.min(BINS - 1, Math.floor(((value - min) / (max - min)) * BINS));
      histogram[bin] = (histogram[bin] ?? 0) + 1;
    }
  }
  return { count: data.length, min, max, mean, std: Math.sqrt(squares / finite), zeros, bad, histogram };
}

function viewOf({ dtype, shape, data }: { dtype: Picture["dtype"]; shape: readonly number[]; data: Numbers }, detail: Detail, scaling: Scaling | null): View {
  const limits = LIMITS[detail];
  if (data.length === 0) return { kind: "nothing" };
  // Axes of one entry say nothing of how the rest is to be laid out, but those of a picture do.
  const sizes = shape[0] === 1 ? shape.slice(1) : [...shape];
  const [height = 1, width = 1] = sizes.slice(-2);
  if (sizes.length >= 3 && height > 1 && width > 1)
    return imageOf(
      data,
      sizes.slice(0, -2).reduce((a, b) => a * b, 1),
      height,
      width,
      limits,
      scaling,
    );
  const long = sizes.filter((size) => size > 1);
  if (dtype !== "float32" && long.length <= 1) return { kind: "tokens", values: Array.from({ length: Math.min(limits.tokens, data.length) }, (_, i) => Number(data[i])) };
  if (long.length === 2) {
    const [rows = 1, columns = 1] = long;
    const shown = shrunk(data, 0, rows, columns, limits.rows, limits.columns);
    return { kind: "map", rows: shown.rows, columns: shown.columns, folded: false, ...toBytes(shown.values) };
  }
  if (data.length <= limits.numbers) return { kind: "numbers", values: Array.from(data, (value) => (Number.isFinite(value) ? value : null)) };
  const count = Math.min(data.length, limits.rows * 32);
  const columns = count <= 64 ? 16 : 32;
  const rows = Math.ceil(count / columns);
  const values = new Float64Array(rows * columns).fill(Number.NaN);
  for (let i = 0; i < count; i++) values[i] = data[i] as number;
  return { kind: "map", rows, columns, folded: true, ...toBytes(values) };
}

function imageOf(data: Numbers, channels: number, height: number, width: number, limits: (typeof LIMITS)[Detail], scaling: Scaling | null): View {
  const natural = scaling !== null && scaling.mean.length === channels && (channels === 1 || channels === 3) ? naturalOf(data, height * width, scaling) : null;
  const shown = Math.min(channels, limits.channels);
  const side = natural ? Math.max(limits.side, 64) : limits.side;
  const planes = Array.from({ length: shown }, (_, channel) => shrunk(natural ?? data, channel * height * width, height, width, side, side));
  const [first] = planes;
  if (!first) return { kind: "nothing" };
  const values = new Float64Array(shown * first.rows * first.columns);
  for (const [i, plane] of planes.entries()) values.set(plane.values, i * first.rows * first.columns);
  return { kind: "image", channels, shown, height: first.rows, width: first.columns, natural: natural !== null, ...toBytes(values, natural ? [0, 1] : undefined) };
}

/** The value as the data set's own pictures are, from 0 to 1; null where it is none of these any more. */
function naturalOf(data: Numbers, plane: number, { mean, std }: Scaling): Float64Array | null {
  const values = new Float64Array(data.length);
  let outside = 0;
  for (let i = 0; i < data.length; i++) {
    const channel = Math.floor(i / plane);
    const value = (data[i] as number) * (std[channel] ?? 1) + (mean[channel] ?? 0);
    if (!(value > -0.3 && value < 1.3)) outside++;
    values[i] = value;
  }
  return outside > 0.05 * data.length ? null : values;
}

/** A plane of numbers made smaller: blocks become their mean. */
function shrunk(data: Numbers, start: number, height: number, width: number, mostRows: number, mostColumns: number): { rows: number; columns: number; values: Float64Array } {
  const [tall, wide] = [Math.ceil(height / mostRows), Math.ceil(width / mostColumns)];
  const [rows, columns] = [Math.ceil(height / tall), Math.ceil(width / wide)];
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let [sum, count] = [0, 0];
      for (let y = row * tall; y < Math.min(height, (row + 1) * tall); y++)
        for (let x = column * wide; x < Math.min(width, (column + 1) * wide); x++) {
          sum += data[start + y * width + x] as number;
          count++;
        }
      values[row * columns + column] = sum / count;
    }
  return { rows, columns, values };
}

/** Numbers as bytes between their least and greatest; evenly around 0 where there are both signs. What is no number is drawn as the middle. */
function toBytes(values: Float64Array, range?: [number, number]): { low: number; high: number; bytes: string } {
  let [low, high] = range ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  if (!range) {
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (low > high) [low, high] = [0, 0];
    if (low < 0 && high > 0) {
      high = Math.max(high, -low);
      low = -high;
    }
  }
  const scale = high > low ? 255 / (high - low) : 0;
  let text = "";
  for (const value of values) text += String.fromCharCode(Number.isFinite(value) ? Math.max(0, Math.min(255, Math.round((value - low) * scale))) : 128);
  return { low, high, bytes: btoa(text) };
}
