import { broadcast } from "./broadcast.ts";
import { defineLayer, onnxNode } from "./kit.ts";

/** And and Or. */
export function defineLogical(l: { type: "logical_and" | "logical_or"; title: "And" | "Or"; symbol: string; doc: string; formula: string; when: string; keywords: string[] }) {
  return defineLayer({
    type: l.type,
    title: l.title,
    category: "math",
    doc: l.doc,
    formula: l.formula,
    when: l.when,
    source: `https://pytorch.org/docs/2.13/generated/torch.${l.type}.html`,
    keywords: [...l.keywords, "condition", "logic", "mask"],
    gradient: false,
    params: {},
    inputs: { a: { doc: "A condition.", dtype: "bool" }, b: { doc: "Another; same shape, or sizes of 1 that stretch.", dtype: "bool" } },
    summary: () => "",
    infer: (_, { a, b }) => {
      const result = broadcast(l.title, a.shape, b.shape);
      return "problem" in result ? { ...result, fixes: [] } : { outputs: { y: { dtype: "bool", shape: result.shape } } };
    },
    lower: (_, { a, b: other }, b, { outputs: { y } }) => ({ y: b.call(`aten::${l.type}`, [a, other], y ?? a.type) }),
    onnx: (_, { a, b: other }, b) => ({ y: onnxNode(b, l.title, [a.name, other.name]) }),
    torch: () => ({ forward: (_, { a, b }) => `${a} ${l.symbol} ${b}` }),
    examples: [
      { inputs: { a: { dtype: "bool", shape: [2, 3] }, b: { dtype: "bool", shape: [3] } } },
      { inputs: { a: { dtype: "bool", shape: [2, 3] }, b: { dtype: "bool", shape: [2, 3] } } },
    ],
  });
}
