import { floorDivide, multiply } from "../graph/dims.ts";
import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { needAxis } from "./along_axis.ts";
import { axisOf, defineLayer } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const glu = defineLayer({
  type: "glu",
  title: "GLU",
  category: "activation",
  doc: "Halves an axis and lets the one half open and close gates for the other.",
  formula: "y = a · σ(b), where a and b are the halves of x",
  when: "Behind a Linear or convolution with twice the width, where the network should choose what passes. SwiGLU brings its own weights.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.GLU.html",
  keywords: ["gate", "gated linear unit", "activation"],
  params: { dim: p.int({ default: -1, doc: "The axis that is halved; −1 is the last." }) },
  inputs: { x: { doc: "Any tensor whose axis `dim` has an even size." } },
  summary: ({ dim }) => (dim === -1 ? "" : `axis ${dim}`),
  infer: ({ dim }, { x }) => {
    const wrong = needAxis("GLU", dim, x);
    if (wrong) return wrong;
    const axis = axisOf(dim, x.shape.length) ?? 0;
    const size = x.shape[axis] ?? 0;
    const half = floorDivide(size, 2);
    if (multiply(half, 2) !== size)
      return {
        problem:
          typeof size === "number"
            ? say("GLU cannot halve axis {dim} of {shape}, whose size {size} is odd.", { dim, shape: printShape(x.shape), size })
            : say("GLU cannot halve axis {dim} of {shape}, whose size {size} may be odd.", { dim, shape: printShape(x.shape), size }),
        port: "x",
        hint: typeof size === "number" ? say("Make the layer before it one wider, or halve another axis.") : say("Halve an axis whose size is known."),
        fixes: axis !== x.shape.length - 1 ? [{ kind: "set-param", label: say("Use the last axis"), name: "dim", value: -1 }] : [],
      };
    return { outputs: { y: { dtype: x.dtype, shape: x.shape.with(axis, half) } } };
  },
  lower: ({ dim }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::glu", [x, dim], y ?? x.type) }),
  onnx: ({ dim }, { x }, b) => {
    const [value = "", gate = ""] = b.node("Split", [x.name], { axis: dim, num_outputs: 2 }, 2);
    const [open = ""] = b.node("Sigmoid", [gate]);
    const [y = ""] = b.node("Mul", [value, open]);
    return { y };
  },
  torch: ({ dim }) => ({ module: pythonCall("nn.GLU", [], { dim: [dim, -1] }), forward: (self, { x }) => `${self}(${x})` }),
  examples: [{ inputs: { x: [2, 6] } }, { params: { dim: 1 }, inputs: { x: [2, 4, 3, 3] } }],
});
