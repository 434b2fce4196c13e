import type { Dtype, Shape, TensorType } from "../graph/shape.ts";
import { axesOf, needAxes } from "./axes.ts";
import { defineLayer, type Example, type InferProblem, type OnnxBuilder, type OnnxValue, onnxNode, type ProgramBuilder, type Value } from "./kit.ts";
import { type Params, p, pythonTuple, type Values } from "./params.ts";

type Common = { dim: number[]; keepdim: boolean };
/** The axes that go, smallest number first, and whether they stay as axes of size 1. */
export type Axes = { axes: number[]; keepdim: boolean };

type Reduction<P extends Params> = {
  type: string;
  title: string;
  doc: string;
  formula: string;
  when: string;
  source: string;
  keywords: string[];
  /** `Averages over`: what the axes of `dim` are for. */
  verb: string;
  /** Parameters of its own. */
  params: P;
  dtypes: readonly Dtype[];
  /** The dtype of the result; that of x where absent. */
  result?: (dtype: Dtype) => Dtype;
  /** What it needs of the numbers that are combined, `count` of them where that is known. */
  need?: (params: Values<P>, count: number | null) => InferProblem | null;
  summary?: (params: Values<P>) => string;
  lower: (params: Values<P>, x: Value, axes: Axes, b: ProgramBuilder, type: TensorType) => Value;
  onnx: (params: Values<P>, x: OnnxValue, axes: Axes, b: OnnxBuilder) => string;
  torch: (params: Values<P>, x: string, dim: string, keepdim: string, axes: Axes) => string;
  examples: Example<Values<P> & Common>[];
};

/** Combines the numbers along some axes into one. */
export function defineReduction<P extends Params>(r: Reduction<P>) {
  return defineLayer<P & { dim: ReturnType<typeof p.ints>; keepdim: ReturnType<typeof p.bool> }, { readonly x: { readonly doc: string; readonly dtype: readonly Dtype[] } }>({
    type: r.type,
    title: r.title,
    category: "math",
    doc: r.doc,
    formula: r.formula,
    when: r.when,
    source: r.source,
    keywords: [...r.keywords, "reduce"],
    params: {
      ...r.params,
      dim: p.ints({ default: [1], doc: `${r.verb} these axes; none means all, the batch included.`, placeholder: "1, 2" }),
      keepdim: p.bool({ default: false, doc: "Keeps them as axes of size 1." }),
    },
    inputs: { x: { doc: "Any tensor.", dtype: r.dtypes } },
    summary: (params) => [r.summary?.(params as Values<P>), printAxes((params as Common).dim)].filter(Boolean).join(", "),
    infer: (params, { x: { dtype, shape } }) => {
      const { dim, keepdim } = params as Common;
      const found = needAxes(r.title, dim, shape);
      if ("problem" in found) return found;
      const axes = dim.length === 0 ? shape.map((_, i) => i) : found.axes;
      const sizes = axes.map((axis) => shape[axis] ?? 1);
      const count = sizes.every((size) => typeof size === "number") ? sizes.reduce((a, b) => a * b, 1) : null;
      return r.need?.(params as Values<P>, count) ?? { outputs: { y: { dtype: r.result?.(dtype) ?? dtype, shape: reduceShape(shape, { axes, keepdim }) } } };
    },
    lower: (params, { x }, b, { outputs: { y } }) => ({ y: r.lower(params as Values<P>, x, readAxes(params as Common, x.type.shape), b, y ?? x.type) }),
    onnx: (params, { x }, b) => ({ y: r.onnx(params as Values<P>, x, readAxes(params as Common, x.type.shape), b) }),
    torch: (params, { inputs: { x } }) => {
      const axes = readAxes(params as Common, x.shape);
      return { forward: (_, inputs) => r.torch(params as Values<P>, String(inputs.x), `dim=${pythonTuple(axes.axes)}`, axes.keepdim ? ", keepdim=True" : "", axes) };
    },
    examples: r.examples as Example<Values<P & { dim: ReturnType<typeof p.ints>; keepdim: ReturnType<typeof p.bool> }>>[],
  });
}

/** The shape once these axes are gone, or of size 1. */
export function reduceShape(shape: Shape, { axes, keepdim }: Axes): Shape {
  return keepdim ? shape.map((size, i) => (axes.includes(i) ? 1 : size)) : shape.filter((_, i) => !axes.includes(i));
}

/** One of ONNX's Reduce operators. */
export function onnxReduce(b: OnnxBuilder, op: string, x: string, { axes, keepdim }: Axes): string {
  // Without axes, as of a scalar, there is nothing to combine, and an empty list would mean all.
  return onnxNode(b, op, axes.length === 0 ? [x] : [x, b.constant(axes, [axes.length], "int64")], { keepdims: keepdim ? 1 : 0 });
}

function readAxes({ dim, keepdim }: Common, shape: Shape): Axes {
  return { axes: dim.length === 0 ? shape.map((_, i) => i) : axesOf(dim, shape.length).sort((a, b) => a - b), keepdim };
}

function printAxes(dim: number[]): string {
  return dim.length === 0 ? "all axes" : `${dim.length === 1 ? "axis" : "axes"} ${dim.join(", ")}`;
}
