/**
 * The part of the ZIP format that `.npz` needs: entries of which each is stored or deflated.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */

import { say } from "../language/say.ts";
import { crc32, directoryEnd, directoryRecord, localHeader, MOST_ZIP_BYTES, RECORD_BYTES, SIGNATURES, type ZipRecord } from "./zipRecords.ts";

export type ZipCode = "ARCHIVE_FORMAT" | "ARCHIVE_TRUNCATED" | "ARCHIVE_ENCRYPTED" | "ARCHIVE_RATIO" | "ARCHIVE_TOO_LARGE" | "ARCHIVE_BAD_PATH";

/** The archive is not one that is read. The message names the entry. */
export class ZipError extends Error {
  readonly code: ZipCode;
  constructor(code: ZipCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ZipError";
    this.code = code;
  }
}

export const ZIP_LIMITS = {
  entryCount: 100_000,
  unpackedBytes: 4 * 2 ** 30,
  nameBytes: 255,
  ratio: 100,
  /** Smaller entries may be packed as tightly as they are. */ ratioFromBytes: 2 ** 20,
} as const;

/** Unpacks raw deflate data to exactly so many bytes. Given by whoever calls, since browsers and servers have it under different names. */
export type Inflate = (packed: Uint8Array, sizeBytes: number) => Uint8Array;

type Entry = { name: string; method: number; packed: Uint8Array; sizeBytes: number; crc: number };

const { end: END, end64: END_64, locator64: END_64_LOCATOR, central: CENTRAL, local: LOCAL } = SIGNATURES;
const FULL = 0xffffffff;

/** Whether a file begins as ZIP archives do. */
export function isZip(file: Uint8Array): boolean {
  return file[0] === 0x50 && file[1] === 0x4b && file[2] === 3 && file[3] === 4;
}

/** The entries of an archive by name, still packed; sizes and ratios are within the limits. @throws ZipError */
export function listZip(file: Uint8Array): Map<string, Entry> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  try {
    return readDirectory(file, view);
  } catch (cause) {
    if (cause instanceof ZipError) throw cause;
    throw new ZipError("ARCHIVE_TRUNCATED", say("The archive is cut off or damaged."), { cause });
  }
}

function readDirectory(file: Uint8Array, view: DataView): Map<string, Entry> {
  let end = file.length - 22;
  while (end >= Math.max(0, file.length - 22 - 65_535) && view.getUint32(end, true) !== END) end--;
  if (end < 0 || view.getUint32(end, true) !== END) throw new ZipError("ARCHIVE_TRUNCATED", say("The archive has no directory at its end: it is cut off, or no archive."));
  let count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (end >= 20 && view.getUint32(end - 20, true) === END_64_LOCATOR) {
    const end64 = exact(view.getBigUint64(end - 12, true));
    if (view.getUint32(end64, true) !== END_64) throw new ZipError("ARCHIVE_FORMAT", say("The archive's 64-bit directory is not where it should be."));
    count = exact(view.getBigUint64(end64 + 32, true));
    at = exact(view.getBigUint64(end64 + 48, true));
  }
  if (count > ZIP_LIMITS.entryCount)
    throw new ZipError("ARCHIVE_TOO_LARGE", say("The archive has {count} entries; the limit is {entryCount}.", { count, entryCount: ZIP_LIMITS.entryCount }));

  const entries = new Map<string, Entry>();
  let total = 0;
  for (let i = 0; i < count; i++) {
    if (view.getUint32(at, true) !== CENTRAL) throw new ZipError("ARCHIVE_FORMAT", say("Entry {i} of the archive's directory is damaged.", { i: i + 1 }));
    const [flags, method, crc] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true), view.getUint32(at + 16, true)];
    const [nameBytes, extraBytes, commentBytes] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
    if (nameBytes > ZIP_LIMITS.nameBytes)
      throw new ZipError(
        "ARCHIVE_BAD_PATH",
        say("The name of entry {value} has {nameBytes} bytes; the limit is {nameBytes2}.", { value: i + 1, nameBytes, nameBytes2: ZIP_LIMITS.nameBytes }),
      );
    const name = new TextDecoder().decode(file.subarray(at + 46, at + 46 + nameBytes));
    const quoted = JSON.stringify(name);
    if (flags & 1) throw new ZipError("ARCHIVE_ENCRYPTED", say("Entry {quoted} is encrypted; save the archive without a password.", { quoted }));
    if (method !== 0 && method !== 8)
      throw new ZipError("ARCHIVE_FORMAT", say("Entry {quoted} is packed by method {method}; stored and deflated entries are read.", { quoted, method }));
    if (entries.has(name)) throw new ZipError("ARCHIVE_FORMAT", say("The archive has two entries named {quoted}.", { quoted }));
    const large = sizesOf(view, at, at + 46 + nameBytes, extraBytes);
    if (large.packed > file.length)
      throw new ZipError("ARCHIVE_TRUNCATED", say("Entry {quoted} claims {packed} bytes of an archive of {count}.", { quoted, packed: large.packed, count: file.length }));
    if (large.size > ZIP_LIMITS.ratioFromBytes && large.size > ZIP_LIMITS.ratio * Math.max(1, large.packed))
      throw new ZipError(
        "ARCHIVE_RATIO",
        say("Entry {quoted} unpacks {value}:1; the limit is {ratio}:1.", { quoted, value: Math.round(large.size / Math.max(1, large.packed)), ratio: ZIP_LIMITS.ratio }),
      );
    total += large.size;
    if (total > ZIP_LIMITS.unpackedBytes)
      throw new ZipError(
        "ARCHIVE_TOO_LARGE",
        say("The archive unpacks to more than {unpackedBytes} GiB, which is the limit.", { unpackedBytes: ZIP_LIMITS.unpackedBytes / 2 ** 30 }),
      );
    const { offset } = large;
    if (view.getUint32(offset, true) !== LOCAL) throw new ZipError("ARCHIVE_FORMAT", say("Entry {quoted} is not where the directory says.", { quoted }));
    const dataStart = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
    if (dataStart + large.packed > file.length) throw new ZipError("ARCHIVE_TRUNCATED", say("Entry {quoted} ends beyond the archive.", { quoted }));
    entries.set(name, { name, method, packed: file.subarray(dataStart, dataStart + large.packed), sizeBytes: large.size, crc });
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return entries;
}

