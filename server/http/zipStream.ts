import { crc32 } from "node:zlib";

/** A file to be put into an archive as it is; its size is known before it is read. */
export type StoredEntry = { name: string; sizeBytes: number; content: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array> };

const LOCAL_BYTES = 30;
const DESCRIPTOR_BYTES = 16;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
/** UTF-8 names; the checksum stands behind the content, since that is not read twice. */
const FLAGS = 0x0808;
/** 1 January 1980: the bytes are not to depend on the clock. */
const DATE = (1 << 5) | 1;

/** What an archive can hold without the 64-bit extension. */
export const MOST_ZIP_BYTES = 0xffffffff;

const encode = (name: string) => new TextEncoder().encode(name);

/** The size of the archive that `streamZip` writes. */
export function zipBytes(entries: readonly Pick<StoredEntry, "name" | "sizeBytes">[]): number {
  return entries.reduce((sum, { name, sizeBytes }) => sum + LOCAL_BYTES + DESCRIPTOR_BYTES + CENTRAL_BYTES + 2 * encode(name).length + sizeBytes, END_BYTES);
}

/**
 * A ZIP archive of entries that are stored as they are, written as its parts are read.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3.9: data descriptor)
 */
export async function* streamZip(entries: readonly StoredEntry[]): AsyncGenerator<Uint8Array> {
  const written: { name: Uint8Array; crc: number; sizeBytes: number; offset: number }[] = [];
  let offset = 0;
  for (const { name: text, sizeBytes, content } of entries) {
    const name = encode(text);
    const head = Buffer.alloc(LOCAL_BYTES);
    head.writeUInt32LE(0x04034b50, 0);
    writeCommon(head, 4, { crc: 0, sizeBytes: 0, name });
    yield head;
    yield name;
    let [crc, count] = [0, 0];
    for await (const part of content()) {
      crc = crc32(part, crc);
      count += part.length;
      yield part;
    }
    if (count !== sizeBytes) throw new Error(`${text} was said to hold ${sizeBytes} bytes and holds ${count}.`);
    const descriptor = Buffer.alloc(DESCRIPTOR_BYTES);
    descriptor.writeUInt32LE(0x08074b50, 0);
    descriptor.writeUInt32LE(crc, 4);
    descriptor.writeUInt32LE(sizeBytes, 8);
    descriptor.writeUInt32LE(sizeBytes, 12);
    yield descriptor;
    written.push({ name, crc, sizeBytes, offset });
    offset += LOCAL_BYTES + name.length + sizeBytes + DESCRIPTOR_BYTES;
  }
  const directory = offset;
  for (const entry of written) {
    const head = Buffer.alloc(CENTRAL_BYTES);
    head.writeUInt32LE(0x02014b50, 0);
    head.writeUInt16LE(20, 4);
    writeCommon(head, 6, entry);
    head.writeUInt32LE(entry.offset, 42);
    yield head;
    yield entry.name;
    offset += CENTRAL_BYTES + entry.name.length;
  }
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(written.length, 8);
  end.writeUInt16LE(written.length, 10);
  end.writeUInt32LE(offset - directory, 12);
  end.writeUInt32LE(directory, 16);
  yield end;
}

/** The fields that a local header and a directory entry share. */
function writeCommon(head: Buffer, at: number, { crc, sizeBytes, name }: { crc: number; sizeBytes: number; name: Uint8Array }): void {
  head.writeUInt16LE(20, at);
  head.writeUInt16LE(FLAGS, at + 2);
  head.writeUInt16LE(DATE, at + 8);
  head.writeUInt32LE(crc, at + 10);
  head.writeUInt32LE(sizeBytes, at + 14);
  head.writeUInt32LE(sizeBytes, at + 18);
  head.writeUInt16LE(name.length, at + 22);
}
