/**
 * One size. A number, or text for a size known only at run time: a symbol (`B` for the batch, `T` for time) or an
 * expression over symbols in normal form (`T-2`, `floor((T-3)/2)+1`). Equal text means equal size.
 */
export type Dim = number | string;

/** Sizes from the outermost axis to the innermost, as in PyTorch. `[]` is a scalar. */
export type Shape = Dim[];

export type Dtype = "float32" | "int64" | "bool" | "uint8";

export const BYTES_PER_ELEMENT: Record<Dtype, number> = { float32: 4, int64: 8, bool: 1, uint8: 1 };

/** What flows along a wire. */
export type TensorType = { dtype: Dtype; shape: Shape };

/** `B×1×28×28`, as drawn on a wire; `scalar` for no axes. */
export function formatShape(shape: Shape): string {
  return shape.length === 0 ? "scalar" : shape.join("×");
}

/** `[B, 1, 28, 28]`, as written in sentences. */
export function printShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Bytes of one sample of this type; sizes that only the run can tell count as one. */
export function bytesPerSample({ dtype, shape }: TensorType): number {
  return shape.reduce<number>((bytes, dim) => bytes * (typeof dim === "number" ? dim : 1), BYTES_PER_ELEMENT[dtype]);
}
