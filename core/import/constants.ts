import { halfToNumber } from "../data/npy.ts";
import { countElements, type Tensor, tensorFromBytes, tensorOf } from "../export/tensor.ts";
import type { Dtype } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { type FileTensor, ONNX_LIMITS, ONNX_TYPES, OnnxError, quote } from "./onnx-proto.ts";

/**
 * Constant tensors of an ONNX file: brought to the dtypes that programs here have, and computed with where a file computes with
 * constants (transposed weights, gates put in another order, shapes put together from pieces).
 */

/** Our dtype for `TensorProto.DataType`: floats become float32, whole numbers int64, bytes and truth values stay. Null: not taken. */
export function dtypeOf(type: number): Dtype | null {
  if ([1, 10, 11, 16].includes(type)) return "float32";
  if ([3, 4, 5, 6, 7, 12, 13].includes(type)) return "int64";
  return type === 2 ? "uint8" : type === 9 ? "bool" : null;
}

/** @throws OnnxError ONNX_TENSOR_TYPE */
export function decodeTensor(tensor: FileTensor): Tensor {
  const { type, shape, raw, numbers } = tensor;
  const dtype = dtypeOf(type);
  if (!dtype)
    throw new OnnxError(
      "ONNX_TENSOR_TYPE",
      say("The tensor {name} is of the type {name2}, which no program here has.", { name: quote(tensor.name), name2: ONNX_TYPES[type]?.name ?? type }),
    );
  if (raw !== null && (type === 1 || type === 7 || type === 2 || type === 9)) return tensorFromBytes(dtype, shape, raw);
  if (raw === null) {
    if (type === 10 || type === 16)
      return tensorOf(
        "float32",
        shape,
        Array.from<number | bigint, number>(numbers, (bits) => (type === 10 ? halfToNumber(Number(bits)) : fromBfloat16(Number(bits)))),
      );
    if (dtype === "int64") return { dtype, shape, data: BigInt64Array.from(Array.from<number | bigint, bigint>(numbers, BigInt)) };
    return tensorOf(dtype, shape, Array.from<number | bigint, number>(numbers, Number));
  }
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const count = countElements(shape);
  const read: { [type: number]: (i: number) => number | bigint } = {
    3: (i) => view.getInt8(i),
    4: (i) => view.getUint16(2 * i, true),
    5: (i) => view.getInt16(2 * i, true),
    6: (i) => view.getInt32(4 * i, true),
    10: (i) => halfToNumber(view.getUint16(2 * i, true)),
    11: (i) => view.getFloat64(8 * i, true),
    12: (i) => view.getUint32(4 * i, true),
    13: (i) => view.getBigUint64(8 * i, true),
    16: (i) => fromBfloat16(view.getUint16(2 * i, true)),
  };
  const at = read[type];
  if (!at) throw new OnnxError("ONNX_TENSOR_TYPE", say("The tensor {name} is of the type {type}, which is not read.", { name: quote(tensor.name), type }));
  if (dtype === "int64") return { dtype, shape, data: BigInt64Array.from({ length: count }, (_, i) => BigInt(at(i))) };
  return tensorOf(
    dtype,
    shape,
    Array.from({ length: count }, (_, i) => Number(at(i))),
  );
}

const floatBits = new DataView(new ArrayBuffer(4));
function fromBfloat16(bits: number): number {
  floatBits.setUint32(0, (bits & 0xffff) << 16);
  return floatBits.getFloat32(0);
}

/** What may be computed while reading, in numbers: as many as the largest file can hold as float32. */
const MOST_ELEMENTS = ONNX_LIMITS.fileBytes / 4;

function checkedCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (!(size >= 0) || count > MOST_ELEMENTS)
      throw new OnnxError("ONNX_TENSOR_SIZE", say("A constant of shape [{shape}] is more than a file of this size can mean.", { shape: shape.join(", ") }));
  }
  return count;
}

function blank(dtype: Dtype, shape: number[]): Tensor {
  const count = checkedCount(shape);
  if (dtype === "float32") return { dtype, shape, data: new Float32Array(count) };
  if (dtype === "int64") return { dtype, shape, data: new BigInt64Array(count) };
  return { dtype, shape, data: new Uint8Array(count) };
}

