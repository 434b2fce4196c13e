import { evaluate } from "../graph/dims.ts";
import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { countPerSample, defineLayer, float32, onnxNode } from "./kit.ts";

export const bmm = defineLayer({
  type: "bmm",
  title: "BMM",
  category: "math",
  doc: "Multiplies matrices batch by batch: one product for each sample, of exactly three axes.",
  formula: "y[n] = a[n] · b[n]",
  when: "Use it for one matrix a sample, and to be sure that nothing stretches. MatMul does the same for any number of axes.",
  source: "https://pytorch.org/docs/2.13/generated/torch.bmm.html",
  keywords: ["matrix", "product", "batch", "matmul"],
  params: {},
  inputs: { a: { doc: "[N, rows, inner]." }, b: { doc: "[N, inner, columns]." } },
  summary: () => "",
  infer: (_, { a: { shape: a }, b: { shape: b } }) => {
    if (a.length !== 3 || b.length !== 3)
      return {
        problem: say("BMM needs [N, rows, inner] and [N, inner, columns] but receives {a} and {b}.", { a: printShape(a), b: printShape(b) }),
        port: a.length !== 3 ? "a" : "b",
        hint: say("For another number of axes use MatMul."),
      };
    if (a[0] !== b[0] || a[2] !== b[1])
      return {
        problem: say("BMM needs the same N, and the last axis of a equal to the middle one of b, but receives {a} and {b}.", { a: printShape(a), b: printShape(b) }),
        port: "b",
        fixes:
          a[0] === b[0] && a[2] === b[2]
            ? [{ kind: "insert", label: say("Insert Transpose that swaps the last axes of b"), nodes: [{ type: "transpose", params: { dim0: 1, dim1: 2 } }], port: "b" }]
            : [],
      };
    return { outputs: { y: float32([a[0] ?? 1, a[1] ?? 1, b[2] ?? 1]) } };
  },
  lower: (_, { a, b: right }, b, { outputs: { y } }) => ({ y: b.call("aten::bmm", [a, right], y ?? a.type) }),
  onnx: (_, { a, b: right }, b) => ({ y: onnxNode(b, "MatMul", [a.name, right.name]) }),
  torch: () => ({ forward: (_, { a, b }) => `torch.bmm(${a}, ${b})` }),
  cost: (_, { inputs: { a }, outputs: { y } }) => ({ multiplyAdds: countPerSample(y?.shape ?? []) * evaluate(a.shape[2] ?? 1, 1) }),
  examples: [{ inputs: { a: [2, 3, 4], b: [2, 4, 5] } }],
});
