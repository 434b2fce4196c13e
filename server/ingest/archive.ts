import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { crc32, inflateRawSync } from "node:zlib";
import { type Entry, fromRandomAccessReaderPromise, getFileNameLowLevel, RandomAccessReader } from "yauzl";
import { PICTURE_LIMITS as limits } from "../../core/data/pictures.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { IngestError } from "./source.ts";

/** A file in a zip. */
export type ArchiveEntry = { path: string; sizeBytes: number; packedBytes: number; isDeflated: boolean; checksum: number; start: number };
export type Archive = {
  entries: ArchiveEntry[];
  /** All bytes of a file. @throws IngestError ARCHIVE_CORRUPT where it holds more than it declares; IMAGE_CORRUPT where it is damaged */
  read(entry: ArchiveEntry): Buffer;
  /** The first bytes of a file, as many as are quickly there. */
  readHead(entry: ArchiveEntry): Buffer;
  close(): void;
};

/** Packed bytes from which the head of a file is unpacked. */
const HEAD_BYTES = 64 * 1024;
const nested = /\.(zip|7z|rar|tar|tgz|gz|bz2|xz|zst)$/i;
/** Control characters, and those that turn the direction of writing: a name with them is not the name one sees. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const unseen = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]/;

/**
 * Opens a zip and looks through its directory, before anything is unpacked. Nothing of it is ever written to a path that it names.
 * @throws IngestError ARCHIVE_TRUNCATED, _CORRUPT, _TYPE, _TOO_MANY, _TOO_LARGE, _RATIO, _BAD_PATH, _BAD_NAME, _LINK, _ENCRYPTED, _METHOD, _NESTED, _DUPLICATE, _OVERLAP
 */
export async function openArchive(file: string, { ratio = limits.ratio }: { /** How much larger an entry may become by unpacking. */ ratio?: number } = {}): Promise<Archive> {
  const fd = openSync(file, "r");
  try {
    return { ...(await readDirectory(fd, ratio)), ...reading(fd), close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function reading(fd: number): Pick<Archive, "read" | "readHead"> {
  const readPacked = (entry: ArchiveEntry, most: number) => {
    const bytes = Buffer.allocUnsafe(Math.min(entry.packedBytes, most));
    const count = readSync(fd, bytes, 0, bytes.length, entry.start);
    if (count < bytes.length)
      throw new IngestError("ARCHIVE_TRUNCATED", say("{path} ends beyond the end of the archive. Send it again, or pack it anew.", { path: quote(entry.path) }));
    return bytes;
  };
  return {
    read(entry) {
      if (entry.sizeBytes > limits.fileBytes)
        throw new IngestError(
          "IMAGE_TOO_LARGE",
          say("{path} takes {sizeBytes}; the limit of a file is {fileBytes}.", {
            path: quote(entry.path),
            sizeBytes: mebibytes(entry.sizeBytes),
            fileBytes: mebibytes(limits.fileBytes),
          }),
        );
      const packed = readPacked(entry, entry.packedBytes);
      const bytes = entry.isDeflated ? inflate(packed, entry) : packed;
      if (crc32(bytes) !== entry.checksum) throw new IngestError("IMAGE_CORRUPT", say("{path} is not what was packed: its checksum is another one.", { path: quote(entry.path) }));
      return bytes;
    },
    readHead(entry) {
      const packed = readPacked(entry, HEAD_BYTES);
      if (!entry.isDeflated) return packed;
      try {
        // Flushing allows for the end that is cut off.
        const head = inflateRawSync(packed, { finishFlush: 2, maxOutputLength: limits.ratio * HEAD_BYTES });
        if (head.length > entry.sizeBytes) throw lies(entry);
        return head;
      } catch (cause) {
        if (cause instanceof IngestError) throw cause;
        throw new IngestError("IMAGE_CORRUPT", say("{path} cannot be unpacked.", { path: quote(entry.path) }), { cause });
      }
    },
  };
}

function inflate(packed: Buffer, entry: ArchiveEntry): Buffer {
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.sizeBytes) });
  } catch (cause) {
    if (cause instanceof RangeError) throw lies(entry);
    throw new IngestError("IMAGE_CORRUPT", say("{path} cannot be unpacked.", { path: quote(entry.path) }), { cause });
  }
  if (bytes.length < entry.sizeBytes)
    throw new IngestError(
      "IMAGE_CORRUPT",
      say("{path} declares {sizeBytes} bytes and holds {count}.", { path: quote(entry.path), sizeBytes: entry.sizeBytes, count: bytes.length }),
    );
  return bytes;
}

