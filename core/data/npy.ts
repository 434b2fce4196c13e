import { printCount } from "../language/numbers.ts";
import { say } from "../language/say.ts";

/**
 * The `.npy` container, strictly: version 1.0 to 3.0, C order, little-endian uint8, float32 and int64. What is written here
 * begins on a 64-byte boundary, so that the engine can map it.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */

export type NpyDtype = "uint8" | "float32" | "int64";

export type NpyHeader = {
  dtype: NpyDtype;
  shape: number[];
  /** Where the numbers begin, in bytes from the start of the file. */
  offset: number;
};

const descrOf: { [dtype in NpyDtype]: string } = { uint8: "|u1", float32: "<f4", int64: "<i8" };
const dtypeOf = new Map<string, NpyDtype>([
  ["|u1", "uint8"],
  ["u1", "uint8"],
  ["<f4", "float32"],
  ["<i8", "int64"],
]);
export const itemSizeBytes: { [dtype in NpyDtype]: number } = { uint8: 1, float32: 4, int64: 8 };

/** Where a row of a data set's array begins, in bytes behind the header. `shape` is that of one row; rows may be windows over the first axis. */
export function beginOf({ dtype, shape, window }: { dtype: NpyDtype; shape: readonly number[]; window?: { first: number; stride: number } | undefined }, row: number): number {
  const sizeOf = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, itemSizeBytes[dtype]);
  return window ? (window.first + row * window.stride) * sizeOf(shape.slice(1)) : row * sizeOf(shape);
}

/** numpy itself writes headers of about 120 bytes; a longer one is an attack on the parser, not a file. */
const maxHeaderBytes = 10_000;
const maxRank = 32;
/** Of a text in an array: longer ones are no names of classes. */
const maxTextWidth = 1_000;

/** A file that is not the `.npy` we accept. Codes: NPY_HEADER, NPY_DTYPE, NPY_SIZE. */
export class NpyError extends Error {
  readonly code: "NPY_HEADER" | "NPY_DTYPE" | "NPY_SIZE";
  constructor(code: NpyError["code"], message: string) {
    super(message);
    this.name = "NpyError";
    this.code = code;
  }
}

/** How many numbers a shape holds. @throws NpyError where the product leaves the exact integers. */
function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (!Number.isSafeInteger(count)) throw new NpyError("NPY_HEADER", say("The shape [{shape}] holds more numbers than can be counted.", { shape: shape.join(", ") }));
  }
  return count;
}

/** The bytes in front of the numbers: magic, version 1.0, a header padded to a multiple of 64. `descr` is NumPy's name of the type. */
export function encodeNpyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const prefixBytes = 10;
  const totalBytes = Math.ceil((prefixBytes + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(totalBytes).fill(0x20);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, totalBytes - prefixBytes, true);
  bytes.set(new TextEncoder().encode(text), prefixBytes);
  bytes[totalBytes - 1] = 0x0a;
  return bytes;
}

/** The header of an array of one of our types. */
export function npyHeaderOf(dtype: NpyDtype, shape: readonly number[]): Uint8Array {
  return encodeNpyHeader(descrOf[dtype], shape);
}

