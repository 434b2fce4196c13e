import { printShape, type Shape } from "../graph/shape.ts";
import { defineLayer, type InferProblem } from "./kit.ts";

/**
 * The shape of an element-wise operation on two tensors: axes are matched from the end, and 1 stretches to anything.
 * @see https://pytorch.org/docs/2.13/notes/broadcasting.html
 */
export function broadcast(title: string, a: Shape, b: Shape): { shape: Shape } | InferProblem {
  const shape: Shape = [];
  for (let i = 1; i <= Math.max(a.length, b.length); i++) {
    const left = a.at(-i) ?? 1;
    const right = b.at(-i) ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      const channels = a.length === 4 && b.length === 4 && typeof a[1] === "number" && typeof b[1] === "number" && i === 3;
      return {
        problem: `${title} needs two inputs of the same shape but receives ${printShape(a)} and ${printShape(b)}.`,
        port: "b",
        hint: "Sizes must be equal, or 1, axis by axis from the end.",
        fixes: channels
          ? [
              {
                kind: "insert",
                label: `Insert a 1×1 Conv2d with ${left} filters into b`,
                nodes: [{ type: "conv2d", params: { out_channels: Number(left), kernel_size: 1, bias: false } }],
                port: "b",
              },
            ]
          : [],
      };
    }
    shape.unshift(left === 1 ? right : left);
  }
  return { shape };
}

/** Add and Mul. */
export function defineArithmetic<const T extends string>(a: { type: T; title: string; doc: string; keywords: string[]; aten: string; onnx: string; symbol: string }) {
  return defineLayer({
    type: a.type,
    title: a.title,
    category: "math",
    doc: a.doc,
    source: `https://pytorch.org/docs/2.13/generated/torch.${a.type}.html`,
    keywords: a.keywords,
    params: {},
    inputs: { a: { doc: "The one." }, b: { doc: "The other; same shape, or sizes of 1 that stretch." } },
    summary: () => "",
    infer: (_, { a: left, b: right }) => {
      const result = broadcast(a.title, left.shape, right.shape);
      return "problem" in result ? result : { outputs: { y: { dtype: "float32", shape: result.shape } } };
    },
    lower: (_, { a: left, b: right }, b, { outputs: { y } }) => ({ y: b.call(a.aten, [left, right], y ?? left.type) }),
    onnx: (_, { a: left, b: right }, b) => {
      const [y = ""] = b.node(a.onnx, [left.name, right.name]);
      return { y };
    },
    torch: () => ({ forward: (_, { a: left, b: right }) => `${left} ${a.symbol} ${right}` }),
    examples: [{ inputs: { a: [2, 3, 4], b: [2, 3, 4] } }, { inputs: { a: [2, 3, 4], b: [3, 1] } }],
  });
}
