import type { Dtype } from "../graph/shape.ts";

/** A dense C-ordered tensor with its values. int64 travels as BigInt64Array; bool and uint8 as Uint8Array. */
export type Tensor =
  | { dtype: "float32"; shape: number[]; data: Float32Array }
  | { dtype: "int64"; shape: number[]; data: BigInt64Array }
  | { dtype: "bool" | "uint8"; shape: number[]; data: Uint8Array };

/** Weights and buffers by their `state_dict` names. */
export type Weights = ReadonlyMap<string, Tensor>;

/** Number of elements; 1 for a scalar. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** The tensor's bytes, little-endian as every machine we run on; no copy. */
export function tensorBytes({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A tensor over little-endian bytes. Copies, because typed arrays need alignment that a file's bytes do not have. */
export function tensorFromBytes(dtype: Dtype, shape: number[], bytes: Uint8Array): Tensor {
  // Not `slice`, which in Node's Buffer is a view of shared memory.
  const buffer = new Uint8Array(bytes).buffer;
  if (dtype === "float32") return { dtype, shape, data: new Float32Array(buffer) };
  if (dtype === "int64") return { dtype, shape, data: new BigInt64Array(buffer) };
  return { dtype, shape, data: new Uint8Array(buffer) };
}

/** A tensor of the given numbers, which are rounded to the dtype. */
export function tensorOf(dtype: Dtype, shape: number[], values: ArrayLike<number>): Tensor {
  if (dtype === "float32") return { dtype, shape, data: Float32Array.from(values) };
  if (dtype === "int64") return { dtype, shape, data: BigInt64Array.from(Array.from(values, BigInt)) };
  return { dtype, shape, data: Uint8Array.from(values) };
}
