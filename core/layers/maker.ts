import type { Dtype, TensorType } from "../graph/shape.ts";
import { type BuilderArg, defineLayer, type Example, type OnnxBuilder, onnxSizes, type ProgramBuilder, type Value } from "./kit.ts";
import { type Params, pythonTuple, type Values } from "./params.ts";
import { builderSizes, likePort, needSizes, onnxSizeList, pythonSizes, sizesParam } from "./sizes.ts";

type Maker<P extends Params> = {
  type: string;
  title: string;
  doc: string;
  formula: string;
  when: string;
  source: string;
  keywords: string[];
  params: P;
  random?: true;
  dtype: (params: Values<P>) => Dtype;
  need?: (params: Values<P>) => { problem: string; code: "GRAPH_PARAM"; param: string } | null;
  summary?: (params: Values<P>) => string;
  lower: (params: Values<P>, sizes: BuilderArg, b: ProgramBuilder, type: TensorType) => Value;
  /** `sizes` is an int64 vector. */
  onnx: (params: Values<P>, sizes: string, b: OnnxBuilder) => string;
  /** `sizes` is a tuple; `device` is empty or an argument with its comma in front. */
  torch: (params: Values<P>, sizes: string, device: string) => string;
  examples: Example<Values<P> & { shape: (number | string)[] }>[];
};

/** A layer that makes a tensor out of nothing but its shape. */
export function defineMaker<P extends Params>(m: Maker<P>) {
  type Own = P & { shape: ReturnType<typeof sizesParam> };
  const shapeOf = (params: Values<Own>) => (params as { shape: (number | string)[] }).shape;
  return defineLayer<Own, { readonly like: typeof likePort }>({
    type: m.type,
    title: m.title,
    category: "io",
    doc: m.doc,
    formula: m.formula,
    when: m.when,
    source: m.source,
    keywords: m.keywords,
    gradient: false,
    random: m.random,
    params: { shape: sizesParam("Its sizes"), ...m.params },
    inputs: { like: likePort },
    outputs: { y: { doc: "The tensor." } },
    summary: (params) => [shapeOf(params).join("×"), m.summary?.(params as Values<P>)].filter(Boolean).join(", "),
    infer: (params, { like }) => {
      const sizes = needSizes(m.title, shapeOf(params), like, "shape");
      if ("problem" in sizes) return sizes;
      return m.need?.(params as Values<P>) ?? { outputs: { y: { dtype: m.dtype(params as Values<P>), shape: sizes.shape } } };
    },
    lower: (params, { like }, b, { outputs: { y } }) => ({
      y: m.lower(params as Values<P>, { ints: builderSizes(shapeOf(params), like) }, b, y ?? { dtype: m.dtype(params as Values<P>), shape: [] }),
    }),
    onnx: (params, { like }, b) => ({ y: m.onnx(params as Values<P>, onnxSizes(b, onnxSizeList(shapeOf(params), like)), b) }),
    torch: (params, { inputs: { like } }) => ({
      forward: (_, inputs) => {
        const name = inputs.like === undefined ? undefined : String(inputs.like);
        return m.torch(params as Values<P>, pythonTuple(pythonSizes(shapeOf(params), like?.shape, name)), name === undefined ? "" : `, device=${name}.device`);
      },
    }),
    examples: m.examples as Example<Values<Own>>[],
  });
}
