import { readFile } from "node:fs/promises";
import type { Manifest } from "../../core/data/manifest.ts";
import { readNpyHeader } from "../../core/data/npy.ts";
import { datasetFolder } from "../ingest/write.ts";
import type { FileStore } from "../storage/files.ts";

/** Class of every row of a split, as read last: paging through one class would otherwise read the targets again for each page. */
const remembered = new Map<string, Int32Array>();
const MOST_REMEMBERED = 8;

/** The rows of a split that have this class, in order. */
export async function findRowsOfClass(files: FileStore, datasetId: string, split: Manifest["splits"]["train"], classIndex: number): Promise<number[]> {
  const classes = await readClasses(files, datasetId, split);
  const rows: number[] = [];
  classes.forEach((value, row) => {
    if (value === classIndex) rows.push(row);
  });
  return rows;
}

async function readClasses(files: FileStore, datasetId: string, { target }: Manifest["splits"]["train"]): Promise<Int32Array> {
  // The hash names the content: a data set that was read in anew is another one.
  const known = remembered.get(target.sha256);
  if (known) return known;
  const bytes = await readFile(files.path(`${datasetFolder(datasetId)}/${target.file}`));
  const { offset, dtype, shape } = readNpyHeader(bytes.subarray(0, 16_384), bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const read = {
    int64: (row: number) => Number(view.getBigInt64(row * 8, true)),
    float32: (row: number) => view.getFloat32(row * 4, true),
    uint8: (row: number) => view.getUint8(row),
  }[dtype];
  const classes = Int32Array.from({ length: shape[0] ?? 0 }, (_, row) => read(row));
  remembered.set(target.sha256, classes);
  for (const oldest of remembered.keys()) if (remembered.size > MOST_REMEMBERED) remembered.delete(oldest);
  return classes;
}
