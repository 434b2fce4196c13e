import { NpyError, readNpyLayout } from "../data/npy.ts";
import type { Tensor } from "../export/tensor.ts";
import { type Inflate, listZip, unpackEntry } from "../export/zip.ts";
import { say } from "../language/say.ts";
import { decodeTensor, transposeTensor } from "./constants.ts";

/** `TensorProto.DataType` of NumPy's types: both lists are decoded alike. */
const TYPES: { [descr: string]: number } = {
  "<f4": 1,
  "|u1": 2,
  u1: 2,
  "|i1": 3,
  i1: 3,
  "<u2": 4,
  "<i2": 5,
  "<i4": 6,
  "<i8": 7,
  "|b1": 9,
  "<f2": 10,
  "<f8": 11,
  "<u4": 12,
  "<u8": 13,
};
const SIZES: { [type: number]: number } = { 1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8 };

/**
 * The arrays of an `.npz` by name: floats as float32, whole numbers as int64. Objects are refused, nothing is ever unpickled.
 * @throws ZipError, NpyError
 */
export function readNpz(file: Uint8Array, inflate: Inflate): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const entry of listZip(file).values()) {
    if (!entry.name.endsWith(".npy"))
      throw new NpyError("NPY_HEADER", say("The archive holds {value}; an .npz holds .npy arrays alone.", { value: JSON.stringify(entry.name.slice(0, 80)) }));
    const name = entry.name.slice(0, -".npy".length);
    tensors.set(name, readArray(name, unpackEntry(entry, inflate)));
  }
  return tensors;
}

function readArray(name: string, bytes: Uint8Array): Tensor {
  const { descr, isFortran, shape, offset } = named(name, () => readNpyLayout(bytes));
  const type = Object.hasOwn(TYPES, descr) ? TYPES[descr] : undefined;
  if (type === undefined) throw new NpyError("NPY_DTYPE", say("The array {name} is of the type '{descr}'; little-endian numbers are read.", { name: JSON.stringify(name), descr }));
  const raw = bytes.subarray(offset);
  const count = shape.reduce((a, b) => a * b, 1);
  if (count * (SIZES[type] ?? 1) !== raw.length)
    throw new NpyError(
      "NPY_SIZE",
      say("The array {value} [{shape}] needs {count} bytes, but holds {count2}.", {
        value: JSON.stringify(name),
        shape: shape.join(", "),
        count: count * (SIZES[type] ?? 1),
        count2: raw.length,
      }),
    );
  const tensor = decodeTensor({ name, type, shape: isFortran ? shape.toReversed() : shape, raw, numbers: [] });
  return isFortran
    ? transposeTensor(
        tensor,
        shape.map((_, i) => shape.length - 1 - i),
      )
    : tensor;
}

/** Says of which array an error is. */
function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof NpyError) throw new NpyError(error.code, `${JSON.stringify(name)}: ${error.message}`);
    throw error;
  }
}
