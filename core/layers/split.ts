import { say } from "../language/say.ts";
import { axisOf, defineLayer } from "./kit.ts";
import { p, pythonTuple } from "./params.ts";
import { lengthOf, MAX_PIECES, needCut, piecePorts, toPorts } from "./pieces.ts";

const DEFAULT_SIZES = [1, 1];

export const split = defineLayer({
  type: "split",
  title: "Split",
  category: "shape",
  doc: "Cuts a tensor along an axis into pieces of given sizes, with a port for each.",
  formula: "x = [y₁ | y₂ | …] along dim",
  when: "Use it to take a joint tensor apart, such as mean and variance, or query, key and value. For equal pieces Chunk is shorter; for one part Slice.",
  source: "https://pytorch.org/docs/2.13/generated/torch.split.html",
  keywords: ["cut", "divide", "sections", "parts", "unpack"],
  params: {
    split_sizes: p.ints({ min: 1, default: DEFAULT_SIZES, doc: "The size of each piece; together that of the axis.", placeholder: "8, 8" }),
    dim: p.int({ default: -1, doc: "The axis that is cut." }),
  },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  outputs: piecePorts(DEFAULT_SIZES.length),
  ports: ({ params }) => ({ inputs: { x: { doc: "Any tensor.", dtype: "any" } }, outputs: piecePorts(lengthOf(params.split_sizes, DEFAULT_SIZES.length)) }),
  summary: ({ split_sizes, dim }) => `${split_sizes.join(" | ")}, axis ${dim}`,
  infer: ({ split_sizes: sizes, dim }, { x: { dtype, shape } }) => {
    const cut = needCut("Split", dim, shape);
    if ("problem" in cut) return cut;
    if (sizes.length === 0 || sizes.length > MAX_PIECES)
      return { problem: say("Split makes 1 to {MAX_PIECES} pieces.", { MAX_PIECES }), code: "GRAPH_PARAM", param: "split_sizes" };
    const total = sizes.reduce((a, b) => a + b, 0);
    if (total !== cut.size) {
      const half = Math.ceil(cut.size / 2);
      return {
        problem: say("Split's sizes {sizes} add up to {total}, but axis {dim} has {count}.", { sizes: sizes.join(", "), total, dim, count: cut.size }),
        code: "GRAPH_PARAM",
        param: "split_sizes",
        fixes:
          cut.size > 1
            ? [{ kind: "set-param", label: say("Split into {half} and {count}", { half, count: cut.size - half }), name: "split_sizes", value: [half, cut.size - half] }]
            : [],
      };
    }
    return { outputs: toPorts(sizes.map((size) => ({ dtype, shape: shape.with(cut.axis, size) }))) };
  },
  lower: ({ split_sizes, dim }, { x }, b, { outputs }) =>
    toPorts(
      b.calls(
        "aten::split_with_sizes",
        [x, { ints: split_sizes }, dim],
        split_sizes.map((_, i) => outputs[`y${i + 1}`] ?? x.type),
      ),
    ),
  onnx: ({ split_sizes, dim }, { x }, b) =>
    toPorts(b.node("Split", [x.name, b.constant(split_sizes, [split_sizes.length], "int64")], { axis: axisOf(dim, x.type.shape.length) ?? 0 }, split_sizes.length)),
  torch: ({ split_sizes, dim }) => ({ forward: (_, { x }) => `${x}.split(${pythonTuple(split_sizes)}, dim=${dim})${split_sizes.length === 1 ? "[0]" : ""}` }),
  examples: [
    { params: { split_sizes: [1, 3] }, inputs: { x: [2, 3, 4] } },
    { params: { split_sizes: [2, 1, 3], dim: 1 }, inputs: { x: { dtype: "int64", shape: [2, 6] } } },
    { params: { split_sizes: [2, 2], dim: 1 }, inputs: { x: [2, 4, 3] } },
  ],
});