/** A file as its header and its numbers, as they lie in memory, which is little-endian wherever this runs; nothing is copied. */
export function npyParts(dtype: NpyDtype, shape: readonly number[], data: Uint8Array | Float32Array | BigInt64Array): [header: Uint8Array, numbers: Uint8Array] {
  if (elementCount(shape) !== data.length) {
    throw new NpyError(
      "NPY_SIZE",
      say("The shape [{shape}] holds {shape2} numbers, the data {count}.", { shape: shape.join(", "), shape2: elementCount(shape), count: data.length }),
    );
  }
  return [npyHeaderOf(dtype, shape), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}

/** A whole file. */
export function encodeNpy(dtype: NpyDtype, shape: readonly number[], data: Uint8Array | Float32Array | BigInt64Array): Uint8Array {
  const [header, numbers] = npyParts(dtype, shape, data);
  const bytes = new Uint8Array(header.length + numbers.length);
  bytes.set(header);
  bytes.set(numbers, header.length);
  return bytes;
}

/** A header as NumPy writes it, whatever the type of the numbers. `isFortran`: the first axis runs fastest. */
export type NpyLayout = { descr: string; isFortran: boolean; shape: number[]; offset: number };

/** Reads the header from the first bytes of a file. It is matched against the one form that numpy writes, never evaluated. */
export function readNpyLayout(bytes: Uint8Array): NpyLayout {
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.length < 12 || magic.some((byte, at) => bytes[at] !== byte)) throw new NpyError("NPY_HEADER", say("The file does not begin as a .npy file does."));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = view.getUint8(6);
  if (major < 1 || major > 3) throw new NpyError("NPY_HEADER", say("The .npy version {major} is not known; 1 to 3 are.", { major }));
  const textStart = major === 1 ? 10 : 12;
  const textBytes = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (textBytes > maxHeaderBytes) throw new NpyError("NPY_HEADER", say("The .npy header claims {textBytes} bytes; the limit is {maxHeaderBytes}.", { textBytes, maxHeaderBytes }));
  if (textStart + textBytes > bytes.length) throw new NpyError("NPY_HEADER", say("The .npy header is cut off."));
  const text = new TextDecoder("latin1").decode(bytes.subarray(textStart, textStart + textBytes));

  const form = /^\{'descr': (?:'([^']*)'|(\[.*\])), 'fortran_order': (True|False), 'shape': \(([\d, -]*)\), \} *\n$/.exec(text);
  if (form === null) throw new NpyError("NPY_HEADER", say("The .npy header is not the dictionary of descr, fortran_order and shape that numpy writes."));
  const [, descr = "", structured, order, sizes] = form;
  if (structured !== undefined) throw new NpyError("NPY_DTYPE", say("The array is structured; plain uint8, float32 and int64 are accepted."));
  if (descr === "|O") throw new NpyError("NPY_DTYPE", say("The array contains pickled Python objects; refused."));
  const shape = (sizes ?? "")
    .split(",")
    .map((size) => size.trim())
    .filter((size) => size !== "")
    .map(Number);
  const bad = shape.find((size) => !Number.isSafeInteger(size) || size < 0);
  if (bad !== undefined) throw new NpyError("NPY_HEADER", say("The .npy header claims an axis of {bad}, which no array has.", { bad }));
  if (shape.length > maxRank) throw new NpyError("NPY_HEADER", say("The array has {length} axes; the limit is {maxRank}.", { length: shape.length, maxRank }));
  return { descr, isFortran: order === "True", shape, offset: textStart + textBytes };
}

/** What the items of an array are: numbers of some width, truth values, or texts of a fixed width. */
export type NumpyType = { kind: "float" | "int" | "uint" | "bool" | "text" | "bytes"; itemBytes: number };

const numberBytes: { [kind: string]: readonly number[] } = { f: [2, 4, 8], i: [1, 2, 4, 8], u: [1, 2, 4, 8], b: [1] };
const kindOf = { f: "float", i: "int", u: "uint", b: "bool", U: "text", S: "bytes" } as const;

/** What NumPy's name of a type says. @throws NpyError NPY_DTYPE for whatever is neither little-endian numbers nor text */
export function readDescr(descr: string): NumpyType {
  const [, order, letter = "", digits = ""] = /^([<>|=])?([a-zA-Z])(\d{1,6})$/.exec(descr) ?? [];
  const width = Number(digits);
  if (order === ">" && (letter === "U" || (numberBytes[letter]?.includes(width) && width > 1)))
    throw new NpyError("NPY_DTYPE", say("The array is big-endian ('{descr}'); save it with .astype('<{letter}{digits}').", { descr, letter, digits }));
  if (order !== "=" && (letter === "U" || letter === "S") && width > 0 && width <= maxTextWidth) return { kind: kindOf[letter], itemBytes: letter === "U" ? 4 * width : width };
  if (order !== "=" && (letter === "f" || letter === "i" || letter === "u" || letter === "b") && numberBytes[letter]?.includes(width))
    return { kind: kindOf[letter], itemBytes: width };
  throw new NpyError(
    "NPY_DTYPE",
    say("The array's type is '{value}'; little-endian numbers, truth values and texts of up to {maxTextWidth} characters are read.", { value: descr.slice(0, 40), maxTextWidth }),
  );
}

