import { createHash } from "node:crypto";
import { Manifest } from "../../core/data/manifest.ts";
import { encodeNpy } from "../../core/data/npy.ts";
import type { FileStore } from "../storage/files.ts";
import type { Column, Examples, Prepared } from "./source.ts";

/** Writes the arrays under `datasets/<datasetId>/` and says what is there. The manifest is the last thing to exist. */
export async function writeDataset(files: FileStore, datasetId: string, prepared: Prepared): Promise<{ manifest: Manifest; sizeBytes: number }> {
  const { splits, ...said } = prepared;
  let sizeBytes = 0;
  const writeColumn = async (file: string, column: Column) => {
    const stored = await files.put(`${datasetFolder(datasetId)}/${file}`, encodeNpy(column.dtype, column.shape, column.data));
    sizeBytes += stored.sizeBytes;
    return { file, dtype: column.dtype, shape: column.shape.slice(1), sha256: stored.sha256 };
  };
  const writeMore = async (name: string, more: { [input: string]: Column }) => {
    const written: { [input: string]: Awaited<ReturnType<typeof writeColumn>> } = {};
    for (const [input, column] of Object.entries(more)) written[input] = await writeColumn(`${name}-${input}.npy`, column);
    return written;
  };
  const writeSplit = async (name: "train" | "validation", examples: Examples) => ({
    rows: examples.input.shape[0] ?? 0,
    input: await writeColumn(`${name}-input.npy`, examples.input),
    ...(examples.lengths ? { lengths: await writeColumn(`${name}-lengths.npy`, examples.lengths) } : {}),
    ...(examples.more ? { more: await writeMore(name, examples.more) } : {}),
    target: await writeColumn(`${name}-target.npy`, examples.target),
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
