import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { crc32, createInflateRaw } from "node:zlib";
import { ARRAY_LIMITS } from "../../core/data/arrays.ts";
import { checkNpySize, NpyError, type NumpyType, readDescr, readNpyLayout } from "../../core/data/npy.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { type ArchiveEntry, openArchive } from "./archive.ts";
import { IngestError } from "./source.ts";

/** An array in a `.npy` or `.npz` file. Nothing of it is in memory but its header. */
export type StoredArray = {
  name: string;
  descr: string;
  type: NumpyType;
  shape: number[];
  /** The first axis runs fastest. */
  isFortran: boolean;
  rows: number;
  rowBytes: number;
  dataBytes: number;
  /** Where its items lie in the file as they are; null where they are packed. */
  at: number | null;
  /** The bytes of its items, in the order of the file. */
  stream(): AsyncIterable<Buffer>;
};

/** More than any header that is read. */
const HEAD_BYTES = 16_384;
/** What is kept in memory of an array whose rows are taken in another order; larger ones are read where they lie. */
const MEMORY_BYTES = 128 * 2 ** 20;
/** An array that lies column by column is turned round in memory. */
const FORTRAN_BYTES = 512 * 2 ** 20;

/**
 * The arrays of a file, by its first bytes a `.npy` or a `.npz`. Every header is checked against the bytes that are there.
 * @throws IngestError NPY_HEADER, NPY_DTYPE, NPY_SIZE, ARRAY_TYPE, ARRAY_TOO_MANY, ARCHIVE_…
 */
export async function openArrays(file: string): Promise<StoredArray[]> {
  const handle = await open(file, "r");
  const { size } = await handle.stat();
  const head = Buffer.alloc(Math.min(size, HEAD_BYTES));
  await handle.read(head, 0, head.length, 0).finally(() => handle.close());
  if (head.length < 2 || head.subarray(0, 2).toString("latin1") !== "PK") {
    if (head[0] !== 0x93)
      throw new IngestError("ARRAY_TYPE", say("This is neither a .npy nor a .npz file: its first bytes are of another kind. Save it with numpy.save or numpy.savez."));
    return [describe("array", head, size, 0, (skip) => createReadStream(file, { start: skip, highWaterMark: 1 << 20 }))];
  }
  // Labels in order pack as tightly as nothing else; what is unpacked is counted as it comes.
  const archive = await openArchive(file, { ratio: Number.POSITIVE_INFINITY });
  archive.close();
  if (archive.entries.length > ARRAY_LIMITS.arrays)
    throw new IngestError(
      "ARRAY_TOO_MANY",
      say("The file holds {length} arrays; the limit is {arrays}. Save those that belong together.", { length: printCount(archive.entries.length), arrays: ARRAY_LIMITS.arrays }),
    );
  const arrays: StoredArray[] = [];
  for (const entry of archive.entries) {
    if (!entry.path.endsWith(".npy"))
      throw new IngestError("NPY_HEADER", say("The archive holds {value}; an .npz holds .npy arrays alone.", { value: JSON.stringify(entry.path.slice(0, 80)) }));
    const name = entry.path.slice(0, -".npy".length);
    arrays.push(describe(name, await readHead(file, entry), entry.sizeBytes, entry.isDeflated ? null : entry.start, (skip) => withoutFirst(unpack(file, entry), skip)));
  }
  if (arrays.length === 0) throw new IngestError("DATASET_EMPTY", say("The .npz holds no arrays."));
  return arrays;
}

function describe(name: string, head: Uint8Array, fileBytes: number, start: number | null, from: (skip: number) => AsyncIterable<Buffer>): StoredArray {
  try {
    const { descr, isFortran, shape, offset } = readNpyLayout(head);
    const type = readDescr(descr);
    const items = checkNpySize({ descr, shape }, type, fileBytes - offset);
    const rows = shape[0] ?? 1;
    return {
      name,
      descr,
      type,
      shape,
      isFortran: isFortran && shape.length > 1,
      rows,
      rowBytes: rows === 0 ? 0 : (items / rows) * type.itemBytes,
      dataBytes: items * type.itemBytes,
      at: start === null ? null : start + offset,
      stream: () => from(offset),
    };
  } catch (error) {
    if (error instanceof NpyError) throw new IngestError(error.code, name === "array" ? error.message : `${JSON.stringify(name.slice(0, 80))}: ${error.message}`, { cause: error });
    throw error;
  }
}

async function readHead(file: string, entry: ArchiveEntry): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let count = 0;
  for await (const part of unpack(file, entry)) {
    parts.push(part);
    count += part.length;
    // Leaving early leaves the checksum unseen; whoever reads the whole sees it.
    if (count >= HEAD_BYTES) break;
  }
  return Buffer.concat(parts).subarray(0, HEAD_BYTES);
}

