import { z } from "zod";
import { BYTES_PER_ELEMENT, type Dtype } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { countElements, type Tensor, tensorBytes, tensorFromBytes, type Weights } from "./tensor.ts";

/**
 * Reads and writes safetensors: eight bytes of header length, a JSON header, the tensors' bytes. Never runs anything.
 * @see https://github.com/huggingface/safetensors#format
 */

export type SafetensorsCode = "ST_HEADER" | "ST_OFFSETS" | "ST_SHAPE" | "ST_DTYPE";

/** The file is not sound safetensors, or holds what we cannot take. The message says where and what is wrong. */
export class SafetensorsError extends Error {
  readonly code: SafetensorsCode;
  constructor(code: SafetensorsCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SafetensorsError";
    this.code = code;
  }
}

/** A header beyond this is refused before it is read. */
const HEADER_LIMIT_BYTES = 16 * 2 ** 20;

const DTYPES: Record<string, { sizeBytes: number; dtype?: Dtype }> = {
  F32: { sizeBytes: 4, dtype: "float32" },
  I64: { sizeBytes: 8, dtype: "int64" },
  BOOL: { sizeBytes: 1, dtype: "bool" },
  U8: { sizeBytes: 1, dtype: "uint8" },
  F64: { sizeBytes: 8 },
  F16: { sizeBytes: 2 },
  BF16: { sizeBytes: 2 },
  I8: { sizeBytes: 1 },
  I16: { sizeBytes: 2 },
  I32: { sizeBytes: 4 },
  U16: { sizeBytes: 2 },
  U32: { sizeBytes: 4 },
  U64: { sizeBytes: 8 },
};
const NAMES: Record<Dtype, string> = { float32: "F32", int64: "I64", bool: "BOOL", uint8: "U8" };

const Size = z.int().min(0);
const Entry = z.strictObject({ dtype: z.string(), shape: z.array(Size), data_offsets: z.tuple([Size, Size]) });
const Metadata = z.record(z.string(), z.string());

/**
 * Reads a whole file. Names keep the order of their bytes.
 * `only` says which tensors are wanted; the others are checked just as strictly, but neither copied nor refused for their dtype.
 *
 * @throws SafetensorsError ST_HEADER (length, JSON, doubled keys, metadata), ST_OFFSETS (holes, overlaps, beyond the file),
 *   ST_SHAPE (sizes and bytes disagree), ST_DTYPE (sound, but a dtype that no program here has).
 */
export function readSafetensors(file: Uint8Array, options: { only?: (name: string) => boolean } = {}): { tensors: Map<string, Tensor>; metadata: { [key: string]: string } } {
  const { header, dataStart } = readHeader(file);
  const metadata = Metadata.safeParse(header.get("__metadata__") ?? {});
  if (!metadata.success) throw new SafetensorsError("ST_HEADER", say("The header's __metadata__ must hold text values by name only."));
  header.delete("__metadata__");

  const entries = [...header].map(([name, value]) => {
    const entry = Entry.safeParse(value);
    if (!entry.success)
      throw new SafetensorsError("ST_HEADER", say("Tensor {name} must have dtype, shape and data_offsets of whole numbers, and nothing else.", { name: quote(name) }));
    return { name, ...entry.data };
  });
  entries.sort((a, b) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);

  const tensors = new Map<string, Tensor>();
  let expected = 0;
  for (const {
    name,
    dtype: dtypeName,
    shape,
    data_offsets: [begin, end],
  } of entries) {
    const dtype = Object.hasOwn(DTYPES, dtypeName) ? DTYPES[dtypeName] : undefined;
    if (!dtype)
      throw new SafetensorsError("ST_DTYPE", say("Tensor {name} has the dtype {dtypeName}, which safetensors does not know.", { name: quote(name), dtypeName: quote(dtypeName) }));
    if (begin !== expected || end < begin) {
      throw new SafetensorsError(
        "ST_OFFSETS",
        say("Tensor {name} lies at bytes {begin} to {end}, but must begin at {expected}, where the tensor before it ends.", { name: quote(name), begin, end, expected }),
      );
    }
    if (dataStart + end > file.length) {
      throw new SafetensorsError(
        "ST_OFFSETS",
        say("Tensor {name} ends at byte {dataStart}, but the file has {count} bytes.", { name: quote(name), dataStart: dataStart + end, count: file.length }),
      );
    }
    // A product beyond 2^53 is inexact, but then it is far from any size a file can have.
    const needed = countElements(shape) * dtype.sizeBytes;
    if (needed !== end - begin) {
      throw new SafetensorsError(
        "ST_SHAPE",
        say("Tensor {name} of shape [{shape}] and dtype {dtypeName} needs {needed} bytes, but has {end}.", {
          name: quote(name),
          shape: shape.join(", "),
          dtypeName,
          needed,
          end: end - begin,
        }),
      );
    }
    expected = end;
    if (options.only && !options.only(name)) continue;
    if (!dtype.dtype) {
      throw new SafetensorsError(
        "ST_DTYPE",
        say("Tensor {name} has the dtype {dtypeName}; F32, I64, BOOL and U8 are accepted. Convert it before uploading.", { name: quote(name), dtypeName }),
      );
    }
    tensors.set(name, tensorFromBytes(dtype.dtype, shape, file.subarray(dataStart + begin, dataStart + end)));
  }
  if (dataStart + expected !== file.length) {
    throw new SafetensorsError("ST_OFFSETS", say("The tensors end at byte {dataStart}, but the file has {count} bytes.", { dataStart: dataStart + expected, count: file.length }));
  }
  return { tensors, metadata: metadata.data };
}

