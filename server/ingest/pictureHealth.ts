import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { z } from "zod";
import type { Manifest } from "../../core/data/manifest.ts";
import { itemSizeBytes, readNpyHeader } from "../../core/data/npy.ts";
import type { FileStore } from "../storage/files.ts";
import type { Health } from "./health.ts";
import { datasetFolder } from "./write.ts";

type Split = "train" | "validation";
type Place = Health["similar"][number]["first"][number]["row"];
type Where = Health["similar"][number]["where"];

const SHOWN = 10;
/** Bits of 64 in which the fingerprints of pictures that look the same may differ. */
const NEAR_BITS = 3;
/** Mean difference of the pixels, of 255, up to which they do look the same. */
const NEAR_PIXELS = 8;
/** Pictures that share a quarter of their fingerprint and are compared with each other; plain ones share it with thousands. */
const MOST_ALIKE = 64;

/** Finds pictures that are there twice, pixel for pixel, and those that look the same: a larger copy, another quality. Reads row by row. */
export function examinePictures(files: FileStore, datasetId: string, manifest: Manifest): Pick<Health, "compared" | "duplicates" | "similar"> {
  const arrays = { train: openArrays(files, datasetId, manifest, "train"), validation: openArrays(files, datasetId, manifest, "validation") };
  try {
    const found = new Findings(arrays);
    const prints = new Fingerprints();
    const seen = new Map<string, Place>();
    let compared = 0;
    for (const split of ["train", "validation"] as const) {
      const { rows, readInput, shape } = arrays[split];
      for (let row = 0; row < rows; row++, compared++) {
        const place = { split, row };
        const pixels = readInput(row);
        const key = createHash("sha1").update(pixels).digest("base64");
        const earlier = seen.get(key);
        if (earlier) {
          found.addDuplicate(place, earlier);
          continue;
        }
        seen.set(key, place);
        const near = prints.add(place, pixels, shape).find((other) => meanDifference(pixels, arrays[other.split].readInput(other.row)) <= NEAR_PIXELS);
        if (near) found.addSimilar(place, near);
      }
    }
    return { compared, ...found.answer() };
  } finally {
    arrays.train.close();
    arrays.validation.close();
  }
}

function openArrays(files: FileStore, datasetId: string, { splits }: Manifest, split: Split) {
  const { rows, input, target, names } = splits[split];
  const open = ({ file, shape, dtype }: typeof input) => {
    const path = files.path(`${datasetFolder(datasetId)}/${file}`);
    const fd = openSync(path, "r");
    const head = Buffer.alloc(16_384);
    const { offset } = readNpyHeader(head.subarray(0, readSync(fd, head, 0, head.length, 0)), statSync(path).size);
    const rowBytes = shape.reduce((product, size) => product * size, itemSizeBytes[dtype]);
    const read = (row: number) => {
      const bytes = Buffer.allocUnsafe(rowBytes);
      readSync(fd, bytes, 0, rowBytes, offset + row * rowBytes);
      return bytes;
    };
    return { read, close: () => closeSync(fd) };
  };
  const [inputs, targets] = [open(input), open(target)];
  const list = names ? z.array(z.string()).parse(JSON.parse(readFileSync(files.path(`${datasetFolder(datasetId)}/${names.file}`), "utf8"))) : [];
  return {
    rows,
    shape: input.shape,
    readInput: inputs.read,
    readTarget: targets.read,
    nameOf: (row: number) => list[row],
    close() {
      inputs.close();
      targets.close();
    },
  };
}
type Arrays = { [split in Split]: ReturnType<typeof openArrays> };

/** What was found, by where the two pictures stand. */
class Findings {
  private readonly arrays: Arrays;
  private readonly duplicates = new Map<Where, Health["duplicates"][number]>();
  private readonly similar = new Map<Where, Health["similar"][number]>();

  constructor(arrays: Arrays) {
    this.arrays = arrays;
  }

