import { encodeNpyHeader } from "../data/npy.ts";
import type { Dtype } from "../graph/shape.ts";
import { tensorBytes, type Weights } from "./tensor.ts";
import { writeZip } from "./zip.ts";

const DESCR: Record<Dtype, string> = { float32: "<f4", int64: "<i8", bool: "|b1", uint8: "|u1" };

/** Weights as NumPy's `.npz`: `numpy.load("model.npz")["conv2d_1.weight"]`. */
export function writeNpz(tensors: Weights): Uint8Array {
  return writeZip(
    [...tensors].map(([name, tensor]) => {
      const header = encodeNpyHeader(DESCR[tensor.dtype], tensor.shape);
      const bytes = new Uint8Array(header.length + tensor.data.byteLength);
      bytes.set(header);
      bytes.set(tensorBytes(tensor), header.length);
      return [`${name}.npy`, bytes] as const;
    }),
  );
}