/**
 * Sees that a file holds exactly the bytes that its header promises.
 * @param dataBytes what the file holds behind the header
 * @returns the number of items
 */
export function checkNpySize({ descr, shape }: Pick<NpyLayout, "descr" | "shape">, { itemBytes }: NumpyType, dataBytes: number): number {
  const needed = elementCount([...shape, itemBytes]);
  if (needed !== dataBytes)
    throw new NpyError(
      "NPY_SIZE",
      say("The array [{shape}] of '{descr}' needs {needed} bytes, file holds {value}. Save it again.", {
        shape: shape.join(", "),
        descr,
        needed: printCount(needed),
        value: printCount(Math.max(0, dataBytes)),
      }),
    );
  return needed / itemBytes;
}

/** Items as numbers, from bytes that begin with the first. Whole numbers beyond 2^53 are rounded. */
export function readNumbers({ kind, itemBytes }: NumpyType, bytes: Uint8Array): ArrayLike<number> {
  // Typed arrays need alignment, which bytes of a file do not have.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset } = aligned;
  const count = aligned.length / itemBytes;
  if (kind === "float") {
    if (itemBytes === 4) return new Float32Array(buffer, byteOffset, count);
    if (itemBytes === 8) return new Float64Array(buffer, byteOffset, count);
    return Float32Array.from(new Uint16Array(buffer, byteOffset, count), halfToNumber);
  }
  if (kind === "int") {
    if (itemBytes === 1) return new Int8Array(buffer, byteOffset, count);
    if (itemBytes === 2) return new Int16Array(buffer, byteOffset, count);
    if (itemBytes === 4) return new Int32Array(buffer, byteOffset, count);
    return Float64Array.from(new BigInt64Array(buffer, byteOffset, count), Number);
  }
  if (itemBytes === 2) return new Uint16Array(buffer, byteOffset, count);
  if (itemBytes === 4) return new Uint32Array(buffer, byteOffset, count);
  if (itemBytes === 8) return Float64Array.from(new BigUint64Array(buffer, byteOffset, count), Number);
  return aligned;
}

/** Items as texts, without the zeros that fill them up. */
export function readTexts({ kind, itemBytes }: NumpyType, bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / itemBytes }, (_, item) => {
    const start = item * itemBytes;
    if (kind === "bytes") return new TextDecoder("latin1").decode(bytes.subarray(start, start + itemBytes)).replace(/\0+$/, "");
    const points = Array.from({ length: itemBytes / 4 }, (_, at) => view.getUint32(start + 4 * at, true));
    return String.fromCodePoint(...points.map((point) => (point > 0x10ffff ? 0xfffd : point))).replace(/\0+$/, "");
  });
}

/** IEEE 754 half precision. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Reads the header of an array that can be used as it lies in the file.
 * @param fileBytes size of the whole file; given, it must equal what the header promises.
 */
export function readNpyHeader(bytes: Uint8Array, fileBytes?: number): NpyHeader {
  const { descr, isFortran, shape, offset } = readNpyLayout(bytes);
  const dtype = dtypeOf.get(descr);
  if (dtype === undefined) throw new NpyError("NPY_DTYPE", say("The array's type is '{descr}'; little-endian uint8, float32 and int64 are accepted.", { descr }));
  if (isFortran) throw new NpyError("NPY_HEADER", say("The array lies in Fortran order; save it with numpy.ascontiguousarray."));
  const dataBytes = elementCount([...shape, itemSizeBytes[dtype]]);
  if (fileBytes !== undefined && fileBytes - offset !== dataBytes) {
    throw new NpyError(
      "NPY_SIZE",
      say("The array [{value}] of {dtype} needs {dataBytes} bytes; the file holds {value2}.", {
        value: shape.join(", "),
        dtype,
        dataBytes,
        value2: Math.max(0, fileBytes - offset),
      }),
    );
  }
  return { dtype, shape, offset };
}
