import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { axesOf, needAxes } from "./axes.ts";
import { defineLayer, onnxNode } from "./kit.ts";
import { p, pythonTuple } from "./params.ts";

export const squeeze = defineLayer({
  type: "squeeze",
  title: "Squeeze",
  category: "shape",
  doc: "Takes away axes of size 1.",
  formula: "y.shape = x.shape without the axes dim",
  when: "Use it where an axis holds one entry and is in the way. To take one of several entries use Select.",
  source: "https://pytorch.org/docs/2.13/generated/torch.squeeze.html",
  keywords: ["remove axis", "drop", "singleton"],
  trait: "neutral",
  params: { dim: p.ints({ default: [-1], doc: "The axes that go; each has size 1.", placeholder: "-1" }) },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ dim }) => `${dim.length === 1 ? "axis" : "axes"} ${dim.join(", ")}`,
  infer: ({ dim }, { x: { dtype, shape } }) => {
    const single = shape.flatMap((size, i) => (size === 1 ? [i] : []));
    const fixes =
      single.length > 0
        ? [
            {
              kind: "set-param" as const,
              label: say("Take away {count, plural, one {axis} other {axes}} {single}", { count: single.length, single: single.join(", ") }),
              name: "dim",
              value: single,
            },
          ]
        : [];
    if (dim.length === 0) return { problem: say("Squeeze needs to be told which axes go."), code: "GRAPH_PARAM", param: "dim", fixes };
    const found = needAxes("Squeeze", dim, shape);
    if ("problem" in found) return { ...found, fixes };
    const large = found.axes.find((axis) => shape[axis] !== 1);
    if (large !== undefined)
      return {
        problem: say("Squeeze takes away axes of size 1, but axis {large} of {shape} is {large2}.", { large, shape: printShape(shape), large2: String(shape[large]) }),
        code: "GRAPH_PARAM",
        param: "dim",
        hint: say("To take one entry of an axis use Select; to join axes use Flatten."),
        fixes,
      };
    return { outputs: { y: { dtype, shape: shape.filter((_, i) => !found.axes.includes(i)) } } };
  },
  lower: ({ dim }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::squeeze.dims", [x, { ints: dim }], y ?? x.type) }),
  onnx: ({ dim }, { x }, b) => ({ y: onnxNode(b, "Squeeze", [x.name, b.constant(axesOf(dim, x.type.shape.length), [dim.length], "int64")]) }),
  torch: ({ dim }) => ({ forward: (_, { x }) => `${x}.squeeze(${dim.length === 1 ? dim[0] : pythonTuple(dim)})` }),
  examples: [
    { inputs: { x: [2, 3, 1] } },
    { params: { dim: [1, -1] }, inputs: { x: [2, 1, 3, 1] } },
    { params: { dim: [1] }, inputs: { x: { dtype: "int64", shape: [2, 1, 3] } } },
  ],
});
