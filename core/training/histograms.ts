import { z } from "zod";

/** How the numbers of one tensor are spread: counts in equal bins from `low` to `high`. `name` is a weight's, and empty of what a node gives. */
export const Histogram = z.strictObject({ name: z.string(), node: z.string(), low: z.number(), high: z.number(), counts: z.array(z.int()) });
export type Histogram = z.infer<typeof Histogram>;

export const HISTOGRAM_KINDS = ["weights", "gradients", "activations"] as const;
export type HistogramKind = (typeof HISTOGRAM_KINDS)[number];

/** As it is kept: `bins` are the counts, 255 for the largest, in base64. */
export const PackedHistogram = z.strictObject({ name: z.string(), node: z.string(), low: z.number(), high: z.number(), bins: z.string() });
export type PackedHistogram = z.infer<typeof PackedHistogram>;
export type PackedHistograms = { [Kind in HistogramKind]: PackedHistogram[] };

/** What is drawn needs no exact counts: a byte a bin is enough. What is there at all stays to be seen. */
export function packHistogram({ name, node, low, high, counts }: Histogram): PackedHistogram {
  const most = Math.max(1, ...counts);
  const bytes = counts.map((count) => (count === 0 ? 0 : Math.max(1, Math.round((255 * count) / most))));
  // Four digits place a bin more finely than a pixel.
  return { name, node, low: Number(low.toPrecision(4)), high: Number(high.toPrecision(4)), bins: btoa(String.fromCharCode(...bytes)) };
}

/** Shares of the largest bin, from 0 to 1. */
export function unpackBins({ bins }: Pick<PackedHistogram, "bins">): number[] {
  return Array.from(atob(bins), (letter) => letter.charCodeAt(0) / 255);
}

/**
 * The bins of a histogram laid over another stretch of numbers, of as many cells, each with the share of the bin that it lies on: those of several epochs can then
 * stand one above the other. A tensor of one value fills one cell.
 */
export function layBins({ low, high, bins }: PackedHistogram, from: number, to: number, cells: number): number[] {
  const shares = unpackBins({ bins });
  const width = (high - low) / shares.length;
  return Array.from({ length: cells }, (_, cell) => {
    const [left, right] = [from + ((to - from) * cell) / cells, from + ((to - from) * (cell + 1)) / cells];
    if (width <= 0) return low >= left && (low < right || cell === cells - 1) && low <= right ? 1 : 0;
    if (right <= low || left > high) return 0;
    const first = Math.max(0, Math.floor((left - low) / width));
    const last = Math.min(shares.length - 1, Math.ceil((right - low) / width) - 1);
    return Math.max(0, ...shares.slice(first, last + 1));
  });
}
