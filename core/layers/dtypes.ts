import { ONNX_DTYPES } from "../export/onnx-proto.ts";
import type { Dtype } from "../graph/shape.ts";
import type { OnnxBuilder, OnnxValue } from "./kit.ts";
import { onnxNode } from "./kit.ts";

/** What most math takes: PyTorch counts and measures with both. */
export const NUMBERS = ["float32", "int64"] as const;
/** Where conditions count as 0 and 1. */
export const NUMBERS_AND_CONDITIONS = ["float32", "int64", "bool"] as const;

/** The largest number that a float32 holds, rounded down: a scalar beyond it would be infinite. */
export const LARGEST = 3.4e38;

const RANK: { [D in Dtype]: number } = { bool: 0, uint8: 1, int64: 2, float32: 3 };

/**
 * The dtype in which PyTorch combines these. A plain number counts as int64 where it is whole, else as float32, as `1` and `0.5`
 * do in Python.
 * @see https://pytorch.org/docs/2.13/tensor_attributes.html#type-promotion-doc
 */
export function promote(...operands: (Dtype | number)[]): Dtype {
  return operands.map(dtypeOf).reduce((a, b) => (RANK[a] >= RANK[b] ? a : b));
}

function dtypeOf(operand: Dtype | number): Dtype {
  if (typeof operand !== "number") return operand;
  return Number.isSafeInteger(operand) ? "int64" : "float32";
}

/** A value, or a plain number as a scalar, in ONNX as this dtype: ONNX promotes nothing by itself. */
export function onnxAs(b: OnnxBuilder, value: OnnxValue | number, dtype: Dtype): string {
  if (typeof value === "number") return b.constant([value], [], dtype);
  return value.type.dtype === dtype ? value.name : onnxNode(b, "Cast", [value.name], { to: ONNX_DTYPES[dtype] });
}

/** A number that Python reads as we do: whole where it is safely so, else a float. */
export function pythonNumber(value: number): string {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
}

/** The same where it stands on the left of an operator. */
export function pythonOperand(value: number): string {
  return value < 0 ? `(${pythonNumber(value)})` : pythonNumber(value);
}
