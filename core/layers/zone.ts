import { printShape, type TensorType } from "../graph/shape.ts";
import type { InferProblem, OnnxBuilder, OnnxValue } from "./kit.ts";

/** What If, While and Repeat have in common. */

/** `float32 [B, 8]` */
export function describeType({ dtype, shape }: TensorType): string {
  return `${dtype} ${printShape(shape)}`;
}

/** A body without the output that its zone asks for. */
export function needOutput(title: string, role: string): InferProblem {
  return { problem: `The ${role} of ${title} has no output named y.`, code: "GRAPH_BODY", hint: "Open it, add an Output, and connect it." };
}

export function needCondition(where: string, type: TensorType, port?: string): InferProblem {
  return {
    problem: `${where} must be a single true or false but is ${describeType(type)}.`,
    code: type.dtype === "bool" ? "GRAPH_SHAPE" : "GRAPH_DTYPE",
    port,
    hint: "Average over all axes with Mean (dim empty), then compare with Greater.",
  };
}

/** The value as a scalar, which ONNX wants of conditions and counts. */
export function toScalar(b: OnnxBuilder, { name }: OnnxValue): string {
  return b.node("Reshape", [name, b.constant([], [0], "int64")])[0] ?? "";
}

/** The one result of a body that has been checked. */
export function resultOf<T>(results: { [name: string]: T }): T {
  const { y } = results;
  if (y === undefined) throw new Error("The body of a checked zone has an output y.");
  return y;
}