function lies({ path, sizeBytes }: ArchiveEntry): IngestError {
  return new IngestError("ARCHIVE_CORRUPT", say("{path} declares {sizeBytes} bytes, holds more. Pack the folder anew.", { path: quote(path), sizeBytes: printCount(sizeBytes) }));
}

async function readDirectory(fd: number, most: number): Promise<Pick<Archive, "entries">> {
  const head = Buffer.alloc(4);
  const isZip = readSync(fd, head, 0, 4, 0) === 4 && head.subarray(0, 2).toString("latin1") === "PK";
  if (!isZip) throw new IngestError("ARCHIVE_TYPE", say("This is no zip archive: its first bytes are not those of one. Pack the folder as .zip, or drop the folder itself."));
  const reader = new Window(fd);
  try {
    const zip = await fromRandomAccessReaderPromise(reader, fstatSync(fd).size, { autoClose: false, decodeStrings: false, validateEntrySizes: false });
    if (zip.entryCount > limits.files)
      throw new IngestError(
        "ARCHIVE_TOO_MANY",
        say("The archive has {entryCount} entries; the limit is {files}. Pack fewer files.", { entryCount: printCount(zip.entryCount), files: printCount(limits.files) }),
      );
    const entries: ArchiveEntry[] = [];
    const extents: { from: number; to: number; path: string }[] = [];
    const names = new Map<string, string>();
    let [number, unpackedBytes] = [0, 0];
    for await (const entry of zip.eachEntry()) {
      number++;
      const path = readPath(entry, number);
      const { fileDataStart: start } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
      extents.push({ from: entry.relativeOffsetOfLocalHeader, to: start + entry.compressedSize, path });
      if (path.endsWith("/")) continue;
      unpackedBytes += entry.uncompressedSize;
      checkContent(entry, path, unpackedBytes, most);
      const folded = path.normalize("NFC").toLowerCase();
      const same = names.get(folded);
      if (same !== undefined)
        throw new IngestError(
          "ARCHIVE_DUPLICATE",
          say("{same} and {path} are the same name to many systems. Rename one of them and pack the folder anew.", { same: quote(same), path: quote(path) }),
        );
      names.set(folded, path);
      entries.push({ path, sizeBytes: entry.uncompressedSize, packedBytes: entry.compressedSize, isDeflated: entry.compressionMethod === 8, checksum: entry.crc32, start });
    }
    checkOverlap(extents);
    return { entries };
  } catch (error) {
    throw error instanceof IngestError ? error : toIngestError(error);
  }
}

/** The name of an entry, where it is one that can be shown and leads nowhere. */
function readPath(entry: Entry, number: number): string {
  if (entry.fileNameLength > limits.nameBytes)
    throw new IngestError(
      "ARCHIVE_BAD_NAME",
      say("The name of entry {number} has {fileNameLength} bytes; the limit is {nameBytes}.", {
        number,
        fileNameLength: printCount(entry.fileNameLength),
        nameBytes: limits.nameBytes,
      }),
    );
  const name = getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true);
  if (unseen.test(name))
    throw new IngestError(
      "ARCHIVE_BAD_NAME",
      say("The name of entry {number}, {name}, has characters that cannot be seen. Rename the file and pack anew.", { number, name: quote(name) }),
    );
  const path = name.replaceAll("\\", "/");
  if (path === "" || path.startsWith("/") || /^[a-z]:/i.test(path) || path.split("/").includes(".."))
    throw new IngestError("ARCHIVE_BAD_PATH", say("Entry {number} {name} leaves the archive. Pack the folder with names below it only.", { number, name: quote(name) }));
  const kind = (entry.externalFileAttributes >>> 16) & 0o170_000;
  if (kind !== 0 && kind !== 0o100_000 && kind !== 0o040_000)
    throw new IngestError("ARCHIVE_LINK", say("Entry {number} {path} is a link or a device: links are not accepted. Pack the files themselves.", { number, path: quote(path) }));
  return path;
}