/** A tensor whose element i is element `from(i)` of another of the same dtype. */
function pick(tensor: Tensor, shape: number[], from: (i: number) => number): Tensor {
  const result = blank(tensor.dtype, shape);
  const count = result.data.length;
  if (tensor.dtype === "float32" && result.dtype === "float32") for (let i = 0; i < count; i++) result.data[i] = tensor.data[from(i)] ?? Number.NaN;
  else if (tensor.dtype === "int64" && result.dtype === "int64") for (let i = 0; i < count; i++) result.data[i] = tensor.data[from(i)] ?? 0n;
  else for (let i = 0; i < count; i++) (result.data as Uint8Array)[i] = Number(tensor.data[from(i)] ?? 0);
  return result;
}

/** The numbers of a tensor, int64 included. */
export function numbersOf({ data }: Tensor): number[] {
  return Array.from<number | bigint, number>(data, Number);
}

/** The one number of a tensor that holds one; null of others. */
export function scalarOf(tensor: Tensor): number | null {
  return tensor.data.length === 1 ? Number(tensor.data[0]) : null;
}

export function castTensor(tensor: Tensor, dtype: Dtype): Tensor {
  if (tensor.dtype === dtype) return tensor;
  const numbers = numbersOf(tensor);
  if (dtype === "bool")
    return tensorOf(
      dtype,
      tensor.shape,
      numbers.map((n) => (n !== 0 ? 1 : 0)),
    );
  return tensorOf(dtype, tensor.shape, dtype === "float32" ? numbers : numbers.map((n) => (Number.isFinite(n) ? Math.trunc(n) : 0)));
}

/** The same numbers in another shape of as many. */
export function reshapeTensor(tensor: Tensor, shape: number[]): Tensor {
  if (checkedCount(shape) !== tensor.data.length)
    throw new OnnxError("ONNX_TENSOR_SIZE", say("A constant of {count} numbers cannot be laid out as [{shape}].", { count: tensor.data.length, shape: shape.join(", ") }));
  return { ...tensor, shape } as Tensor;
}

export function transposeTensor(tensor: Tensor, perm: readonly number[]): Tensor {
  const { shape } = tensor;
  const strides = stridesOf(shape);
  const outShape = perm.map((axis) => shape[axis] ?? 1);
  const outStrides = perm.map((axis) => strides[axis] ?? 0);
  return pick(tensor, outShape, walker(outShape, outStrides, 0));
}

/** `tensor[start:end:step]` along one axis, with ends as ONNX and NumPy clamp them. */
export function sliceTensor(tensor: Tensor, axis: number, start: number, end: number, step: number): Tensor {
  const size = tensor.shape[axis] ?? 1;
  const range = sliceRange(size, start, end, step);
  const strides = stridesOf(tensor.shape);
  const shape = tensor.shape.with(axis, range.count);
  return pick(tensor, shape, walker(shape, strides.with(axis, (strides[axis] ?? 0) * step), range.start * (strides[axis] ?? 0)));
}

/** First index and number of indices of a slice of an axis of this size. */
export function sliceRange(size: number, start: number, end: number, step: number): { start: number; count: number } {
  const clamp = (index: number, low: number, high: number) => Math.min(high, Math.max(low, index < 0 ? index + size : index));
  if (step > 0) {
    const first = clamp(start, 0, size);
    return { start: first, count: Math.max(0, Math.ceil((clamp(end, 0, size) - first) / step)) };
  }
  const first = clamp(start, 0, size - 1);
  // An end before the beginning means: down to the first element.
  const last = end < -size ? -1 : clamp(end, -1, size - 1);
  return { start: first, count: Math.max(0, Math.ceil((last - first) / step)) };
}

/** The rows of `tensor` along an axis that `indices` name, whose shape takes the place of that axis. */
export function gatherTensor(tensor: Tensor, indices: Tensor, axis: number): Tensor {
  const size = tensor.shape[axis] ?? 1;
  const rows = numbersOf(indices).map((index) => (index < 0 ? index + size : index));
  if (rows.some((row) => row < 0 || row >= size)) throw new OnnxError("ONNX_GRAPH", say("A Gather of constants asks for a place beyond its axis of {size}.", { size }));
  const inner = countElements(tensor.shape.slice(axis + 1));
  const shape = [...tensor.shape.slice(0, axis), ...indices.shape, ...tensor.shape.slice(axis + 1)];
  const block = rows.length * inner;
  return pick(tensor, shape, (i) => {
    const outer = Math.floor(i / block);
    const within = i - outer * block;
    return (outer * size + (rows[Math.floor(within / inner)] ?? 0)) * inner + (within % inner);
  });
}

