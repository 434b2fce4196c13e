import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Manifest } from "../../core/data/manifest.ts";
import { beginOf, itemSizeBytes, readNpyHeader } from "../../core/data/npy.ts";
import { type Series, timeOf } from "../../core/data/series.ts";
import type { FileStore } from "../storage/files.ts";
import { examinePictures } from "./pictureHealth.ts";
import { datasetFolder } from "./write.ts";

/** `name` is that of the row's file, where it was one. */
const Place = z.strictObject({ split: z.enum(["train", "validation"]), row: z.int(), name: z.string().optional() });
const Where = z.enum(["train", "validation", "across"]);

/** What may be wrong with a data set, each with its first rows. */
export const Health = z.strictObject({
  ok: z.literal(true),
  /** Rows that were compared, of all. */
  compared: z.int(),
  /** Rows equal to one before them, by where the two stand. */
  duplicates: z.array(
    z.strictObject({
      where: Where,
      count: z.int(),
      /** Of these, how many have another target than the row they equal. */
      contradictions: z.int(),
      first: z.array(z.strictObject({ row: Place, equals: Place, contradicts: z.boolean() })),
    }),
  ),
  /** Pictures that look like one before them and are not equal to it. */
  similar: z.array(z.strictObject({ where: Where, count: z.int(), first: z.array(z.strictObject({ row: Place, equals: Place })) })),
  /** Columns with one value in all training rows. */
  constant: z.array(z.string()),
  /** Columns with values far from the mean of the training rows, the farthest first. */
  outliers: z.array(z.strictObject({ column: z.string(), count: z.int(), first: z.array(Place.extend({ value: z.number(), deviations: z.number() })) })),
});
export type Health = z.infer<typeof Health>;

const MOST_COMPARED = 1_000_000;
const SHOWN = 10;
/** Standard deviations from which on a value is called far off. */
const FAR = 6;

type Split = "train" | "validation";
const splits = ["train", "validation"] as const;

/** Looks through all rows of a data set's arrays. */
export async function examineDataset(files: FileStore, datasetId: string, manifest: Manifest): Promise<Health> {
  if (manifest.pictures) return { ok: true, ...examinePictures(files, datasetId, manifest), constant: [], outliers: [] };
  const load = async (column: Manifest["splits"]["train"]["input"]) => {
    const bytes = await readFile(files.path(`${datasetFolder(datasetId)}/${column.file}`));
    return bytes.subarray(readNpyHeader(bytes.subarray(0, 16_384), bytes.length).offset);
  };
  const arrays = { train: await load(manifest.splits.train.input), validation: await load(manifest.splits.validation.input) };
  const targets = { train: await load(manifest.splits.train.target), validation: await load(manifest.splits.validation.target) };
  const { compared, duplicates } = findDuplicates(manifest, arrays, targets);
  const columns = manifest.series ? examineSeries(manifest, manifest.series, arrays.train) : examineColumns(manifest, arrays);
  return { ok: true, compared, duplicates, similar: [], ...columns };
}

function findDuplicates(manifest: Manifest, arrays: { [split in Split]: Buffer }, targets: { [split in Split]: Buffer }): Pick<Health, "compared" | "duplicates"> {
  const widthOf = ({ shape, dtype }: Manifest["splits"]["train"]["input"]) => shape.reduce((product, size) => product * size, itemSizeBytes[dtype]);
  const seen = new Map<string, { split: Split; row: number }>();
  const groups = new Map(["train", "validation", "across"].map((where) => [where, { count: 0, contradictions: 0, first: [] as Health["duplicates"][number]["first"] }]));
  let compared = 0;
  for (const split of splits) {
    const { input, target, rows } = manifest.splits[split];
    const [width, targetWidth] = [widthOf(input), widthOf(target)];
    const inputOf = (of: Split, row: number) => arrays[of].subarray(beginOf(manifest.splits[of].input, row), beginOf(manifest.splits[of].input, row) + width);
    const targetOf = (of: Split, row: number) => targets[of].subarray(beginOf(manifest.splits[of].target, row), beginOf(manifest.splits[of].target, row) + targetWidth);
    for (let row = 0; row < rows && compared < MOST_COMPARED; row++, compared++) {
      const key = createHash("sha1").update(inputOf(split, row)).digest("base64");
      const earlier = seen.get(key);
      if (!earlier) {
        seen.set(key, { split, row });
        continue;
      }
      const group = groups.get(earlier.split === split ? split : "across");
      if (!group) continue;
      const contradicts = !targetOf(split, row).equals(targetOf(earlier.split, earlier.row));
      group.count++;
      if (contradicts) group.contradictions++;
      if (group.first.length < SHOWN) group.first.push({ row: { split, row }, equals: earlier, contradicts });
    }
  }
  const found = Health.shape.duplicates.parse([...groups].map(([where, group]) => ({ where, ...group })).filter(({ count }) => count > 0));
  return { compared, duplicates: found };
}

