import { multiply } from "../graph/dims.ts";
import { say } from "../language/say.ts";
import { defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const tile = defineLayer({
  type: "tile",
  title: "Tile",
  category: "shape",
  doc: "Repeats a tensor side by side along its axes.",
  formula: "y.shape[i] = x.shape[i] · dims[i]",
  when: "Use it to repeat a pattern of several entries. To stretch an axis of size 1 Expand needs no memory; to run layers again and again use Repeat.",
  source: "https://pytorch.org/docs/2.13/generated/torch.tile.html",
  keywords: ["repeat", "copy", "duplicate"],
  params: { dims: p.ints({ min: 1, default: [2], doc: "How often along each of the last axes; more numbers than axes add axes in front.", placeholder: "1, 2" }) },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ dims }) => `× ${dims.join(", ")}`,
  infer: ({ dims }, { x: { dtype, shape } }) => {
    const rank = Math.max(dims.length, shape.length);
    if (dims.length === 0)
      return {
        problem: say("Tile needs to be told how often to repeat."),
        code: "GRAPH_PARAM",
        param: "dims",
        fixes: [{ kind: "set-param", label: say("Set dims to 2"), name: "dims", value: [2] }],
      };
    return { outputs: { y: { dtype, shape: padLeft(dims, rank).map((times, i) => multiply(padLeft(shape, rank)[i] ?? 1, times)) } } };
  },
  lower: ({ dims }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::tile", [x, { ints: dims }], y ?? x.type) }),
  onnx: ({ dims }, { x }, b) => {
    const rank = Math.max(dims.length, x.type.shape.length);
    const added = rank - x.type.shape.length;
    const axes = Array.from({ length: added }, (_, i) => i);
    const full = added === 0 ? x.name : onnxNode(b, "Unsqueeze", [x.name, b.constant(axes, [added], "int64")]);
    return { y: onnxNode(b, "Tile", [full, b.constant(padLeft(dims, rank), [rank], "int64")]) };
  },
  torch: ({ dims }) => ({ forward: (_, { x }) => `${x}.tile(${dims.join(", ")})` }),
  examples: [
    { inputs: { x: [2, 3] } },
    { params: { dims: [1, 2, 3] }, inputs: { x: [2, 3, 4] } },
    { params: { dims: [2, 1, 2] }, inputs: { x: { dtype: "int64", shape: [2, 3] } } },
  ],
});

/** Ones in front, up to `rank` entries. */
function padLeft<T>(list: T[], rank: number): (T | 1)[] {
  return [...Array<1>(rank - list.length).fill(1), ...list];
}
