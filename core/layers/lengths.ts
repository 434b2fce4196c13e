import { printShape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { type InferProblem, type OnnxBuilder, type OnnxValue, onnxNode, type ProgramBuilder, type Value } from "./kit.ts";

/** What layers that read padded sequences have in common: x [N, time, …] of which the first `lengths[i]` steps count. */

export const LENGTHS_PORT = { doc: "How many steps of each sample count, [N]; without it all do.", dtype: "int64", optional: true } as const;

/** Whether x has a time axis, and lengths one number for each sample. */
export function needSequence(title: string, x: TensorType, lengths: TensorType | undefined, rank?: number): InferProblem | null {
  if (rank === undefined ? x.shape.length < 2 : x.shape.length !== rank)
    return {
      problem:
        rank === 3
          ? say("{title} needs [N, time, features] but receives {shape}.", { title, shape: printShape(x.shape) })
          : say("{title} needs [N, time, …] but receives {shape}.", { title, shape: printShape(x.shape) }),
      port: "x",
      hint: say("Take the results of every step, as an Embedding or LSTM gives them."),
    };
  if (lengths && (lengths.shape.length !== 1 || lengths.shape[0] !== x.shape[0]))
    return {
      problem: say("{title} needs one length for each sample, {shape}, but receives {shape2}.", {
        title,
        shape: printShape([x.shape[0] ?? "B"]),
        shape2: printShape(lengths.shape),
      }),
      port: "lengths",
    };
  return null;
}

/** 0, 1, 2, … for each step along an axis of x: [time]. */
export function lowerSteps(b: ProgramBuilder, x: Value, axis = 1, dtype: "int64" | "float32" = "int64"): Value {
  const size = x.type.shape[axis] ?? 1;
  return b.call("aten::arange.start_step", [0, typeof size === "number" ? size : { size: [x, axis] }, 1, dtype], { dtype, shape: [size] });
}

/** The steps of axis 1 in ONNX. */
export function onnxSteps(b: OnnxBuilder, x: OnnxValue): string {
  const size = x.type.shape[1] ?? 1;
  if (typeof size === "number") {
    const steps = Array.from({ length: size }, (_, step) => step);
    return b.constant(steps, [size], "int64");
  }
  const count = onnxNode(b, "Squeeze", [onnxNode(b, "Shape", [x.name], { start: 1, end: 2 })]);
  return onnxNode(b, "Range", [b.constant([0], [], "int64"), count, b.constant([1], [], "int64")]);
}

/** Which steps count: bool [N, time]. */
export function lowerCounting(b: ProgramBuilder, x: Value, lengths: Value): Value {
  const [batch = 1, time = 1] = x.type.shape;
  const column = b.call("aten::unsqueeze", [lengths, 1], { dtype: "int64", shape: [batch, 1] });
  return b.call("aten::lt.Tensor", [lowerSteps(b, x), column], { dtype: "bool", shape: [batch, time] });
}

/** The same in ONNX. */
export function onnxCounting(b: OnnxBuilder, x: OnnxValue, lengths: OnnxValue): string {
  return onnxNode(b, "Less", [onnxSteps(b, x), onnxNode(b, "Unsqueeze", [lengths.name, b.constant([1], [1], "int64")])]);
}

/** The same in Python. */
export function pythonCounting(x: string, lengths: string): string {
  return `torch.arange(${x}.shape[1], device=${x}.device) < ${lengths}.unsqueeze(1)`;
}