/** Sizes and place of an entry, from the 64-bit field where the short ones say so. */
function sizesOf(view: DataView, at: number, extraStart: number, extraBytes: number): { packed: number; size: number; offset: number } {
  let [packed, size, offset] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true), view.getUint32(at + 42, true)];
  for (let extra = extraStart; extra + 4 <= extraStart + extraBytes; extra += 4 + view.getUint16(extra + 2, true)) {
    if (view.getUint16(extra, true) !== 1) continue;
    let part = extra + 4;
    const next = () => {
      part += 8;
      return exact(view.getBigUint64(part - 8, true));
    };
    if (size === FULL) size = next();
    if (packed === FULL) packed = next();
    if (offset === FULL) offset = next();
  }
  return { packed, size, offset };
}

/** One entry's bytes, checked against its checksum. @throws ZipError */
export function unpackEntry({ name, method, packed, sizeBytes, crc }: Entry, inflate: Inflate): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = method === 0 ? packed : inflate(packed, sizeBytes);
  } catch (cause) {
    throw new ZipError("ARCHIVE_FORMAT", say("Entry {value} cannot be unpacked: it is damaged, or larger than it says.", { value: JSON.stringify(name) }), { cause });
  }
  if (bytes.length !== sizeBytes || crc32(bytes) !== crc)
    throw new ZipError("ARCHIVE_FORMAT", say("Entry {value} is damaged: its checksum is another.", { value: JSON.stringify(name) }));
  return bytes;
}

/** An archive of entries that are stored as they are, the same bytes each time. */
export function writeZip(entries: Iterable<readonly [name: string, content: Uint8Array]>): Uint8Array {
  const encoder = new TextEncoder();
  const records: (ZipRecord & { content: Uint8Array })[] = [];
  let offset = 0;
  for (const [text, content] of entries) {
    const name = encoder.encode(text);
    records.push({ name, content, crc: crc32(content), sizeBytes: content.length, offset });
    offset += RECORD_BYTES.local + name.length + content.length;
  }
  const directoryBytes = records.reduce((sum, { name }) => sum + RECORD_BYTES.central + name.length, 0);
  if (offset + directoryBytes > MOST_ZIP_BYTES || records.length > 0xffff)
    throw new ZipError("ARCHIVE_TOO_LARGE", say("An archive holds at most 4 GiB and 65,535 entries. Take the safetensors file instead."));
  const end = directoryEnd(records.length, directoryBytes, offset);
  const file = new Uint8Array(offset + directoryBytes + end.length);
  let at = 0;
  const put = (...parts: Uint8Array[]) => {
    for (const part of parts) {
      file.set(part, at);
      at += part.length;
    }
  };
  for (const record of records) put(localHeader(record), record.name, record.content);
  for (const record of records) put(directoryRecord(record), record.name);
  put(end);
  return file;
}

function exact(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new ZipError("ARCHIVE_FORMAT", say("The archive claims a size beyond all archives."));
  return number;
}
