import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { axisOf, defineLayer } from "./kit.ts";
import { p } from "./params.ts";

export const permute = defineLayer({
  type: "permute",
  title: "Permute",
  category: "shape",
  doc: "Puts the axes into another order, such as channels last or time first.",
  formula: "y.shape[i] = x.shape[dims[i]]",
  when: "Use it to bring axes into the order that the next layer expects. To swap just two Transpose is shorter.",
  source: "https://pytorch.org/docs/2.13/generated/torch.permute.html",
  keywords: ["transpose", "swap", "axes", "channels last"],
  params: { dims: p.ints({ default: [0, 2, 1], doc: "The old axis that stands at each new place; 0 is the batch.", placeholder: "0, 2, 1" }) },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ dims }) => dims.join(" "),
  infer: ({ dims }, { x: { dtype, shape } }) => {
    const axes = dims.map((dim) => axisOf(dim, shape.length));
    if (dims.length !== shape.length || axes.includes(null) || new Set(axes).size !== shape.length) {
      const swapped = shape.map((_, i) => i);
      swapped.push(...swapped.splice(-2).reverse());
      return {
        problem: say("Permute must name each of the {count} axes of {shape} once; it names {dims}.", {
          count: shape.length,
          shape: printShape(shape),
          dims: dims.join(", ") || "none",
        }),
        code: "GRAPH_PARAM",
        param: "dims",
        fixes: shape.length > 2 ? [{ kind: "set-param", label: say("Set dims to {swapped}", { swapped: swapped.join(", ") }), name: "dims", value: swapped }] : [],
      };
    }
    return { outputs: { y: { dtype, shape: axes.map((axis) => shape[axis ?? 0] ?? 1) } } };
  },
  lower: ({ dims }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::permute", [x, { ints: dims }], y ?? x.type) }),
  onnx: ({ dims }, { x }, b) => {
    const [y = ""] = b.node("Transpose", [x.name], { perm: dims.map((dim) => axisOf(dim, dims.length) ?? 0) });
    return { y };
  },
  torch: ({ dims }) => ({ forward: (_, { x }) => (dims.length === 0 ? String(x) : `${x}.permute(${dims.join(", ")})`) }),
  examples: [{ inputs: { x: [2, 3, 4] } }, { params: { dims: [0, 2, 3, -3] }, inputs: { x: [2, 3, 4, 5] } }],
});
