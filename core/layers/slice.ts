import { lowerSlice, onnxSlice, parseSlice, planSlice, printSlice, type SlicePlan } from "../expression/slice.ts";
import type { Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const slice = defineLayer({
  type: "slice",
  title: "Slice",
  category: "shape",
  doc: "Takes parts of a tensor in NumPy's manner: the last step, every other pixel, all but the first token.",
  formula: "y = x[:, -1]",
  when: "Use it to take entries by fixed places. For a single entry Select is plainer; for places that come from the data use Gather or IndexSelect.",
  source: "https://numpy.org/doc/2.3/user/basics.indexing.html",
  keywords: ["index", "crop", "subset", "range", "numpy", "last", "first", "step", "reverse"],
  params: {
    slice: p.text({ default: "[:, -1]", doc: "An entry for each axis: a place, start:stop:step, ... for the axes between, None for a new axis.", placeholder: "[:, -1]" }),
  },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ slice }) => slice,
  infer: ({ slice }, { x: { dtype, shape } }) => {
    const plan = read(slice, shape);
    return "problem" in plan
      ? { problem: say("Slice cannot take {slice}: {problem}", { slice: slice || "nothing", problem: plan.problem }), code: "GRAPH_PARAM", param: "slice", fixes: [] }
      : { outputs: { y: { dtype, shape: plan.shape } } };
  },
  lower: ({ slice }, { x }, b) => ({ y: lowerSlice(planned(slice, x.type.shape), x, b) }),
  onnx: ({ slice }, { x }, b) => {
    const y = onnxSlice(planned(slice, x.type.shape), x.name, b);
    return { y: y === x.name ? onnxNode(b, "Identity", [y]) : y };
  },
  torch: ({ slice }, { inputs: { x } }) => ({ forward: (_, inputs) => printSlice(planned(slice, x.shape), String(inputs.x)) }),
  examples: [
    { inputs: { x: [2, 3, 4] } },
    { params: { slice: "[..., 1:-1]" }, inputs: { x: [2, 3, 5] } },
    { params: { slice: "[:, ::2, None, 0]" }, inputs: { x: [2, 5, 3] } },
    { params: { slice: "[:, ::-1, 3:0:-2]" }, inputs: { x: [2, 3, 5] } },
    { params: { slice: ":, -2:" }, inputs: { x: { dtype: "int64", shape: [2, 5] } } },
  ],
});

function read(text: string, shape: Shape): SlicePlan | { problem: string } {
  const parsed = parseSlice(text);
  return "problem" in parsed ? parsed : planSlice(parsed.items, shape);
}

function planned(text: string, shape: Shape): SlicePlan {
  const plan = read(text, shape);
  if ("problem" in plan) throw new Error(`A checked slice can be planned: ${plan.problem}`);
  return plan;
}