function examineColumns({ columns, preprocess, splits: parts }: Manifest, arrays: { [split in Split]: Buffer }): Pick<Health, "constant" | "outliers"> {
  if (columns.length === 0 || preprocess.dtype !== "float32") return { constant: [], outliers: [] };
  const width = columns.length;
  const at = (split: Split, row: number, column: number) => arrays[split].readFloatLE((row * width + column) * 4);
  const constant: string[] = [];
  const outliers: Health["outliers"] = [];
  for (const [index, column] of columns.entries()) {
    const first = at("train", 0, index);
    let isConstant = true;
    for (let row = 1; row < parts.train.rows && isConstant; row++) isConstant = at("train", row, index) === first;
    if (isConstant) constant.push(column);
    const [mean, std] = [preprocess.mean[index] ?? 0, preprocess.std[index] ?? 1];
    // One-hot columns are 0 or 1, with mean 0 and deviation 1: never far off.
    const far: Health["outliers"][number]["first"] = [];
    let count = 0;
    for (const split of splits)
      for (let row = 0; row < parts[split].rows; row++) {
        const value = at(split, row, index);
        const deviations = (value - mean) / std;
        if (Math.abs(deviations) <= FAR) continue;
        count++;
        far.push({ split, row, value, deviations });
        if (far.length > 4 * SHOWN) keepFarthest(far);
      }
    if (count === 0) continue;
    keepFarthest(far);
    outliers.push({ column, count, first: far });
  }
  return { constant, outliers: outliers.sort((a, b) => b.count - a.count).slice(0, 50) };
}

/** The values of a series, each looked at once; a value's row is the first window that it is in, and its name the time when it was measured. */
function examineSeries({ preprocess, splits: { train, validation } }: Manifest, series: Series, values: Buffer): Pick<Health, "constant" | "outliers"> {
  const [mean = 0] = preprocess.mean;
  const [std = 1] = preprocess.std;
  const known = series.length - series.held;
  const far: Health["outliers"][number]["first"] = [];
  let count = 0;
  for (let index = 0; index < series.length; index++) {
    const value = values.readFloatLE(index * 4);
    const deviations = (value - mean) / std;
    if (Math.abs(deviations) <= FAR) continue;
    count++;
    const split = index < known ? ("train" as const) : ("validation" as const);
    const { input, target, rows } = split === "train" ? train : validation;
    const reach = (input.shape[0] ?? 1) + (target.shape[0] ?? 1);
    const row = Math.max(0, Math.min(rows - 1, index - (input.window?.first ?? 0) - reach + 1));
    const name = timeOf(series, index);
    far.push({ split, row, ...(name === null ? {} : { name }), value, deviations });
    if (far.length > 4 * SHOWN) keepFarthest(far);
  }
  keepFarthest(far);
  return { constant: [], outliers: count > 0 ? [{ column: series.name, count, first: far }] : [] };
}

function keepFarthest(far: { deviations: number }[]): void {
  far.sort((a, b) => Math.abs(b.deviations) - Math.abs(a.deviations));
  far.length = Math.min(far.length, SHOWN);
}
