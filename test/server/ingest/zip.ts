import { crc32, deflateRawSync } from "node:zlib";

/** An entry of a zip, and the lies that its headers tell. */
export type ZipEntry = {
  name: string | Buffer;
  data?: Uint8Array;
  /** Deflated instead of stored. */
  deflate?: boolean;
  /** What the headers say of the size, where that is not so. */
  saysBytes?: number;
  flags?: number;
  method?: number;
  /** Unix mode, as in `0o120777` for a link. */
  mode?: number;
  /** Lies where this entry lies, instead of having bytes of its own. */
  sameAs?: number;
};

/** A zip written by hand, so that each field can be wrong. @see APPNOTE.TXT 6.3.10 (4.3) */
export function writeZip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  const places: number[] = [];
  let at = 0;
  for (const entry of entries) {
    const { name, data = new Uint8Array(), deflate = false, flags = 0x800, mode = 0o100644, sameAs } = entry;
    const bytes = Buffer.from(name);
    const packed = deflate ? deflateRawSync(data) : Buffer.from(data);
    const method = entry.method ?? (deflate ? 8 : 0);
    const place = sameAs === undefined ? at : (places[sameAs] ?? 0);
    places.push(place);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(entry.saysBytes ?? data.length, 18);
    common.writeUInt16LE(bytes.length, 22);
    if (sameAs === undefined) {
      const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, bytes, packed]);
      parts.push(local);
      at += local.length;
    }
    const more = Buffer.alloc(14);
    more.writeUInt32LE((mode << 16) >>> 0, 6);
    more.writeUInt32LE(place, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02", "latin1"), Buffer.from([20, 3]), common, more, bytes]));
  }
  return Buffer.concat([...parts, ...directory, zipEnd(entries.length, Buffer.concat(directory).length, at)]);
}

/** The record at the end, in its long form where the number of entries needs that. */
export function zipEnd(count: number, directoryBytes: number, directoryAt: number): Buffer {
  const record = Buffer.alloc(22);
  record.write("PK\x05\x06", "latin1");
  record.writeUInt16LE(Math.min(count, 0xffff), 8);
  record.writeUInt16LE(Math.min(count, 0xffff), 10);
  record.writeUInt32LE(directoryBytes, 12);
  record.writeUInt32LE(directoryAt, 16);
  if (count < 0xffff) return record;
  const long = Buffer.alloc(56);
  long.write("PK\x06\x06", "latin1");
  long.writeBigUInt64LE(44n, 4);
  long.writeBigUInt64LE(BigInt(count), 24);
  long.writeBigUInt64LE(BigInt(count), 32);
  long.writeBigUInt64LE(BigInt(directoryBytes), 40);
  long.writeBigUInt64LE(BigInt(directoryAt), 48);
  const locator = Buffer.alloc(20);
  locator.write("PK\x06\x07", "latin1");
  locator.writeBigUInt64LE(BigInt(directoryAt + directoryBytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([long, locator, record]);
}
