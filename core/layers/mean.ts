import { printShape } from "../graph/shape.ts";
import { axisOf, defineLayer, float32 } from "./kit.ts";
import { p, pythonTuple } from "./params.ts";

export const mean = defineLayer({
  type: "mean",
  title: "Mean",
  category: "math",
  doc: "Averages over axes: pools a sequence into one vector, or sums a tensor up in one number.",
  source: "https://pytorch.org/docs/2.13/generated/torch.mean.html",
  keywords: ["average", "reduce", "pool"],
  params: {
    dim: p.ints({ default: [1], doc: "Axes to average over; none means all, the batch included.", placeholder: "1, 2" }),
    keepdim: p.bool({ default: false, doc: "Keeps them as axes of size 1." }),
  },
  inputs: { x: { doc: "Any tensor." } },
  summary: ({ dim }) => (dim.length === 0 ? "all axes" : `${dim.length === 1 ? "axis" : "axes"} ${dim.join(", ")}`),
  infer: ({ dim, keepdim }, { x: { shape } }) => {
    const axes = axesOf(dim, shape.length);
    if (axes.includes(null) || new Set(axes).size !== axes.length) {
      return {
        problem: `Mean cannot average over the axes ${dim.join(", ")} of ${printShape(shape)}.`,
        code: "GRAPH_PARAM",
        param: "dim",
        fixes: shape.length > 0 ? [{ kind: "set-param", label: "Use the last axis", name: "dim", value: [-1] }] : [],
      };
    }
    return { outputs: { y: float32(keepdim ? shape.map((size, i) => (axes.includes(i) ? 1 : size)) : shape.filter((_, i) => !axes.includes(i))) } };
  },
  lower: ({ dim, keepdim }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::mean.dim", [x, { ints: axesOf(dim, x.type.shape.length).map(Number) }, keepdim], y ?? x.type) }),
  onnx: ({ dim, keepdim }, { x }, b) => {
    const axes = axesOf(dim, x.type.shape.length).map(Number);
    const [y = ""] = b.node("ReduceMean", [x.name, b.constant(axes, [axes.length], "int64")], { keepdims: keepdim ? 1 : 0 });
    return { y };
  },
  torch: ({ dim, keepdim }, { inputs: { x } }) => ({
    forward: (_, inputs) => `${inputs.x}.mean(dim=${pythonTuple(axesOf(dim, x.shape.length).map(Number))}${keepdim ? ", keepdim=True" : ""})`,
  }),
  examples: [{ inputs: { x: [2, 3, 4] } }, { params: { dim: [-1, 1], keepdim: true }, inputs: { x: [2, 3, 4] } }, { params: { dim: [] }, inputs: { x: [2, 3] } }],
});

function axesOf(dim: number[], rank: number): (number | null)[] {
  return dim.length === 0 ? Array.from({ length: rank }, (_, i) => i) : dim.map((axis) => axisOf(axis, rank));
}
