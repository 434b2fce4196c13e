import { evaluate } from "../graph/dims.ts";
import { printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { broadcast } from "./broadcast.ts";
import { countPerSample, defineLayer, float32 } from "./kit.ts";

export const matmul = defineLayer({
  type: "matmul",
  title: "MatMul",
  category: "math",
  doc: "Multiplies matrices: every row of a with every column of b, batch by batch.",
  formula: "y[…, i, k] = Σⱼ a[…, i, j] · b[…, j, k]",
  when: "Use it for products of two things that both come from the data, as in attention. With a learned matrix use Linear.",
  source: "https://pytorch.org/docs/2.13/generated/torch.matmul.html",
  keywords: ["matrix", "product", "dot", "bmm"],
  params: {},
  inputs: { a: { doc: "[N, ..., rows, inner]." }, b: { doc: "[N, ..., inner, columns]." } },
  summary: () => "",
  infer: (_, { a: { shape: a }, b: { shape: b } }) => {
    if (a.length < 2 || b.length < 2)
      return {
        problem: say("MatMul needs matrices, [..., rows, inner] and [..., inner, columns], but receives {a} and {b}.", { a: printShape(a), b: printShape(b) }),
        port: a.length < 2 ? "a" : "b",
      };
    if (a.at(-1) !== b.at(-2)) {
      const turned: Shape = [...b.slice(0, -2), b.at(-1) ?? 1, b.at(-2) ?? 1];
      const order = b.map((_, i) => i);
      order.push(...order.splice(-2).reverse());
      return {
        problem: say("MatMul needs the last axis of a and the one before the last of b to be equal, but receives {a} and {b}.", { a: printShape(a), b: printShape(b) }),
        port: "b",
        fixes:
          turned.at(-2) === a.at(-1)
            ? [{ kind: "insert", label: say("Insert Permute that swaps the last axes of b"), nodes: [{ type: "permute", params: { dims: order } }], port: "b" }]
            : [],
      };
    }
    const batch = broadcast("MatMul", a.slice(0, -2), b.slice(0, -2));
    return "problem" in batch
      ? { ...batch, problem: say("MatMul needs equal batch axes but receives {a} and {b}.", { a: printShape(a), b: printShape(b) }), fixes: [] }
      : { outputs: { y: float32([...batch.shape, a.at(-2) ?? 1, b.at(-1) ?? 1]) } };
  },
  lower: (_, { a: left, b: right }, b, { outputs: { y } }) => ({ y: b.call("aten::matmul", [left, right], y ?? left.type) }),
  onnx: (_, { a: left, b: right }, b) => {
    const [y = ""] = b.node("MatMul", [left.name, right.name]);
    return { y };
  },
  torch: () => ({ forward: (_, { a, b }) => `${a} @ ${b}` }),
  cost: (_, { inputs: { a }, outputs: { y } }) => ({ multiplyAdds: countPerSample(y?.shape ?? []) * evaluate(a.shape.at(-1) ?? 1, 1) }),
  examples: [{ inputs: { a: [2, 3, 4], b: [2, 4, 5] } }, { inputs: { a: [2, 1, 3, 4], b: [5, 4, 6] } }],
});
