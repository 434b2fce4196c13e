import type { Dtype } from "../graph/shape.ts";
import { NUMBERS, onnxAs } from "./dtypes.ts";
import { defineLayer, type Example, onnxNode } from "./kit.ts";

type Unary = {
  /** Also PyTorch's name. */
  type: string;
  title: string;
  doc: string;
  formula: string;
  when: string;
  keywords: string[];
  curve: (x: number) => number;
  onnx: string;
  /** Whole numbers stay whole; else they become float32. */
  keepsWhole?: true;
  examples: Example<{ [name: string]: never }>[];
};

/** A function of each number by itself that has no parameters. */
export function defineUnary(u: Unary) {
  return defineLayer({
    type: u.type,
    title: u.title,
    category: "math",
    doc: u.doc,
    formula: u.formula,
    when: u.when,
    curve: u.curve,
    source: `https://pytorch.org/docs/2.13/generated/torch.${u.type}.html`,
    keywords: u.keywords,
    params: {},
    inputs: { x: { doc: "Any tensor of numbers.", dtype: NUMBERS } },
    summary: () => "",
    infer: (_, { x }) => ({ outputs: { y: { dtype: dtypeOf(u, x.dtype), shape: x.shape } } }),
    lower: (_, { x }, b, { outputs: { y } }) => ({ y: b.call(`aten::${u.type}`, [x], y ?? x.type) }),
    onnx: (_, { x }, b) => ({ y: onnxNode(b, u.onnx, [onnxAs(b, x, dtypeOf(u, x.type.dtype))]) }),
    torch: () => ({ forward: (_, { x }) => `torch.${u.type}(${x})` }),
    examples: u.examples,
  });
}

function dtypeOf({ keepsWhole }: Unary, dtype: Dtype): Dtype {
  return keepsWhole ? dtype : "float32";
}
