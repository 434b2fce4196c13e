import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { axesOf, needAxes } from "./axes.ts";
import { defineLayer, onnxNode, onnxSizes } from "./kit.ts";
import { p } from "./params.ts";

export const roll = defineLayer({
  type: "roll",
  title: "Roll",
  category: "shape",
  doc: "Shifts a tensor along axes; what falls off at one end comes in at the other.",
  formula: "y[i] = x[(i − shifts) mod n]",
  when: "Use it for shifted windows and for series that go round. Where the ends must not meet use Pad and Slice.",
  source: "https://pytorch.org/docs/2.13/generated/torch.roll.html",
  keywords: ["shift", "circular", "rotate", "swin", "window"],
  params: {
    shifts: p.ints({ default: [1], doc: "By how many places, one number for each axis; negative goes back.", placeholder: "1" }),
    dims: p.ints({ default: [-1], doc: "The axes that shift.", placeholder: "-1" }),
  },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ shifts, dims }) => `${shifts.join(", ")} along ${dims.join(", ")}`,
  infer: ({ shifts, dims }, { x }) => {
    const found = needAxes("Roll", dims, x.shape, "dims");
    if ("problem" in found) return found;
    if (dims.length === 0 || shifts.length !== dims.length)
      return {
        problem: say("Roll needs a shift for each of its axes: there are {count} for {count2} in {shape}.", {
          count: shifts.length,
          count2: dims.length,
          shape: printShape(x.shape),
        }),
        code: "GRAPH_PARAM",
        param: dims.length === 0 ? "dims" : "shifts",
      };
    return { outputs: { y: x } };
  },
  lower: ({ shifts, dims }, { x }, b) => ({ y: b.call("aten::roll", [x, { ints: shifts }, { ints: dims }], x.type) }),
  onnx: ({ shifts, dims }, { x }, b) => {
    const vector = (value: number) => b.constant([value], [1], "int64");
    const scalar = (value: number) => b.constant([value], [], "int64");
    let y = x.name;
    for (const [i, axis] of axesOf(dims, x.type.shape.length).entries()) {
      const size = x.type.shape[axis] ?? 1;
      const shift = shifts[i] ?? 0;
      if (typeof size === "number") {
        const start = ((-shift % size) + size) % size;
        if (start === 0) continue;
        const part = (from: number, to: number) => onnxNode(b, "Slice", [y, vector(from), vector(to), vector(axis)]);
        y = onnxNode(b, "Concat", [part(start, size), part(0, start)], { axis });
      } else {
        const length = onnxNode(b, "Squeeze", [onnxSizes(b, [{ of: x.name, axis }])]);
        const places = onnxNode(b, "Mod", [onnxNode(b, "Sub", [onnxNode(b, "Range", [scalar(0), length, scalar(1)]), scalar(shift)]), length]);
        y = onnxNode(b, "Gather", [y, places], { axis });
      }
    }
    return { y: y === x.name ? onnxNode(b, "Identity", [y]) : y };
  },
  torch: ({ shifts, dims }) => ({ forward: (_, { x }) => `${x}.roll((${shifts.map((shift) => `${shift},`).join(" ")}), dims=(${dims.map((dim) => `${dim},`).join(" ")}))` }),
  examples: [
    { inputs: { x: [2, 5] } },
    { params: { shifts: [-2, 7], dims: [1, -1] }, inputs: { x: [2, 3, 4] } },
    { params: { shifts: [3], dims: [0] }, inputs: { x: { dtype: "int64", shape: [2, 3] } } },
  ],
});