function checkContent(entry: Entry, path: string, unpackedBytes: number, most: number): void {
  const { compressedSize, uncompressedSize, compressionMethod } = entry;
  if (entry.isEncrypted()) throw new IngestError("ARCHIVE_ENCRYPTED", say("{path} is encrypted. Pack the folder without a password.", { path: quote(path) }));
  if (compressionMethod !== 0 && compressionMethod !== 8)
    throw new IngestError(
      "ARCHIVE_METHOD",
      say("{path} is packed by method {compressionMethod}; deflated and stored files are read. Pack the folder as a plain .zip.", { path: quote(path), compressionMethod }),
    );
  if (compressionMethod === 0 && compressedSize !== uncompressedSize)
    throw new IngestError(
      "ARCHIVE_CORRUPT",
      compressedSize > uncompressedSize
        ? say("{path} declares {uncompressedSize} bytes, holds more. Pack the folder anew.", { path: quote(path), uncompressedSize })
        : say("{path} declares {uncompressedSize} bytes, holds fewer. Pack the folder anew.", { path: quote(path), uncompressedSize }),
    );
  if (nested.test(path)) throw nestedArchive(path);
  const ratio = Math.round(uncompressedSize / Math.max(1, compressedSize));
  if (uncompressedSize > limits.ratioFromBytes && ratio > most)
    throw new IngestError(
      "ARCHIVE_RATIO",
      say("{path} becomes {ratio}:1 larger, limit {most}:1. No picture does; pack the folder without that file.", { path: quote(path), ratio: printCount(ratio), most }),
    );
  if (unpackedBytes > limits.unpackedBytes)
    throw new IngestError(
      "ARCHIVE_TOO_LARGE",
      say("The files take more than {unpackedBytes} unpacked, the limit. Leave some out, or make the pictures smaller.", { unpackedBytes: mebibytes(limits.unpackedBytes) }),
    );
}

export function nestedArchive(path: string): IngestError {
  return new IngestError("ARCHIVE_NESTED", say("{path} is an archive in the archive. Unpack it, and pack one folder of pictures.", { path: quote(path) }));
}

function checkOverlap(extents: { from: number; to: number; path: string }[]): void {
  extents.sort((a, b) => a.from - b.from || a.to - b.to);
  for (const [at, extent] of extents.entries()) {
    const before = extents[at - 1];
    if (before && extent.from < before.to)
      throw new IngestError(
        "ARCHIVE_OVERLAP",
        say("{path} and {path2} lie over each other in the archive. Pack the folder anew.", { path: quote(before.path), path2: quote(extent.path) }),
      );
  }
}

/** What yauzl says, under our codes. */
function toIngestError(cause: unknown): Error {
  if (!(cause instanceof Error)) return new Error(String(cause));
  const { message } = cause;
  if (/encryption/.test(message)) return new IngestError("ARCHIVE_ENCRYPTED", say("The archive is encrypted. Pack the folder without a password."), { cause });
  if (/End of central directory record signature not found|unexpected EOF|overflows file bounds/.test(message))
    return new IngestError("ARCHIVE_TRUNCATED", say("The archive is cut off: its end is missing. Send it again, or pack the folder anew."), { cause });
  return new IngestError("ARCHIVE_CORRUPT", say("The archive is damaged: {message}. Pack the folder anew.", { message }), { cause });
}

/** A name as it can be shown: quoted, shortened, with what cannot be seen written out. */
export function quote(name: string): string {
  const short = name.length > 120 ? `${name.slice(0, 60)}…${name.slice(-50)}` : name;
  const seen = short.replace(new RegExp(unseen, "g"), (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `'${seen}'`;
}

function mebibytes(sizeBytes: number): string {
  return `${printCount(Math.ceil(sizeBytes / 2 ** 20))} MiB`;
}

/** Reads a file through one small window, since a directory is asked for in pieces of a few bytes. */
class Window extends RandomAccessReader {
  readonly #fd: number;
  readonly #bytes = Buffer.alloc(16 * 1024);
  #start = 0;
  #length = 0;

  constructor(fd: number) {
    super();
    this.#fd = fd;
  }

  override read(buffer: Buffer, offset: number, length: number, position: number, callback: (error: Error | null, bytesRead?: number) => void): void {
    try {
      if (length > this.#bytes.length) return void this.#answer(callback, readSync(this.#fd, buffer, offset, length, position));
      if (position < this.#start || position + length > this.#start + this.#length) {
        this.#start = position;
        this.#length = readSync(this.#fd, this.#bytes, 0, this.#bytes.length, position);
      }
      const from = position - this.#start;
      this.#answer(callback, this.#bytes.copy(buffer, offset, from, Math.min(from + length, this.#length)));
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Not at once: what is asked for next would be asked for ever deeper. */
  #answer(callback: (error: Error | null, bytesRead?: number) => void, count: number): void {
    setImmediate(callback, null, count);
  }

  override close(callback: (error: Error | null) => void): void {
    callback(null);
  }
}
