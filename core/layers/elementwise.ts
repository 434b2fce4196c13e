import { type BuilderArg, defineLayer, float32, type InferProblem, type Layer, type OnnxAttribute, type OnnxBuilder, type ProgramBuilder, type Value } from "./kit.ts";
import type { Params, Values } from "./params.ts";

/** What one activation says of itself; the rest is the same for all of them: one tensor in, the same shape out. */
type Activation<P extends Params> = {
  type: string;
  title: string;
  doc: string;
  formula: string;
  when: string;
  curve: (x: number) => number;
  keywords?: string[];
  params: P;
  trait?: Layer["trait"];
  summary?: (params: Values<P>) => string;
  /** Why parameters that each may stand alone may not stand together. */
  refuse?: (params: Values<P>) => InferProblem | null;
  onnx: [op: string, attributes?: (params: Values<P>) => { [name: string]: OnnxAttribute }] | ((params: Values<P>, x: string, b: OnnxBuilder) => string);
  torch: (params: Values<P>) => string;
  examples?: Partial<Values<P>>[];
} & (
  | /** One operator and its arguments after the tensor. */ { aten: (params: Values<P>) => [op: string, ...args: BuilderArg[]] }
  | { lower: (params: Values<P>, x: Value, b: ProgramBuilder) => Value }
);

/** A layer that treats each number by itself. */
export function defineActivation<P extends Params>(a: Activation<P>): Layer<P, { readonly x: { readonly doc: string } }> {
  const { onnx } = a;
  return defineLayer<P, { readonly x: { readonly doc: string } }>({
    type: a.type,
    title: a.title,
    category: "activation",
    doc: a.doc,
    formula: a.formula,
    when: a.when,
    curve: a.curve,
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${a.title}.html`,
    keywords: [...(a.keywords ?? []), "activation", "nonlinearity"],
    params: a.params,
    trait: a.trait,
    inputs: { x: { doc: "Any tensor." } },
    summary: a.summary ?? (() => ""),
    infer: (params, { x }) => a.refuse?.(params) ?? { outputs: { y: x } },
    lower: (params, { x }, b) => {
      if ("lower" in a) return { y: a.lower(params, x, b) };
      const [op, ...args] = a.aten(params);
      return { y: b.call(op, [x, ...args], x.type) };
    },
    onnx: (params, { x }, b) => {
      if (typeof onnx === "function") return { y: onnx(params, x.name, b) };
      const [y = ""] = b.node(onnx[0], [x.name], onnx[1]?.(params));
      return { y };
    },
    torch: (params) => ({ module: a.torch(params), forward: (self, { x }) => `${self}(${x})` }),
    examples: [{ inputs: { x: float32([2, 3, 4]) } }, ...(a.examples ?? []).map((params) => ({ params, inputs: { x: float32([2, 3]) } }))],
  });
}
