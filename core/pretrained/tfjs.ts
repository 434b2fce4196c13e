import { z } from "zod";
import { countElements, type Tensor } from "../export/tensor.ts";

/** What TensorFlow.js says of a file of weights: its tensors one behind the other, float32, whole numbers, or bytes that stand for `byte · scale + min`. */
export const TfjsWeights = z.array(
  z.object({
    name: z.string(),
    shape: z.array(z.int().min(0)),
    dtype: z.enum(["float32", "int32"]),
    quantization: z.object({ min: z.number(), scale: z.number(), dtype: z.literal("uint8") }).optional(),
  }),
);
export type TfjsWeights = z.infer<typeof TfjsWeights>;

/**
 * The tensors of a TensorFlow.js model by their names, as float32; whole numbers, which say how it computes, are left out.
 * @see https://github.com/tensorflow/tfjs/blob/tfjs-v4.22.0/tfjs-core/src/io/io_utils.ts (decodeWeights)
 * @throws RangeError where the bytes are fewer or more than the tensors take
 */
export function readTfjsWeights(list: TfjsWeights, bytes: Uint8Array): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  let at = 0;
  for (const { name, shape, dtype, quantization } of list) {
    const count = countElements(shape);
    const size = quantization ? count : 4 * count;
    if (at + size > bytes.length) throw new RangeError(`The weights end inside ${name}.`);
    const part = bytes.slice(at, at + size);
    at += size;
    if (dtype === "int32") continue;
    const data = quantization ? Float32Array.from(part, (byte) => byte * quantization.scale + quantization.min) : new Float32Array(part.buffer);
    tensors.set(name, { dtype: "float32", shape, data });
  }
  if (at !== bytes.length) throw new RangeError(`${bytes.length - at} bytes of the weights belong to no tensor.`);
  return tensors;
}

/** A tensor with its axes in another order: `order[i]` is the old place of the new axis i. */
export function transpose(tensor: Tensor, order: readonly number[]): Tensor {
  if (tensor.dtype !== "float32") throw new TypeError("Only float32 tensors are turned.");
  const shape = order.map((axis) => tensor.shape[axis] ?? 1);
  const strides = tensor.shape.map((_, axis) => countElements(tensor.shape.slice(axis + 1)));
  const steps = order.map((axis) => strides[axis] ?? 0);
  const data = new Float32Array(tensor.data.length);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    data[to] = tensor.data[from] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      from += steps[axis] ?? 0;
      if ((index[axis] ?? 0) < (shape[axis] ?? 1)) break;
      from -= (steps[axis] ?? 0) * (shape[axis] ?? 1);
      index[axis] = 0;
    }
  }
  return { dtype: "float32", shape, data };
}