/** Writes a file: tensors one after another in the map's order, widest elements first so that each is aligned. */
export function writeSafetensors(tensors: Weights, metadata: { [key: string]: string } = {}): Uint8Array {
  const ordered = [...tensors].sort(([, a], [, b]) => BYTES_PER_ELEMENT[b.dtype] - BYTES_PER_ELEMENT[a.dtype]);
  // Written entry by entry: in a plain object, names such as "10" or "__proto__" would move or vanish.
  const entries: string[] = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  let offset = 0;
  for (const [name, tensor] of ordered) {
    if (name === "__metadata__") throw new SafetensorsError("ST_HEADER", say("No tensor can have the name __metadata__."));
    const needed = countElements(tensor.shape) * BYTES_PER_ELEMENT[tensor.dtype];
    if (needed !== tensor.data.byteLength) {
      throw new SafetensorsError(
        "ST_SHAPE",
        say("Tensor {name} of shape [{shape}] needs {needed} bytes, but has {byteLength}.", {
          name: quote(name),
          shape: tensor.shape.join(", "),
          needed,
          byteLength: tensor.data.byteLength,
        }),
      );
    }
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype: NAMES[tensor.dtype], shape: tensor.shape, data_offsets: [offset, offset + needed] })}`);
    offset += needed;
  }
  const json = new TextEncoder().encode(`{${entries.join(",")}}`);
  const headerLength = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.fill(0x20, 8, 8 + headerLength); // Padded with spaces, so that the data begins at a multiple of 8.
  file.set(json, 8);
  let at = 8 + headerLength;
  for (const [, tensor] of ordered) {
    file.set(tensorBytes(tensor), at);
    at += tensor.data.byteLength;
  }
  return file;
}

function readHeader(file: Uint8Array): { header: Map<string, unknown>; dataStart: number } {
  if (file.length < 8)
    throw new SafetensorsError("ST_HEADER", say("A safetensors file begins with 8 bytes of header length, but this one has {count} bytes in all.", { count: file.length }));
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > BigInt(HEADER_LIMIT_BYTES))
    throw new SafetensorsError("ST_HEADER", say("The header says it is {length} bytes long; the limit is {HEADER_LIMIT_BYTES}.", { length: String(length), HEADER_LIMIT_BYTES }));
  const dataStart = 8 + Number(length);
  if (dataStart > file.length)
    throw new SafetensorsError("ST_HEADER", say("The header says it is {length} bytes long, but only {count} follow.", { length: String(length), count: file.length - 8 }));
  const bytes = file.subarray(8, dataStart);
  if (bytes[0] !== 0x7b) throw new SafetensorsError("ST_HEADER", say("The header must begin with '{'."));

  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw new SafetensorsError("ST_HEADER", say("The header is not JSON in UTF-8."), { cause });
  }
  const doubled = findDoubledKey(text);
  if (doubled !== undefined) throw new SafetensorsError("ST_HEADER", say("The header names {doubled} twice.", { doubled: quote(doubled) }));
  return { header: new Map(Object.entries(value as object)), dataStart };
}

/**
 * The first key that stands twice in one object of a text that is known to be JSON. JSON.parse keeps the last of two and
 * says nothing, so that two readers could see two different files.
 */
function findDoubledKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, string] of json.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(?=\s*:)|"[^"\\]*(?:\\.[^"\\]*)*"|[{}]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (string !== undefined) {
      const key: string = JSON.parse(string);
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

/** A name as it may be shown: short, in quotes, with control characters escaped. */
function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
