import type { Manifest } from "../../core/data/manifest.ts";
import type { FileStore } from "../storage/files.ts";
import { datasetFolder } from "./write.ts";

/** Sees to it that a data set's files are on this machine, as its manifest says they are. @throws Gone, Damaged, AppError STORE_AWAY */
export async function bringDataset(files: FileStore, datasetId: string, { splits }: Pick<Manifest, "splits">): Promise<void> {
  if (files.isShared) for (const [file, sha256] of filesOf(splits)) await files.bring(`${datasetFolder(datasetId)}/${file}`, sha256);
}

/** Hands over the files that a limited process wrote, before a row speaks of them. @throws AppError STORE_AWAY */
export async function publishDataset(files: FileStore, datasetId: string, { splits }: Pick<Manifest, "splits">): Promise<void> {
  if (files.isShared) for (const file of filesOf(splits).keys()) await files.publish(`${datasetFolder(datasetId)}/${file}`);
}

/** SHA-256 by file. */
function filesOf({ train, validation }: Manifest["splits"]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { input, target, lengths, names, more = {} } of [train, validation])
    for (const part of [input, target, lengths, names, ...Object.values(more)]) if (part) found.set(part.file, part.sha256);
  return found;
}
