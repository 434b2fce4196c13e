import { PICTURE_LIMITS, pictureEnding, systemFile } from "../../core/data/pictures.ts";
import { crc32, directoryEnd, directoryRecord, localHeader, RECORD_BYTES } from "../../core/export/zipRecords.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import type { Folder } from "../ui/dropped.ts";

/** What one upload takes (server/http/uploads.ts says the same to whoever sends more). */
const MOST_BYTES = 512 * 2 ** 20;
const AT_ONCE = 8;

/** A folder that cannot be sent, in a sentence. */
export class FolderError extends Error {}

/**
 * Puts the pictures of a folder into one zip, as they are: they are compressed already, and the zip is made of the files themselves, so
 * that none is held in memory. It then goes the way of any zip.
 */
export async function packFolder({ name, files }: Folder, onProgress: (share: number) => void, signal: AbortSignal): Promise<File> {
  const pictures = files.filter(({ path }) => pictureEnding.test(path) && !systemFile.test(path));
  if (pictures.length === 0) throw new FolderError(say("There is no picture in {name}. PNG and JPEG are read.", { name }));
  if (pictures.length > PICTURE_LIMITS.files)
    throw new FolderError(say("{name} has {count} pictures; the limit is {files}.", { name, count: printCount(pictures.length), files: printCount(PICTURE_LIMITS.files) }));
  const sizeBytes = pictures.reduce((sum, { file }) => sum + file.size, 0);
  if (sizeBytes > MOST_BYTES)
    throw new FolderError(
      say("The pictures of {name} take {sizeBytes} MiB; the limit is {MOST_BYTES}. Make them smaller, or leave some out.", {
        name,
        sizeBytes: Math.ceil(sizeBytes / 2 ** 20),
        MOST_BYTES: MOST_BYTES / 2 ** 20,
      }),
    );
  const checksums = new Uint32Array(pictures.length);
  let [next, done] = [0, 0];
  const work = async () => {
    for (let at = next++; at < pictures.length; at = next++) {
      signal.throwIfAborted();
      checksums[at] = crc32(new Uint8Array(await (pictures[at] as Folder["files"][number]).file.arrayBuffer()));
      onProgress(++done / pictures.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return new File(zipParts(pictures, checksums), `${name}.zip`);
}

function zipParts(files: Folder["files"], checksums: Uint32Array): BlobPart[] {
  const parts: BlobPart[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  let directoryBytes = 0;
  for (const [index, { path, file }] of files.entries()) {
    const name = new TextEncoder().encode(path);
    const record = { name, crc: checksums[index] ?? 0, sizeBytes: file.size, offset };
    parts.push(localHeader(record), name, file);
    directory.push(directoryRecord(record), name);
    offset += RECORD_BYTES.local + name.length + file.size;
    directoryBytes += RECORD_BYTES.central + name.length;
  }
  return [...parts, ...directory, directoryEnd(files.length, directoryBytes, offset)];
}
