import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { Manifest } from "../../core/data/manifest.ts";
import { npyParts } from "../../core/data/npy.ts";
import type { FileStore } from "../storage/files.ts";
import type { Column, Examples, Prepared } from "./source.ts";

/** Writes the arrays under `datasets/<datasetId>/` and says what is there. The manifest is the last thing to exist. */
export async function writeDataset(files: FileStore, datasetId: string, prepared: Prepared): Promise<{ manifest: Manifest; sizeBytes: number }> {
  const { splits, ...said } = prepared;
  let sizeBytes = 0;
  // A series that several windows lie in is written once.
  const written = new Map<Column["data"], { file: string; sha256: string }>();
  const writeColumn = async (name: string, { dtype, shape, data, window }: Column) => {
    let known = window && written.get(data);
    if (!known) {
      const file = window ? `series${written.size > 0 ? `-${written.size + 1}` : ""}.npy` : name;
      const stored = await files.put(`${datasetFolder(datasetId)}/${file}`, Readable.from(npyParts(dtype, shape, data)));
      sizeBytes += stored.sizeBytes;
      known = { file, sha256: stored.sha256 };
      if (window) written.set(data, known);
    }
    if (!window) return { file: known.file, dtype, shape: shape.slice(1), sha256: known.sha256 };
    const { first, stride, length } = window;
    return { file: known.file, dtype, shape: [length, ...shape.slice(1)], sha256: known.sha256, window: { first, stride } };
  };
  const writeMore = async (name: string, more: { [input: string]: Column }) => {
    const written: { [input: string]: Awaited<ReturnType<typeof writeColumn>> } = {};
    for (const [input, column] of Object.entries(more)) written[input] = await writeColumn(`${name}-${input}.npy`, column);
    return written;
  };
  const writeTexts = async (file: string, texts: readonly string[]) => {
    const stored = await files.put(`${datasetFolder(datasetId)}/${file}`, Readable.from([Buffer.from(JSON.stringify(texts))]));
    sizeBytes += stored.sizeBytes;
    return { file, sha256: stored.sha256 };
  };
  const writeSplit = async (name: "train" | "validation", examples: Examples) => ({
    rows: examples.input.window?.rows ?? examples.input.shape[0] ?? 0,
    input: await writeColumn(`${name}-input.npy`, examples.input),
    ...(examples.lengths ? { lengths: await writeColumn(`${name}-lengths.npy`, examples.lengths) } : {}),
    ...(examples.more ? { more: await writeMore(name, examples.more) } : {}),
    target: await writeColumn(`${name}-target.npy`, examples.target),
    ...(examples.texts ? { texts: await writeTexts(`${name}-texts.json`, examples.texts) } : {}),
    classCounts: countClasses(examples.target, prepared.classes.length),
  });
  const manifest = Manifest.parse({ ...said, splits: { train: await writeSplit("train", splits.train), validation: await writeSplit("validation", splits.validation) } });
  return { manifest, sizeBytes };
}

/** Key of the folder that holds a data set's arrays; a manifest's `file` names are within it. */
export const datasetFolder = (datasetId: string): string => `datasets/${datasetId}`;

/** Names a version of a data set by what is in it: equal arrays and meaning, equal hash. */
export function hashManifest(manifest: Manifest): string {
  return createHash("sha256").update(JSON.stringify(manifest)).digest("hex");
}

function countClasses(target: Column, classCount: number): number[] {
  const counts = new Array<number>(classCount).fill(0);
  if (classCount > 0)
    for (const value of target.data) {
      const index = Number(value);
      // A byte that names no class says that nothing is known.
      if (index < classCount) counts[index] = (counts[index] ?? 0) + 1;
    }
  return counts;
}
