import { PICTURE_LIMITS, pictureEnding, systemFile } from "../../core/data/pictures.ts";
import type { Folder } from "../ui/dropped.ts";

/** What one upload takes (server/http/uploads.ts says the same to whoever sends more). */
const MOST_BYTES = 512 * 2 ** 20;
const AT_ONCE = 8;

/** A folder that cannot be sent, in a sentence. */
export class FolderError extends Error {}

/**
 * Puts the pictures of a folder into one zip, as they are: they are compressed already, and the zip is made of the files themselves, so
 * that none is held in memory. It then goes the way of any zip.
 * @see APPNOTE.TXT 6.3.10 (4.3)
 */
export async function packFolder({ name, files }: Folder, onProgress: (share: number) => void, signal: AbortSignal): Promise<File> {
  const pictures = files.filter(({ path }) => pictureEnding.test(path) && !systemFile.test(path));
  if (pictures.length === 0) throw new FolderError(`There is no picture in ${name}. PNG and JPEG are read.`);
  if (pictures.length > PICTURE_LIMITS.files)
    throw new FolderError(`${name} has ${pictures.length.toLocaleString("en-US")} pictures; the limit is ${PICTURE_LIMITS.files.toLocaleString("en-US")}.`);
  const sizeBytes = pictures.reduce((sum, { file }) => sum + file.size, 0);
  if (sizeBytes > MOST_BYTES)
    throw new FolderError(`The pictures of ${name} take ${Math.ceil(sizeBytes / 2 ** 20)} MiB; the limit is ${MOST_BYTES / 2 ** 20}. Make them smaller, or leave some out.`);
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
  let at = 0;
  for (const [index, { path, file }] of files.entries()) {
    const name = new TextEncoder().encode(path);
    // Version 2.0, names in UTF-8, stored, no date.
    const common = fields([2, 20], [2, 0x800], [2, 0], [4, 0x210000], [4, checksums[index] ?? 0], [4, file.size], [4, file.size], [2, name.length], [2, 0]);
    parts.push(fields([4, 0x04034b50]), common, name, file);
    directory.push(fields([4, 0x02014b50], [2, 20]), common, fields([2, 0], [2, 0], [2, 0], [4, 0], [4, at]), name);
    at += 4 + common.length + name.length + file.size;
  }
  const directoryBytes = directory.reduce((sum, part) => sum + part.length, 0);
  const count = files.length;
  const long =
    count < 0xffff
      ? []
      : [
          fields([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, directoryBytes], [8, at]),
          fields([4, 0x07064b50], [4, 0], [8, at + directoryBytes], [4, 1]),
        ];
  const few = Math.min(count, 0xffff);
  return [...parts, ...directory, ...long, fields([4, 0x06054b50], [2, 0], [2, 0], [2, few], [2, few], [4, directoryBytes], [4, at], [2, 0])];
}

/** Numbers as they stand in a zip: little-endian, each of so many bytes. */
function fields(...values: readonly [bytes: 2 | 4 | 8, value: number][]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(values.reduce((sum, [bytes]) => sum + bytes, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [bytes, value] of values) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return out;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) value = (value >>> 8) ^ (crcTable[(value ^ (bytes[at] as number)) & 0xff] as number);
  return ~value >>> 0;
}
