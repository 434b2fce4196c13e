import { open } from "node:fs/promises";
import type { Manifest } from "../../core/data/manifest.ts";
import { beginOf, itemSizeBytes, readNpyHeader } from "../../core/data/npy.ts";
import { datasetFolder } from "../ingest/write.ts";
import type { FileStore } from "../storage/files.ts";

type Split = Manifest["splits"]["train"];

/** The rows of each class, as read last: paging through one class would otherwise read the targets again for each page. */
const remembered = new Map<string, Map<number, number[]>>();
const MOST_REMEMBERED = 8;
const CHUNK_BYTES = 1 << 20;

/** The rows of a split that have this class, in order; where each pixel has one, the rows in which it is to be seen. */
export async function findRowsOfClass(files: FileStore, datasetId: string, split: Split, classIndex: number): Promise<number[]> {
  // The hash names the content: a data set that was read in anew is another one.
  const known = remembered.get(split.target.sha256);
  if (known) return known.get(classIndex) ?? [];
  const rows = await sortByClass(files.path(`${datasetFolder(datasetId)}/${split.target.file}`));
  remembered.set(split.target.sha256, rows);
  for (const oldest of remembered.keys()) if (remembered.size > MOST_REMEMBERED) remembered.delete(oldest);
  return rows.get(classIndex) ?? [];
}

async function sortByClass(path: string): Promise<Map<number, number[]>> {
  const sorted = new Map<number, number[]>();
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(16_384);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const { offset, dtype, shape } = readNpyHeader(head.subarray(0, bytesRead), (await file.stat()).size);
    const [rows = 0, ...rest] = shape;
    const perRow = rest.reduce((product, size) => product * size, 1);
    const rowBytes = perRow * itemSizeBytes[dtype];
    const rowsAtOnce = Math.max(1, Math.floor(CHUNK_BYTES / rowBytes));
    const bytes = Buffer.alloc(rowsAtOnce * rowBytes);
    const read = { int64: (at: number) => Number(bytes.readBigInt64LE(at * 8)), float32: (at: number) => bytes.readFloatLE(at * 4), uint8: (at: number) => bytes[at] as number }[
      dtype
    ];
    for (let first = 0; first < rows; first += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - first);
      await file.read(bytes, 0, count * rowBytes, offset + first * rowBytes);
      for (let row = 0; row < count; row++) {
        const present = new Set<number>();
        for (let at = row * perRow; at < (row + 1) * perRow; at++) present.add(read(at));
        for (const value of present) {
          const list = sorted.get(value);
          if (list) list.push(first + row);
          else sorted.set(value, [first + row]);
        }
      }
    }
    return sorted;
  } finally {
    await file.close();
  }
}

/** The bytes of rows that may lie within one another in their file, one row after the other, many at a time. */
export async function* readWindows(path: string, array: Pick<Split["input"], "dtype" | "shape" | "window">, rows: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(16_384);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const { offset } = readNpyHeader(head.subarray(0, bytesRead), (await file.stat()).size);
    const rowBytes = array.shape.reduce((product, size) => product * size, itemSizeBytes[array.dtype]);
    const atOnce = Math.max(1, Math.floor(CHUNK_BYTES / rowBytes));
    for (let first = 0; first < rows; first += atOnce) {
      const count = Math.min(atOnce, rows - first);
      const [from, to] = [beginOf(array, first), beginOf(array, first + count - 1) + rowBytes];
      const span = Buffer.alloc(to - from);
      await file.read(span, 0, span.length, offset + from);
      const out = Buffer.alloc(count * rowBytes);
      for (let row = 0; row < count; row++) span.copy(out, row * rowBytes, beginOf(array, first + row) - from, beginOf(array, first + row) - from + rowBytes);
      yield out;
    }
  } finally {
    await file.close();
  }
}

/** File names of the rows of a split, by the hash of the list. */
const rememberedNames = new Map<string, readonly string[]>();

/** The names that the files of these rows had; null where rows were no files. */
export async function readNames(files: FileStore, datasetId: string, { names }: Split): Promise<readonly string[] | null> {
  if (!names) return null;
  let known = rememberedNames.get(names.sha256);
  if (!known) {
    // Our own file, of strings that were checked when it was written.
    known = JSON.parse(Buffer.from(await files.read(`${datasetFolder(datasetId)}/${names.file}`)).toString()) as string[];
    rememberedNames.set(names.sha256, known);
    for (const oldest of rememberedNames.keys()) if (rememberedNames.size > MOST_REMEMBERED) rememberedNames.delete(oldest);
  }
  return known;
}

/**
 * A picture [channels, height, width] made smaller for a page of many: blocks of pixels become their mean, those of class numbers their
 * middle one. Whole where it is small enough.
 */
export function shrink(bytes: Uint8Array, shape: readonly number[], side: number, how: "mean" | "middle"): { bytes: Uint8Array; shape: number[] } {
  const [height = 1, width = 1] = shape.slice(-2);
  const channels = shape.length > 2 ? (shape[0] ?? 1) : 1;
  const block = Math.ceil(Math.max(height, width) / side);
  if (block <= 1) return { bytes, shape: [...shape] };
  const [rows, columns] = [Math.floor(height / block), Math.floor(width / block)];
  const out = new Uint8Array(channels * rows * columns);
  for (let channel = 0; channel < channels; channel++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const start = (channel * height + row * block) * width + column * block;
        let value = bytes[start + (block >> 1) * (width + 1)] ?? 0;
        if (how === "mean") {
          value = 0;
          for (let y = 0; y < block; y++) for (let x = 0; x < block; x++) value += bytes[start + y * width + x] ?? 0;
          value /= block * block;
        }
        out[(channel * rows + row) * columns + column] = value;
      }
  return { bytes: out, shape: shape.length > 2 ? [channels, rows, columns] : [rows, columns] };
}
