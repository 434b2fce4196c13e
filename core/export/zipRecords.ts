/**
 * The records that a ZIP archive of stored entries is made of, for whoever writes one: at once, as a stream, or of a browser's files.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3)
 */

/** An entry as its records name it. `offset`: where its local header begins. */
export type ZipRecord = { name: Uint8Array; crc: number; sizeBytes: number; offset: number };

export const SIGNATURES = { local: 0x04034b50, descriptor: 0x08074b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 } as const;

/** Bytes of each record, without the name that local headers and the directory repeat. */
export const RECORD_BYTES = { local: 30, descriptor: 16, central: 46, end: 22 } as const;

/** Beyond this an archive needs the 64-bit extension for its sizes. */
export const MOST_ZIP_BYTES = 0xffffffff;
/** Beyond this its directory does for its count, which is written then. */
const MOST_COUNTED = 0xffff;

type Field = [bytes: 2 | 4 | 8, value: number];

/** Numbers as they stand in an archive: little-endian, each of so many bytes. */
function fields(...values: readonly Field[]): Uint8Array<ArrayBuffer> {
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

/** What a local header and a directory record share. No date but 1 January 1980: the bytes are not to depend on the clock. */
const common = ({ name, crc, sizeBytes }: Omit<ZipRecord, "offset">, isDescribed: boolean): Field[] => [
  [2, 20],
  // UTF-8 names.
  [2, isDescribed ? 0x0808 : 0x0800],
  [2, 0],
  [2, 0],
  [2, (1 << 5) | 1],
  [4, crc],
  [4, sizeBytes],
  [4, sizeBytes],
  [2, name.length],
  [2, 0],
];

/** What stands in front of an entry's name and content. One that is described says checksum and sizes behind the content, where they are known. */
export function localHeader(record: Omit<ZipRecord, "offset">, isDescribed = false): Uint8Array<ArrayBuffer> {
  return fields([4, SIGNATURES.local], ...common(isDescribed ? { ...record, crc: 0, sizeBytes: 0 } : record, isDescribed));
}

export function descriptor({ crc, sizeBytes }: Pick<ZipRecord, "crc" | "sizeBytes">): Uint8Array<ArrayBuffer> {
  return fields([4, SIGNATURES.descriptor], [4, crc], [4, sizeBytes], [4, sizeBytes]);
}

/** An entry in the directory; its name follows. */
export function directoryRecord(record: ZipRecord, isDescribed = false): Uint8Array<ArrayBuffer> {
  return fields([4, SIGNATURES.central], [2, 20], ...common(record, isDescribed), [2, 0], [2, 0], [2, 0], [4, 0], [4, record.offset]);
}

/** The end of an archive, whose directory of `directoryBytes` begins at `offset`. */
export function directoryEnd(count: number, directoryBytes: number, offset: number): Uint8Array<ArrayBuffer> {
  const few = Math.min(count, MOST_COUNTED);
  const end: Field[] = [
    [4, SIGNATURES.end],
    [2, 0],
    [2, 0],
    [2, few],
    [2, few],
    [4, directoryBytes],
    [4, offset],
    [2, 0],
  ];
  if (count < MOST_COUNTED) return fields(...end);
  return fields(
    [4, SIGNATURES.end64],
    [8, 44],
    [2, 45],
    [2, 45],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, directoryBytes],
    [8, offset],
    [4, SIGNATURES.locator64],
    [4, 0],
    [8, offset + directoryBytes],
    [4, 1],
    ...end,
  );
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The checksum of an archive's entries. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) crc = (crc >>> 8) ^ (crcTable[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}
