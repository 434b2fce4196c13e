import { mkdir, open, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { Manifest } from "../../core/data/manifest.ts";
import { encodeNpyHeader } from "../../core/data/npy.ts";
import { type Conversion, classesOf, PICTURE_LIMITS as limits, type PicturePlan, type Placed } from "../../core/data/pictures.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import type { FileStore } from "../storage/files.ts";
import { type Archive, openArchive, quote } from "./archive.ts";
import { decodeMask, decodePicture } from "./decode.ts";
import { distance, entryOf, isJpeg, toHex } from "./pictureFacts.ts";
import { type PictureFiles, Refusals, sortFiles } from "./pictureFiles.ts";
import { splitRows } from "./shuffle.ts";
import { IngestError } from "./source.ts";
import { datasetFolder } from "./write.ts";

const NAMED = 20;
/** The class number of a pixel of which nothing is known. */
const UNKNOWN = 255;

/** A picture that was read: its place in the temporary file, and what its pixels sum up to in each channel. */
type Row = { item: Placed; slot: number; classIndex: number; sums: number[]; squares: number[]; pixelCounts: number[] };

/**
 * Decodes every picture of an archive once, to the size that the plan says, and writes the arrays. A file that cannot be used is left
 * out and named; the archive itself is refused only where nothing is left to learn from.
 */
export async function writePictures(
  files: FileStore,
  datasetId: string,
  source: { file: string; name: string },
  plan: PicturePlan,
  onProgress: (done: number, of: number) => void,
): Promise<{ manifest: Manifest; sizeBytes: number }> {
  const archive = await openArchive(source.file);
  const temporary = files.path(`${datasetFolder(datasetId)}/decoded.tmp`);
  await mkdir(dirname(temporary), { recursive: true });
  try {
    const found = sortFiles(archive, plan.task);
    if (found.layout.task !== plan.task) throw new IngestError("PICTURE_PLAN", say("The archive is not what the plan says. Add it again."));
    const read = await decodeAll(archive, found, plan, temporary, onProgress);
    return await writeArrays(files, datasetId, source.name, plan, read, temporary);
  } finally {
    archive.close();
    await rm(temporary, { force: true });
  }
}

type Decoded = { rows: Row[]; refused: Refusals; conversions: Map<Conversion, { count: number; first: string[] }> };

async function decodeAll(archive: Archive, found: PictureFiles, plan: PicturePlan, temporary: string, onProgress: (done: number, of: number) => void): Promise<Decoded> {
  const classes = classesOf(plan);
  const meaning = new Map(plan.labels.map(({ from, name }) => [from, name === null ? -1 : classes.indexOf(name)]));
  const isMasks = plan.task === "semantic-segmentation";
  const items = found.layout.placed.filter(({ label }) => isMasks || (meaning.get(label) ?? -1) >= 0);
  const channels = plan.colour === "grey" ? 1 : 3;
  const plane = plan.size ** 2;
  if (items.length * channels * plane > limits.arrayBytes) {
    const fits = Math.floor(Math.sqrt(limits.arrayBytes / (items.length * channels)));
    throw new IngestError(
      "DATASET_TOO_LARGE",
      say("{length} pictures of {size} × {size} take {value} MiB; the limit is {value2}. {fits} × {fits} fits.", {
        length: printCount(items.length),
        size: plan.size,
        value: printCount(Math.ceil((items.length * channels * plane) / 2 ** 20)),
        value2: printCount(Math.floor(limits.arrayBytes / 2 ** 20)),
        fits,
      }),
    );
  }
  const colours = isMasks ? new Colours(plan, classes) : null;
  const rowBytes = channels * plane + (isMasks ? plane : 0);
  const out = await open(temporary, "w");
  const rows: Row[] = [];
  const refused = new Refusals();
  const conversions: Decoded["conversions"] = new Map();
  let [next, done] = [0, 0];
  const work = async () => {
    for (let slot = next++; slot < items.length; slot = next++) {
      const item = items[slot] as Placed;
      try {
        const picture = await decodePicture(archive.read(entryOf(found, item.path)), item.path, plan);
        await out.write(picture.planes, 0, picture.planes.length, slot * rowBytes);
        const pixelCounts: number[] = [];
        if (colours && item.mask !== null) {
          const target = colours.toClasses(await decodeMask(archive.read(entryOf(found, item.mask)), item.mask, picture, plan), item.mask, pixelCounts);
          await out.write(target, 0, target.length, slot * rowBytes + picture.planes.length);
        }
        for (const what of picture.conversions) {
          const group = conversions.get(what) ?? { count: 0, first: [] };
          group.count++;
          if (group.first.length < NAMED) group.first.push(item.path);
          conversions.set(what, group);
        }
        rows.push({ item, slot, classIndex: isMasks ? 0 : (meaning.get(item.label) ?? 0), ...sumUp(picture.planes, channels), pixelCounts });
      } catch (error) {
        refused.add(item.path, error);
      }
      onProgress(++done, items.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
  } finally {
    await out.close();
  }
  if (rows.length === 0) throw refused.reason;
  // Several at once end in any order; the data set is the same every time.
  rows.sort((a, b) => a.slot - b.slot);
  for (const { first } of conversions.values()) first.sort();
  refused.first.sort((a, b) => (a.file < b.file ? -1 : 1));
  return { rows, refused, conversions };
}

/** What the colours of masks mean. */
class Colours {
  private readonly known: Map<number, number>;

  constructor({ labels }: PicturePlan, classes: readonly string[]) {
    this.known = new Map(
      labels.map(({ from, name }) => {
        if (!/^#[0-9a-f]{6}$/.test(from)) throw new IngestError("PICTURE_PLAN", say("{from} is no colour of a mask.", { from: quote(from) }));
        return [Number.parseInt(from.slice(1), 16), name === null ? UNKNOWN : classes.indexOf(name)];
      }),
    );
    if (classes.length > UNKNOWN)
      throw new IngestError("DATASET_TOO_MANY_CLASSES", say("Masks may have up to {UNKNOWN} classes, not {count}.", { UNKNOWN, count: classes.length }));
  }

  /** Class numbers of a mask; nothing is known beside the picture. Adds to the number of pixels of each class. */
  toClasses(mask: Int32Array, path: string, pixelCounts: number[]): Uint8Array {
    const classes = new Uint8Array(mask.length).fill(UNKNOWN);
    for (const [at, colour] of mask.entries()) {
      if (colour < 0) continue;
      const index = this.known.get(colour) ?? (isJpeg(path) ? this.nearest(colour) : -1);
      if (index < 0)
        throw new IngestError(
          "MASK_COLOUR",
          say("{path} has the colour {colour}, which no class has. Give it one, or leave the file out.", { path: quote(path), colour: toHex(colour) }),
        );
      classes[at] = index;
      pixelCounts[index] = (pixelCounts[index] ?? 0) + 1;
    }
    return classes;
  }

  private nearest(colour: number): number {
    let [best, least] = [0, Number.POSITIVE_INFINITY];
    for (const [other, index] of this.known) {
      const away = distance(colour, other);
      if (away < least) [best, least] = [index, away];
    }
    return best;
  }
}

function sumUp(planes: Uint8Array, channels: number): Pick<Row, "sums" | "squares"> {
  const plane = planes.length / channels;
  const [sums, squares]: [number[], number[]] = [[], []];
  for (let channel = 0; channel < channels; channel++) {
    let [sum, square] = [0, 0];
    for (let at = channel * plane; at < (channel + 1) * plane; at++) {
      const value = planes[at] as number;
      sum += value;
      square += value * value;
    }
    sums.push(sum);
    squares.push(square);
  }
  return { sums, squares };
}

async function writeArrays(files: FileStore, datasetId: string, name: string, plan: PicturePlan, { rows, refused, conversions }: Decoded, temporary: string) {
  const isMasks = plan.task === "semantic-segmentation";
  const classes = classesOf(plan);
  checkClasses(rows, classes, isMasks);
  const parts = splitPictures(rows, plan, classes.length);
  if (parts.train.length === 0 || parts.validation.length === 0)
    throw new IngestError(
      "DATASET_EMPTY",
      say("{count} pictures can be used: too few for both a training and a validation part. Add more, or change the split.", { count: rows.length }),
    );
  const channels = plan.colour === "grey" ? 1 : 3;
  const plane = plan.size ** 2;
  const [inputBytes, targetBytes] = [channels * plane, isMasks ? plane : 0];
  const decoded = await open(temporary, "r");
  let sizeBytes = 0;
  const put = async (file: string, content: Uint8Array | AsyncIterable<Uint8Array>) => {
    const stored = await files.put(`${datasetFolder(datasetId)}/${file}`, content);
    sizeBytes += stored.sizeBytes;
    return { file, sha256: stored.sha256 };
  };
  async function* array(part: readonly Row[], shape: number[], from: number, length: number): AsyncGenerator<Uint8Array> {
    yield encodeNpyHeader("|u1", [part.length, ...shape]);
    for (const { slot } of part) {
      const bytes = new Uint8Array(length);
      await decoded.read(bytes, 0, length, slot * (inputBytes + targetBytes) + from);
      yield bytes;
    }
  }
  const writeSplit = async (split: "train" | "validation", part: readonly Row[]) => {
    const shape = [channels, plan.size, plan.size];
    const counts = classes.map((_, index) => part.reduce((sum, row) => sum + (isMasks ? (row.pixelCounts[index] ?? 0) : Number(row.classIndex === index)), 0));
    const target = isMasks
      ? { ...(await put(`${split}-target.npy`, array(part, shape.slice(1), inputBytes, targetBytes))), dtype: "uint8" as const, shape: shape.slice(1) }
      : { ...(await put(`${split}-target.npy`, classNumbers(part))), dtype: "int64" as const, shape: [] };
    return {
      rows: part.length,
      input: { ...(await put(`${split}-input.npy`, array(part, shape, 0, inputBytes))), dtype: "uint8" as const, shape },
      target,
      names: await put(`${split}-names.json`, Buffer.from(JSON.stringify(part.map(({ item }) => item.path)))),
      classCounts: counts,
    };
  };
  try {
    const manifest = Manifest.parse({
      task: plan.task,
      preprocess: { dtype: "uint8", scale: 1 / 255, ...momentsOf(parts.train, plane) },
      classes,
      columns: [],
      targetName: isMasks ? "mask" : "class",
      pictures: {
        fit: plan.fit,
        colour: plan.colour,
        split: plan.split,
        labels: classes.map((one) => plan.labels.filter((label) => label.name === one).map(({ from }) => from)),
        refused: { count: refused.count, first: refused.first },
        conversions: [...conversions].map(([what, group]) => ({ what, ...group })),
      },
      source: `${name}, ${printCount(rows.length)} pictures${refused.count > 0 ? `; ${printCount(refused.count)} that cannot be read are left out` : ""}`,
      licence: "Your own",
      splits: { train: await writeSplit("train", parts.train), validation: await writeSplit("validation", parts.validation) },
    });
    return { manifest, sizeBytes };
  } finally {
    await decoded.close();
  }
}

async function* classNumbers(part: readonly Row[]): AsyncGenerator<Uint8Array> {
  yield encodeNpyHeader("<i8", [part.length]);
  yield new Uint8Array(BigInt64Array.from(part, ({ classIndex }) => BigInt(classIndex)).buffer);
}

function checkClasses(rows: readonly Row[], classes: readonly string[], isMasks: boolean): void {
  const present = classes.filter((_, index) => rows.some((row) => (isMasks ? (row.pixelCounts[index] ?? 0) > 0 : row.classIndex === index)));
  if (present.length < 2)
    throw new IngestError(
      "DATASET_ONE_CLASS",
      say("All that can be used is of one class, '{present}': there is nothing to tell apart.", { present: present[0] ?? classes[0] ?? "" }),
    );
}

function splitPictures(rows: readonly Row[], { split, task }: PicturePlan, classCount: number): { train: Row[]; validation: Row[] } {
  if (split.how === "given") {
    // In random order, so that a page of samples shows every class.
    const mixed = (part: "train" | "validation") => splitRows([rows.filter(({ item }) => item.split === part)], split.seed, 0).train;
    return { train: mixed("train"), validation: mixed("validation") };
  }
  const byClass = split.how === "stratified" && task === "image-classification";
  const groups = byClass ? Array.from({ length: classCount }, (_, index) => rows.filter(({ classIndex }) => classIndex === index)) : [rows];
  return splitRows(groups, split.seed, split.validationShare);
}

/** Mean and standard deviation of each channel, of pixels as 0 to 1. */
function momentsOf(rows: readonly Row[], plane: number): { mean: number[]; std: number[] } {
  const count = rows.length * plane * 255;
  const means = (rows[0]?.sums ?? []).map((_, channel) => rows.reduce((sum, row) => sum + (row.sums[channel] ?? 0), 0) / count);
  const deviations = means.map((mean, channel) => Math.sqrt(Math.max(0, rows.reduce((sum, row) => sum + (row.squares[channel] ?? 0), 0) / (count * 255) - mean ** 2)));
  return { mean: means, std: deviations.map((std) => (std > 0 ? std : 1)) };
}
