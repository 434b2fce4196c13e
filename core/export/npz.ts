import { encodeNpyHeader } from "../data/npy.ts";
import type { Dtype } from "../graph/shape.ts";
import { type Tensor, tensorBytes, type Weights } from "./tensor.ts";
import { writeZip } from "./zip.ts";

const DESCR: Record<Dtype, string> = { float32: "<f4", int64: "<i8", bool: "|b1", uint8: "|u1" };

/** One tensor as NumPy's `.npy`. */
export function writeNpy(tensor: Tensor): Uint8Array {
  const header = encodeNpyHeader(DESCR[tensor.dtype], tensor.shape);
  const bytes = new Uint8Array(header.length + tensor.data.byteLength);
  bytes.set(header);
  bytes.set(tensorBytes(tensor), header.length);
  return bytes;
}

/** Tensors as NumPy's `.npz`: `numpy.load("model.npz")["conv2d_1.weight"]`. */
export function writeNpz(tensors: Weights): Uint8Array {
  return writeZip([...tensors].map(([name, tensor]) => [`${name}.npy`, writeNpy(tensor)] as const));
}
