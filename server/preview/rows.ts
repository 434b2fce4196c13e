import { open } from "node:fs/promises";
import { LENGTHS_INPUT } from "../../core/data/manifest.ts";
import { beginOf, itemSizeBytes, readNpyHeader } from "../../core/data/npy.ts";
import type { RowArray } from "../../core/preview/order.ts";
import type { Program } from "../../core/program/program.ts";
import type { TensorData } from "../../native/index.ts";

/** The arrays of a data set that a program's inputs are fed from. */
type Arrays = { input: RowArray; lengths: RowArray | null; more: { [input: string]: RowArray } };

/** What a program's inputs are given for some rows: as one batch, sequences cut to the longest of them. */
export async function readInputs(program: Program, arrays: Arrays, rows: readonly number[]): Promise<{ [name: string]: TensorData }> {
  const lengths = arrays.lengths === null ? null : (await readRows(arrays.lengths, rows)).data;
  const longest = lengths === null ? null : Math.max(1, ...Array.from(lengths, Number));
  const inputs: { [name: string]: TensorData } = {};
  for (const { name, shape } of program.inputs) {
    const array = name === LENGTHS_INPUT && arrays.lengths ? arrays.lengths : (arrays.more[name] ?? arrays.input);
    const tensor = await readRows(array, rows);
    const isCropped = longest !== null && array === arrays.input && typeof shape[1] === "string";
    inputs[name] = isCropped ? crop(tensor, longest) : tensor;
  }
  return inputs;
}

/** Keeps the first `length` steps of each row. */
function crop(tensor: TensorData, length: number): TensorData {
  const [batch = 1, steps = 1, ...rest] = tensor.shape;
  const kept = Math.min(steps, length);
  if (kept === steps) return tensor;
  const size = rest.reduce((product, one) => product * one, 1);
  const shape = [batch, kept, ...rest];
  const cut = <Data extends { subarray(from: number, to: number): Data; set(part: Data, at: number): void }>(from: Data, to: Data): Data => {
    for (let row = 0; row < batch; row++) to.set(from.subarray(row * steps * size, (row * steps + kept) * size), row * kept * size);
    return to;
  };
  const count = batch * kept * size;
  if (tensor.dtype === "int64") return { ...tensor, shape, data: cut(tensor.data, new BigInt64Array(count)) };
  if (tensor.dtype === "float32") return { ...tensor, shape, data: cut(tensor.data, new Float32Array(count)) };
  return { ...tensor, shape, data: cut(tensor.data, new Uint8Array(count)) };
}

async function readRows(array: RowArray, rows: readonly number[]): Promise<TensorData> {
  const { dtype, shape } = array;
  const file = await open(array.file, "r");
  try {
    const head = new Uint8Array(16_384);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const { offset } = readNpyHeader(head.subarray(0, bytesRead), (await file.stat()).size);
    const rowBytes = shape.reduce((product, size) => product * size, itemSizeBytes[dtype]);
    const bytes = new Uint8Array(rows.length * rowBytes);
    for (const [at, row] of rows.entries()) await file.read(bytes, at * rowBytes, rowBytes, offset + beginOf(array, row));
    const batch = [rows.length, ...shape];
    if (dtype === "uint8") return { dtype, shape: batch, data: bytes };
    return dtype === "float32" ? { dtype, shape: batch, data: new Float32Array(bytes.buffer) } : { dtype, shape: batch, data: new BigInt64Array(bytes.buffer) };
  } finally {
    await file.close();
  }
}
