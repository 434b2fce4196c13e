import type { TensorType } from "../../graph/shape.ts";
import { float32, type ProgramBuilder, type Value } from "../../layers/kit.ts";

/** Whether an output holds scores for targets that are class numbers: [B, classes, …] for [B, …], or one score a row. */
export function areScores({ y, target }: { y: TensorType; target: TensorType }): boolean {
  if (target.dtype !== "int64") return false;
  const [, classes, ...rest] = y.shape;
  if (y.shape.length === 1) return target.shape.length === 1;
  return typeof classes === "number" && target.shape.length === 1 + rest.length;
}

/** Whether an output is one number for each number of the targets, where [B] and [B, 1] say the same. */
export function areValues({ y, target }: { y: TensorType; target: TensorType }): boolean {
  const plain = ({ shape }: TensorType) => (shape.length === 2 && shape[1] === 1 ? shape.slice(0, 1) : shape).join();
  return target.dtype === "float32" && y.dtype === "float32" && plain(y) === plain(target);
}

/** How many classes scores tell apart: one score alone says yes or no. */
export function classCount(y: TensorType): number {
  const scores = y.shape[1] ?? 1;
  if (typeof scores !== "number") throw new Error(`The number of classes is not known: the output is [${y.shape.join(", ")}].`);
  return Math.max(2, scores);
}

/** The class numbers that scores [B, classes, …] say. One score alone means class 1 where it is above 0, the logit of one half. */
export function predictedClass(b: ProgramBuilder, y: Value, target: Value): Value {
  const type = target.type;
  if (y.type.shape.length > 1 && y.type.shape[1] !== 1) return b.call("aten::argmax", [y, 1], type);
  const score = y.type.shape.length > 1 ? b.call("aten::squeeze.dim", [y, 1], float32(type.shape)) : y;
  return b.call("aten::to.dtype", [b.call("aten::gt.Scalar", [score, 0], { dtype: "bool", shape: type.shape }), "int64"], type);
}

/** The mean of what is true. */
export function shareOf(b: ProgramBuilder, right: Value): Value {
  return b.call("aten::mean", [b.call("aten::to.dtype", [right, "float32"], float32(right.type.shape))], float32([]));
}