/** An entry's bytes, unpacked piece by piece, and never more of them than it declares. */
async function* unpack(file: string, entry: ArchiveEntry): AsyncGenerator<Buffer> {
  const { path, start, packedBytes, sizeBytes, isDeflated, checksum } = entry;
  const packed = packedBytes === 0 ? null : createReadStream(file, { start, end: start + packedBytes - 1, highWaterMark: 1 << 18 });
  const source = packed && isDeflated ? packed.pipe(createInflateRaw({ chunkSize: 1 << 18 })) : packed;
  let [count, sum] = [0, 0];
  try {
    for await (const part of source ?? []) {
      const bytes: Buffer = part;
      count += bytes.length;
      if (count > sizeBytes)
        throw new IngestError(
          "ARCHIVE_CORRUPT",
          say("'{value}' declares {sizeBytes} bytes, holds more. Save the file again.", { value: path.slice(0, 80), sizeBytes: printCount(sizeBytes) }),
        );
      sum = crc32(bytes, sum);
      yield bytes;
    }
  } catch (cause) {
    if (cause instanceof IngestError) throw cause;
    throw new IngestError("ARCHIVE_CORRUPT", say("'{value}' cannot be unpacked. Save the file again.", { value: path.slice(0, 80) }), { cause });
  } finally {
    packed?.destroy();
  }
  if (count !== sizeBytes || sum !== checksum)
    throw new IngestError("ARCHIVE_CORRUPT", say("'{value}' is not what was packed: its size or checksum is another one. Save the file again.", { value: path.slice(0, 80) }));
}

async function* withoutFirst(parts: AsyncIterable<Buffer>, skip: number): AsyncGenerator<Buffer> {
  let left = skip;
  for await (const part of parts) {
    if (left >= part.length) left -= part.length;
    else {
      yield left > 0 ? part.subarray(left) : part;
      left = 0;
    }
  }
}

/** All bytes of an array, rows one after the other. For small arrays, and those that lie column by column. */
export async function readWhole(array: StoredArray): Promise<Buffer> {
  const whole = Buffer.allocUnsafe(array.dataBytes);
  let at = 0;
  for await (const part of array.stream()) at += part.copy(whole, at);
  return array.isFortran ? turnRound(whole, array) : whole;
}

function turnRound(columns: Buffer, { name, shape, type: { itemBytes }, dataBytes }: StoredArray): Buffer {
  if (dataBytes > FORTRAN_BYTES)
    throw new IngestError(
      "NPY_HEADER",
      say("The array {value} lies in Fortran order and takes more than {FORTRAN_BYTES} MiB. Save it with numpy.ascontiguousarray.", {
        value: JSON.stringify(name),
        FORTRAN_BYTES: FORTRAN_BYTES / 2 ** 20,
      }),
    );
  const rows = Buffer.allocUnsafe(dataBytes);
  // strides[k]: how many items apart neighbours along axis k lie in Fortran order.
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
  const place = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < dataBytes; to += itemBytes) {
    columns.copy(rows, to, from * itemBytes, (from + 1) * itemBytes);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] as number;
      from += stride;
      place[axis] = (place[axis] as number) + 1;
      if ((place[axis] as number) < (shape[axis] as number)) break;
      from -= stride * (place[axis] as number);
      place[axis] = 0;
    }
  }
  return rows;
}

/** Rows of an array in any order. */
export type RowReader = { read(row: number, into: Buffer, at: number): Promise<void> | void; close(): Promise<void> };

/** @param scratch where a large packed array may be laid out for the time being; nobody else uses that path */
export async function openRows(file: string, array: StoredArray, scratch: string): Promise<RowReader> {
  const { rowBytes, at } = array;
  if (array.isFortran || array.dataBytes <= MEMORY_BYTES) {
    const whole = await readWhole(array);
    return {
      read: (row, into, to) => void whole.copy(into, to, row * rowBytes, (row + 1) * rowBytes),
      close: async () => {},
    };
  }
  const [path, start] = at === null ? [await layOut(array, scratch), 0] : [file, at];
  const handle = await open(path, "r");
  return {
    read: async (row, into, to) => {
      await handle.read(into, to, rowBytes, start + row * rowBytes);
    },
    close: async () => {
      await handle.close();
      if (at === null) await rm(scratch, { force: true });
    },
  };
}

async function layOut(array: StoredArray, scratch: string): Promise<string> {
  const handle = await open(scratch, "wx");
  try {
    for await (const part of array.stream()) await handle.writeFile(part);
  } catch (error) {
    await rm(scratch, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return scratch;
}
