import { say } from "../language/say.ts";
import { type OnnxBuilder, type OnnxValue, onnxNode } from "./kit.ts";
import { p } from "./params.ts";
import { type Axes, defineReduction, onnxReduce } from "./reduction.ts";

type Spread = { type: "var" | "std"; title: string; doc: string; formula: string; when: string; keywords: string[] };

/** Var and Std, which is its root. */
export function defineSpread(s: Spread) {
  return defineReduction({
    type: s.type,
    title: s.title,
    doc: s.doc,
    formula: s.formula,
    when: s.when,
    source: `https://pytorch.org/docs/2.13/generated/torch.${s.type}.html`,
    keywords: s.keywords,
    verb: "Measures over",
    params: {
      correction: p.int({ min: 0, max: 1000, default: 1, doc: "Taken off the count that is divided by: 1 for a sample (Bessel's correction), 0 for a whole population." }),
    },
    dtypes: ["float32"],
    need: ({ correction }, count) =>
      count !== null && count <= correction
        ? {
            problem: say("{title} with correction {correction} needs at least {correction2} numbers, but there {count, plural, one {is} other {are}} {count} along these axes.", {
              title: s.title,
              correction,
              correction2: correction + 1,
              count,
            }),
            code: "GRAPH_PARAM",
            param: "correction",
            fixes: count > 0 ? [{ kind: "set-param", label: say("Set correction to 0"), name: "correction", value: 0 }] : [],
          }
        : null,
    lower: ({ correction }, x, { axes, keepdim }, b, type) => b.call(`aten::${s.type}.correction`, [x, { ints: axes }, correction, keepdim], type),
    onnx: ({ correction }, x, axes, b) => {
      const variance = onnxVariance(b, x, axes, correction);
      return s.type === "var" ? variance : onnxNode(b, "Sqrt", [variance]);
    },
    torch: ({ correction }, x, dim, keepdim) => `${x}.${s.type}(${dim}, correction=${correction}${keepdim})`,
    examples: [{ inputs: { x: [2, 3, 4] } }, { params: { dim: [-1, 1], keepdim: true, correction: 0 }, inputs: { x: [2, 3, 4] } }, { params: { dim: [] }, inputs: { x: [2, 3] } }],
  });
}

/** Σ (x − mean)² / (n − correction), where n may be known only at run time. */
function onnxVariance(b: OnnxBuilder, x: OnnxValue, axes: Axes, correction: number): string {
  const centred = onnxNode(b, "Sub", [x.name, onnxReduce(b, "ReduceMean", x.name, { ...axes, keepdim: true })]);
  const squares = onnxReduce(b, "ReduceSum", onnxNode(b, "Mul", [centred, centred]), axes);
  const sizes = axes.axes.map((axis) => x.type.shape[axis] ?? 1);
  if (sizes.every((size) => typeof size === "number")) return onnxNode(b, "Div", [squares, b.constant([sizes.reduce((a, size) => a * size, 1) - correction], [], "float32")]);
  const count = onnxNode(b, "Div", [onnxNode(b, "Size", [x.name]), onnxNode(b, "Size", [onnxReduce(b, "ReduceSum", x.name, axes)])]);
  const divisor = onnxNode(b, "Max", [onnxNode(b, "Sub", [count, b.constant([correction], [], "int64")]), b.constant([0], [], "int64")]);
  return onnxNode(b, "Div", [squares, onnxNode(b, "Cast", [divisor], { to: 1 })]);
}
