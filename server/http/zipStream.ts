import { crc32 } from "node:zlib";
import { descriptor, directoryEnd, directoryRecord, localHeader, RECORD_BYTES, type ZipRecord } from "../../core/export/zipRecords.ts";

/** A file to be put into an archive as it is; its size is known before it is read. */
export type StoredEntry = { name: string; sizeBytes: number; content: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array> };

const encode = (name: string) => new TextEncoder().encode(name);

/** The size of the archive that `streamZip` writes. */
export function zipBytes(entries: readonly Pick<StoredEntry, "name" | "sizeBytes">[]): number {
  const { local, descriptor, central, end } = RECORD_BYTES;
  return entries.reduce<number>((sum, { name, sizeBytes }) => sum + local + descriptor + central + 2 * encode(name).length + sizeBytes, end);
}

/** A ZIP archive of entries that are stored as they are, written as its parts are read: each checksum stands behind its content, since that is not read twice. */
export async function* streamZip(entries: readonly StoredEntry[]): AsyncGenerator<Uint8Array> {
  const written: ZipRecord[] = [];
  let offset = 0;
  for (const { name: text, sizeBytes, content } of entries) {
    const name = encode(text);
    yield localHeader({ name, crc: 0, sizeBytes }, true);
    yield name;
    let [crc, count] = [0, 0];
    for await (const part of content()) {
      crc = crc32(part, crc);
      count += part.length;
      yield part;
    }
    if (count !== sizeBytes) throw new Error(`${text} was said to hold ${sizeBytes} bytes and holds ${count}.`);
    yield descriptor({ crc, sizeBytes });
    written.push({ name, crc, sizeBytes, offset });
    offset += RECORD_BYTES.local + name.length + sizeBytes + RECORD_BYTES.descriptor;
  }
  let directoryBytes = 0;
  for (const record of written) {
    yield directoryRecord(record, true);
    yield record.name;
    directoryBytes += RECORD_BYTES.central + record.name.length;
  }
  yield directoryEnd(written.length, directoryBytes, offset);
}