export function concatTensors(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors;
  if (
    !first ||
    tensors.some(({ dtype, shape }) => dtype !== first.dtype || shape.length !== first.shape.length || shape.some((size, i) => i !== axis && size !== first.shape[i]))
  ) {
    throw new OnnxError("ONNX_GRAPH", say("A Concat of constants joins tensors that do not fit together."));
  }
  const sizes = tensors.map(({ shape }) => shape[axis] ?? 1);
  const total = sizes.reduce((a, b) => a + b, 0);
  const result = blank(first.dtype, first.shape.with(axis, total));
  const inner = countElements(first.shape.slice(axis + 1));
  let before = 0;
  for (const [t, { data }] of tensors.entries()) {
    const block = (sizes[t] ?? 0) * inner;
    for (let i = 0; i < data.length; i++) {
      const outer = Math.floor(i / block);
      (result.data as { [i: number]: unknown })[outer * total * inner + before * inner + (i - outer * block)] = data[i];
    }
    before += sizes[t] ?? 0;
  }
  return result;
}

/** Shape of two constants side by side; null where they do not stretch to each other. */
export function broadcastSizes(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length);
  const shape = Array.from({ length: rank }, (_, i) => {
    const left = a[i - rank + a.length] ?? 1;
    const right = b[i - rank + b.length] ?? 1;
    return left === right || right === 1 ? left : left === 1 ? right : -1;
  });
  return shape.includes(-1) ? null : shape;
}

export function expandTensor(tensor: Tensor, wanted: readonly number[]): Tensor {
  const shape = broadcastSizes(tensor.shape, wanted);
  if (!shape) throw new OnnxError("ONNX_GRAPH", say("A constant [{shape}] does not stretch to [{wanted}].", { shape: tensor.shape.join(", "), wanted: wanted.join(", ") }));
  checkedCount(shape);
  const strides = stridesOf(tensor.shape);
  const lead = shape.length - tensor.shape.length;
  return pick(
    tensor,
    shape,
    walker(
      shape,
      shape.map((_, i) => (i < lead || tensor.shape[i - lead] === 1 ? 0 : (strides[i - lead] ?? 0))),
      0,
    ),
  );
}

/** Number by number; the result is of `dtype`, or of the first's. */
export function combineTensors(a: Tensor, b: Tensor, f: (a: number, b: number) => number, dtype: Dtype = a.dtype): Tensor {
  const shape = broadcastSizes(a.shape, b.shape);
  if (!shape) throw new OnnxError("ONNX_GRAPH", say("Constants [{shape}] and [{shape2}] do not fit together.", { shape: a.shape.join(", "), shape2: b.shape.join(", ") }));
  const [left, right] = [numbersOf(expandTensor(a, shape)), numbersOf(expandTensor(b, shape))];
  const values = left.map((value, i) => f(value, right[i] ?? 0));
  return tensorOf(dtype, shape, dtype === "int64" ? values.map((n) => (Number.isFinite(n) ? Math.trunc(n) : 0)) : values);
}

export function mapTensor(tensor: Tensor, f: (x: number) => number): Tensor {
  const values = numbersOf(tensor).map(f);
  return tensorOf(tensor.dtype, tensor.shape, tensor.dtype === "float32" ? values : values.map((n) => (Number.isFinite(n) ? Math.trunc(n) : 0)));
}

/** A tensor full of one number. */
export function fullTensor(dtype: Dtype, shape: number[], value: number): Tensor {
  const tensor = blank(dtype, shape);
  if (tensor.dtype === "int64") tensor.data.fill(BigInt(Math.trunc(value)));
  else tensor.data.fill(value);
  return tensor;
}

function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] ?? 1) * (shape[i + 1] ?? 1);
  return strides;
}

/** Offsets of the elements of a view in C order, asked one after another. */
function walker(shape: readonly number[], strides: readonly number[], start: number): (i: number) => number {
  const index = new Array<number>(shape.length).fill(0);
  let offset = start;
  let isFirst = true;
  return () => {
    if (isFirst) {
      isFirst = false;
      return offset;
    }
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += strides[axis] ?? 0;
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (shape[axis] ?? 1)) return offset;
      offset -= (strides[axis] ?? 0) * (shape[axis] ?? 1);
      index[axis] = 0;
    }
    return offset;
  };
}