  addDuplicate(row: Place, equals: Place): void {
    const where = whereOf(row, equals);
    const group = this.duplicates.get(where) ?? { where, count: 0, contradictions: 0, first: [] };
    const contradicts = !this.arrays[row.split].readTarget(row.row).equals(this.arrays[equals.split].readTarget(equals.row));
    group.count++;
    if (contradicts) group.contradictions++;
    if (group.first.length < SHOWN) group.first.push({ row: this.named(row), equals: this.named(equals), contradicts });
    this.duplicates.set(where, group);
  }

  addSimilar(row: Place, equals: Place): void {
    const where = whereOf(row, equals);
    const group = this.similar.get(where) ?? { where, count: 0, first: [] };
    group.count++;
    if (group.first.length < SHOWN) group.first.push({ row: this.named(row), equals: this.named(equals) });
    this.similar.set(where, group);
  }

  answer(): Pick<Health, "duplicates" | "similar"> {
    return { duplicates: [...this.duplicates.values()], similar: [...this.similar.values()] };
  }

  private named(place: Place): Place {
    const name = this.arrays[place.split].nameOf(place.row);
    return name === undefined ? place : { ...place, name };
  }
}

function whereOf(a: Place, b: Place): Where {
  return a.split === b.split ? a.split : "across";
}

/** Fingerprints of the pictures so far, to be found by any quarter of one: two that differ in 3 bits have a quarter in common. */
class Fingerprints {
  private readonly quarters = [0, 1, 2, 3].map(() => new Map<number, { place: Place; print: number[] }[]>());

  /** Keeps a picture's, and gives the pictures before it whose own is near. */
  add(place: Place, pixels: Buffer, shape: readonly number[]): Place[] {
    const print = fingerprint(pixels, shape);
    const near = new Set<Place>();
    for (const [at, quarter] of print.entries()) {
      const alike = this.quarters[at]?.get(quarter) ?? [];
      for (const other of alike) if (differingBits(print, other.print) <= NEAR_BITS) near.add(other.place);
      if (alike.length < MOST_ALIKE) this.quarters[at]?.set(quarter, [...alike, { place, print }]);
    }
    return [...near];
  }
}

/**
 * 64 bits in four numbers: whether each of 8 × 8 fields is brighter than its neighbour at the right.
 * @see N. Krawetz, Kind of Like That, 2013 (dHash)
 */
function fingerprint(pixels: Buffer, shape: readonly number[]): number[] {
  const [channels = 1, height = 1, width = 1] = shape;
  const fields = new Float64Array(8 * 9);
  for (let row = 0; row < 8; row++)
    for (let column = 0; column < 9; column++) {
      const [top, left] = [Math.floor((row * height) / 8), Math.floor((column * width) / 9)];
      const [bottom, right] = [Math.max(top + 1, Math.floor(((row + 1) * height) / 8)), Math.max(left + 1, Math.floor(((column + 1) * width) / 9))];
      let sum = 0;
      for (let channel = 0; channel < channels; channel++)
        for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += pixels[(channel * height + y) * width + x] ?? 0;
      fields[row * 9 + column] = sum / ((bottom - top) * (right - left));
    }
  const print = [0, 0, 0, 0];
  for (let bit = 0; bit < 64; bit++) {
    const at = (bit >> 3) * 9 + (bit & 7);
    if ((fields[at] ?? 0) > (fields[at + 1] ?? 0)) print[bit >> 4] = (print[bit >> 4] ?? 0) | (1 << (bit & 15));
  }
  return print;
}

function differingBits(a: readonly number[], b: readonly number[]): number {
  let count = 0;
  for (const [at, part] of a.entries()) for (let bits = part ^ (b[at] ?? 0); bits !== 0; bits &= bits - 1) count++;
  return count;
}

function meanDifference(a: Buffer, b: Buffer): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += Math.abs((a[at] as number) - (b[at] as number));
  return sum / a.length;
}
