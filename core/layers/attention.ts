import { evaluate } from "../graph/dims.ts";
import type { Shape, TensorType } from "../graph/shape.ts";
import { float32, type OnnxBuilder, type OnnxValue, type ProgramBuilder, type Value } from "./kit.ts";

/** softmax(q kᵀ / √d) v over q [..., T, d], k [..., S, d], v [..., S, e]; `isCausal` lets step t look at the steps up to t only. */
type Attention = { dropout: number; isCausal: boolean };

/** Low enough that its softmax is exactly 0; JSON has no −∞. */
const MASKED = -3.4028234663852886e38;

export function lowerAttention(b: ProgramBuilder, q: Value, k: Value, v: Value, { dropout, isCausal }: Attention, type: TensorType): Value {
  // The fused kernel takes its dropout as a number, which cannot follow the mode; with dropout the same is written out.
  if (dropout === 0) return b.call("aten::scaled_dot_product_attention", [q, k, v, null, 0, isCausal], type);
  const depth = Number(q.type.shape.at(-1));
  const scoresType = float32([...type.shape.slice(0, -1), k.type.shape.at(-2) ?? 1]);
  const turned = b.call("aten::transpose.int", [k, -2, -1], k.type);
  let scores = b.call("aten::mul.Scalar", [b.call("aten::matmul", [q, turned], scoresType), 1 / Math.sqrt(depth)], scoresType);
  if (isCausal) {
    const past = b.call("aten::tril", [b.call("aten::ones_like", [scores], scoresType)], scoresType);
    const future = b.call("aten::eq.Scalar", [past, 0], { dtype: "bool", shape: scoresType.shape });
    scores = b.call("aten::masked_fill.Scalar", [scores, future, MASKED], scoresType);
  }
  const shares = b.call("aten::softmax.int", [scores, -1], scoresType);
  const kept = b.call("aten::dropout", [shares, dropout, { flag: "training" }], scoresType);
  return b.call("aten::matmul", [kept, v], type);
}

export function writeAttention(b: OnnxBuilder, q: OnnxValue, k: OnnxValue, v: OnnxValue, { isCausal }: Attention): string {
  const axes = k.type.shape.map((_, i) => i);
  axes.push(...axes.splice(-2).reverse());
  const one = (...[op, inputs, attributes]: Parameters<OnnxBuilder["node"]>) => b.node(op, inputs, attributes)[0] ?? "";
  const products = one("MatMul", [q.name, one("Transpose", [k.name], { perm: axes })]);
  let scores = one("Mul", [products, b.constant([1 / Math.sqrt(Number(q.type.shape.at(-1)))], [], "float32")]);
  if (isCausal) {
    const ones = one("Expand", [b.constant([1], [], "float32"), one("Shape", [scores])]);
    const past = one("Cast", [one("Trilu", [ones], { upper: 0 })], { to: ONNX_BOOL });
    scores = one("Where", [past, scores, b.constant([MASKED], [], "float32")]);
  }
  return one("MatMul", [one("Softmax", [scores], { axis: -1 }), v.name]);
}

/** `TensorProto.DataType.BOOL` */
const ONNX_BOOL = 9;

/** Both products, for one sample. */
export function attentionCost(q: Shape, k: Shape, v: Shape): number {
  const size = (shape: Shape, axis: number) => evaluate(shape.at(axis) ?? 1, 1);
  const others = q.slice(1, -2).reduce<number>((count, dim) => count * evaluate(dim, 1), 1);
  return others * size(q, -2) * size(k, -2) * (size(q, -1) + size(v, -1));
}
