import { countElements } from "../graph/dims.ts";
import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { axisOf, defineLayer, onnxSizes } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const flatten = defineLayer({
  type: "flatten",
  title: "Flatten",
  category: "shape",
  doc: "Lays each sample out as one row, so that a Linear layer can follow.",
  formula: "y[n, i] = x[n, …] in order",
  when: "Use it between convolutions and Linear. Where place should not matter, GlobalAvgPool gives far fewer numbers.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Flatten.html",
  keywords: ["reshape", "vector", "row"],
  trait: "neutral",
  params: {
    start_dim: p.int({ default: 1, doc: "First axis that is joined; 1 leaves the batch alone." }),
    end_dim: p.int({ default: -1, doc: "Last axis that is joined." }),
  },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ start_dim, end_dim }) => (start_dim === 1 && end_dim === -1 ? "" : `axes ${start_dim} to ${end_dim}`),
  infer: ({ start_dim, end_dim }, { x: { dtype, shape } }) => {
    const start = axisOf(start_dim, shape.length);
    const end = axisOf(end_dim, shape.length);
    if (start === null || end === null || end < start) {
      return {
        problem: say("Flatten cannot join the axes {start_dim} to {end_dim} of {shape}.", { start_dim, end_dim, shape: printShape(shape) }),
        code: "GRAPH_PARAM",
        param: start === null ? "start_dim" : "end_dim",
        hint: say("The first axis comes before the last; axis 0 is the batch."),
      };
    }
    return { outputs: { y: { dtype, shape: [...shape.slice(0, start), countElements(shape.slice(start, end + 1)), ...shape.slice(end + 1)] } } };
  },
  lower: ({ start_dim, end_dim }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::flatten.using_ints", [x, start_dim, end_dim], y ?? x.type) }),
  onnx: ({ start_dim, end_dim }, { x }, b) => {
    const { shape } = x.type;
    const start = axisOf(start_dim, shape.length) ?? 0;
    const end = axisOf(end_dim, shape.length) ?? 0;
    // In a Reshape, 0 copies the size at its own place and −1 is whatever remains.
    const sizes = [...shape.slice(0, start).map(() => 0), -1, ...shape.slice(end + 1).map((size, i) => (typeof size === "number" ? size : { of: x.name, axis: end + 1 + i }))];
    const [y = ""] = b.node("Reshape", [x.name, onnxSizes(b, sizes)]);
    return { y };
  },
  torch: ({ start_dim, end_dim }) => ({ module: pythonCall("nn.Flatten", [], { start_dim: [start_dim, 1], end_dim: [end_dim, -1] }), forward: (self, { x }) => `${self}(${x})` }),
  examples: [{ inputs: { x: [2, 3, 4, 4] } }, { params: { start_dim: 2 }, inputs: { x: [2, 3, 4, 4] } }, { params: { end_dim: 2 }, inputs: { x: [2, 3, 4, 4] } }],
});
