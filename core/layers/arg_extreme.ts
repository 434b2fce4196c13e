import { needAxis } from "./axes.ts";
import { NUMBERS } from "./dtypes.ts";
import { axisOf, defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";
import { reduceShape } from "./reduction.ts";

/** ArgMax and ArgMin. */
export function defineArgExtreme(a: { type: "argmax" | "argmin"; title: "ArgMax" | "ArgMin"; doc: string; formula: string; when: string; keywords: string[] }) {
  return defineLayer({
    type: a.type,
    title: a.title,
    category: "math",
    doc: a.doc,
    formula: a.formula,
    when: a.when,
    source: `https://pytorch.org/docs/2.13/generated/torch.${a.type}.html`,
    keywords: a.keywords,
    gradient: false,
    params: { dim: p.int({ default: -1, doc: "The axis along which it is looked for." }), keepdim: p.bool({ default: false, doc: "Keeps the axis, with size 1." }) },
    inputs: { x: { doc: "Any tensor of numbers.", dtype: NUMBERS } },
    outputs: { y: { doc: "Places along the axis, from 0." } },
    summary: ({ dim }) => `axis ${dim}`,
    infer: ({ dim, keepdim }, { x: { shape } }) => {
      const found = needAxis(a.title, dim, shape);
      return "problem" in found ? found : { outputs: { y: { dtype: "int64", shape: reduceShape(shape, { axes: [found.axis], keepdim }) } } };
    },
    lower: ({ dim, keepdim }, { x }, b, { outputs: { y } }) => ({ y: b.call(`aten::${a.type}`, [x, dim, keepdim], y ?? x.type) }),
    onnx: ({ dim, keepdim }, { x }, b) => ({ y: onnxNode(b, a.title, [x.name], { axis: axisOf(dim, x.type.shape.length) ?? 0, keepdims: keepdim ? 1 : 0 }) }),
    torch: ({ dim, keepdim }) => ({ forward: (_, { x }) => `${x}.${a.type}(dim=${dim}${keepdim ? ", keepdim=True" : ""})` }),
    examples: [{ inputs: { x: [2, 5] } }, { params: { dim: 1, keepdim: true }, inputs: { x: [2, 5, 3] } }, { params: { dim: 0 }, inputs: { x: [2, 3] } }],
  });
}
