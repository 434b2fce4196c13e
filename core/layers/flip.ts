import { say } from "../language/say.ts";
import { axesOf, needAxes } from "./axes.ts";
import { defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

/** Before the first entry of any axis. */
const BEFORE = -(2 ** 53 - 1);

export const flip = defineLayer({
  type: "flip",
  title: "Flip",
  category: "shape",
  doc: "Turns axes round: the last entry comes first.",
  formula: "y[i] = x[n − 1 − i]",
  when: "Use it to read a sequence backwards or to mirror an image inside the model. To vary training images use the data set's augmentation.",
  source: "https://pytorch.org/docs/2.13/generated/torch.flip.html",
  keywords: ["reverse", "mirror", "backwards"],
  params: { dims: p.ints({ default: [-1], doc: "The axes that are turned round.", placeholder: "-1" }) },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ dims }) => `${dims.length === 1 ? "axis" : "axes"} ${dims.join(", ")}`,
  infer: ({ dims }, { x }) => {
    const found = needAxes("Flip", dims, x.shape, "dims");
    if ("problem" in found) return found;
    if (dims.length === 0)
      return {
        problem: say("Flip needs at least one axis."),
        code: "GRAPH_PARAM",
        param: "dims",
        fixes: [{ kind: "set-param", label: say("Use the last axis"), name: "dims", value: [-1] }],
      };
    return { outputs: { y: x } };
  },
  lower: ({ dims }, { x }, b) => ({ y: b.call("aten::flip", [x, { ints: dims }], x.type) }),
  onnx: ({ dims }, { x }, b) => {
    const axes = axesOf(dims, x.type.shape.length);
    const all = (value: number) => b.constant(Array<number>(axes.length).fill(value), [axes.length], "int64");
    return { y: onnxNode(b, "Slice", [x.name, all(-1), all(BEFORE), b.constant(axes, [axes.length], "int64"), all(-1)]) };
  },
  torch: ({ dims }) => ({ forward: (_, { x }) => `${x}.flip(${dims.join(", ")})` }),
  examples: [{ inputs: { x: [2, 5] } }, { params: { dims: [1, -1] }, inputs: { x: [2, 3, 4] } }, { params: { dims: [0] }, inputs: { x: { dtype: "int64", shape: [2, 3] } } }],
});
