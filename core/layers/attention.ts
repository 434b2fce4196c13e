import { ONNX_DTYPES } from "../export/onnx-proto.ts";
import { evaluate } from "../graph/dims.ts";
import type { Shape, TensorType } from "../graph/shape.ts";
import { float32, type OnnxBuilder, type OnnxValue, onnxNode, type ProgramBuilder, type Value } from "./kit.ts";
import { lowerSteps } from "./lengths.ts";

/** softmax(q kᵀ / √d) v over q [..., T, d], k [..., S, d], v [..., S, e]; `isCausal` lets step t look at the steps up to t only. */
type Attention = { dropout: number; isCausal: boolean };

/** Low enough that its softmax is exactly 0; JSON has no −∞. */
export const MASKED = -3.4028234663852886e38;

/** `mask`: true where a query may look at a key, of a shape that stretches to [..., T, S]. */
export function lowerAttention(b: ProgramBuilder, q: Value, k: Value, v: Value, { dropout, isCausal }: Attention, type: TensorType, mask?: Value): Value {
  const scoresType = float32([...type.shape.slice(0, -1), k.type.shape.at(-2) ?? 1]);
  const past = isCausal && (mask || dropout > 0) ? lowerPast(b, q, k) : undefined;
  const visible = mask && past ? b.call("aten::logical_and", [mask, past], { dtype: "bool", shape: scoresType.shape }) : (mask ?? past);
  // The fused kernel takes its dropout as a number, which cannot follow the mode; with dropout the same is written out.
  if (dropout === 0) return b.call("aten::scaled_dot_product_attention", [q, k, v, visible ?? null, 0, isCausal && !visible], type);
  const depth = Number(q.type.shape.at(-1));
  const turned = b.call("aten::transpose.int", [k, -2, -1], k.type);
  let scores = b.call("aten::mul.Scalar", [b.call("aten::matmul", [q, turned], scoresType), 1 / Math.sqrt(depth)], scoresType);
  const hidden = visible && b.call("aten::logical_not", [visible], visible.type);
  if (hidden) scores = b.call("aten::masked_fill.Scalar", [scores, hidden, MASKED], scoresType);
  let shares = b.call("aten::softmax.int", [scores, -1], scoresType);
  // A query that sees nothing takes nothing, as in the fused kernel.
  if (hidden && mask) shares = b.call("aten::masked_fill.Scalar", [shares, hidden, 0], scoresType);
  const kept = b.call("aten::dropout", [shares, dropout, { flag: "training" }], scoresType);
  return b.call("aten::matmul", [kept, v], type);
}

/** Which steps are not in the future: bool [T, S]. */
function lowerPast(b: ProgramBuilder, q: Value, k: Value): Value {
  const [now, then] = [lowerSteps(b, q, q.type.shape.length - 2), lowerSteps(b, k, k.type.shape.length - 2)];
  const column = b.call("aten::unsqueeze", [now, 1], { dtype: "int64", shape: [...now.type.shape, 1] });
  return b.call("aten::le.Tensor", [then, column], { dtype: "bool", shape: [...now.type.shape, ...then.type.shape] });
}

export function writeAttention(b: OnnxBuilder, q: OnnxValue, k: OnnxValue, v: OnnxValue, { isCausal }: Attention, mask?: string): string {
  const axes = k.type.shape.map((_, i) => i);
  axes.push(...axes.splice(-2).reverse());
  const products = onnxNode(b, "MatMul", [q.name, onnxNode(b, "Transpose", [k.name], { perm: axes })]);
  let scores = onnxNode(b, "Mul", [products, b.constant([1 / Math.sqrt(Number(q.type.shape.at(-1)))], [], "float32")]);
  let visible = mask;
  if (isCausal) {
    const ones = onnxNode(b, "Expand", [b.constant([1], [], "float32"), onnxNode(b, "Shape", [scores])]);
    const past = onnxNode(b, "Cast", [onnxNode(b, "Trilu", [ones], { upper: 0 })], { to: ONNX_DTYPES.bool });
    visible = mask === undefined ? past : onnxNode(b, "And", [mask, past]);
  }
  if (visible !== undefined) scores = onnxNode(b, "Where", [visible, scores, b.constant([MASKED], [], "float32")]);
  let shares = onnxNode(b, "Softmax", [scores], { axis: -1 });
  // A query that sees nothing takes nothing.
  if (visible !== undefined && mask !== undefined) shares = onnxNode(b, "Where", [visible, shares, b.constant([0], [], "float32")]);
  return onnxNode(b, "MatMul", [shares, v.name]);
}

/** Both products, for one sample. */
export function attentionCost(q: Shape, k: Shape, v: Shape): number {
  const size = (shape: Shape, axis: number) => evaluate(shape.at(axis) ?? 1, 1);
  const others = q.slice(1, -2).reduce<number>((count, dim) => count * evaluate(dim, 1), 1);
  return others * size(q, -2) * size(k, -2) * (size(q, -1) + size(v, -1));
}
