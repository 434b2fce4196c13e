import { say } from "../language/say.ts";
import { axisOf, defineLayer } from "./kit.ts";
import { p } from "./params.ts";
import { MAX_PIECES, needCut, piecePorts, toPorts } from "./pieces.ts";

const DEFAULT_CHUNKS = 2;

export const chunk = defineLayer({
  type: "chunk",
  title: "Chunk",
  category: "shape",
  doc: "Cuts a tensor along an axis into equal pieces, with a port for each; the last may be smaller.",
  formula: "x = [y₁ | … | yₙ] along dim",
  when: "Use it to take a joint tensor apart into equal parts, such as gates, or query, key and value. For unequal pieces use Split.",
  source: "https://pytorch.org/docs/2.13/generated/torch.chunk.html",
  keywords: ["cut", "divide", "split", "halves", "gates"],
  params: {
    chunks: p.int({ min: 1, max: MAX_PIECES, default: DEFAULT_CHUNKS, doc: "How many pieces." }),
    dim: p.int({ default: -1, doc: "The axis that is cut." }),
  },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  outputs: piecePorts(DEFAULT_CHUNKS),
  ports: ({ params }) => ({ inputs: { x: { doc: "Any tensor.", dtype: "any" } }, outputs: piecePorts(Number(params.chunks ?? DEFAULT_CHUNKS)) }),
  summary: ({ chunks, dim }) => `${chunks} pieces, axis ${dim}`,
  infer: ({ chunks, dim }, { x: { dtype, shape } }) => {
    const cut = needCut("Chunk", dim, shape);
    if ("problem" in cut) return cut;
    const sizes = cutEvenly(cut.size, chunks);
    if (sizes.length !== chunks)
      return {
        problem: say("Chunk cannot make {chunks} pieces of the {count} along axis {dim}: pieces of {sizes} are only {count2}.", {
          chunks,
          count: cut.size,
          dim,
          sizes: String(sizes[0]),
          count2: sizes.length,
        }),
        code: "GRAPH_PARAM",
        param: "chunks",
        fixes: [{ kind: "set-param", label: say("Set chunks to {count}", { count: sizes.length }), name: "chunks", value: sizes.length }],
      };
    return { outputs: toPorts(sizes.map((size) => ({ dtype, shape: shape.with(cut.axis, size) }))) };
  },
  lower: ({ chunks, dim }, { x }, b, { outputs }) =>
    toPorts(
      b.calls(
        "aten::chunk",
        [x, chunks, dim],
        Array.from({ length: chunks }, (_, i) => outputs[`y${i + 1}`] ?? x.type),
      ),
    ),
  onnx: ({ chunks, dim }, { x }, b) => {
    const axis = axisOf(dim, x.type.shape.length) ?? 0;
    const sizes = cutEvenly(Number(x.type.shape[axis]), chunks);
    return toPorts(b.node("Split", [x.name, b.constant(sizes, [chunks], "int64")], { axis }, chunks));
  },
  torch: ({ chunks, dim }) => ({ forward: (_, { x }) => `${x}.chunk(${chunks}, dim=${dim})${chunks === 1 ? "[0]" : ""}` }),
  examples: [
    { inputs: { x: [2, 3, 4] } },
    { params: { chunks: 3, dim: 1 }, inputs: { x: [2, 8, 2] } },
    { params: { chunks: 3 }, inputs: { x: { dtype: "int64", shape: [2, 6] } } },
  ],
});

/** Pieces of ⌈size / chunks⌉ until nothing is left, as PyTorch cuts: there may be fewer than asked. */
function cutEvenly(size: number, chunks: number): number[] {
  const each = Math.ceil(size / chunks);
  return Array.from({ length: Math.ceil(size / each) }, (_, i) => Math.min(each, size - i * each));
}
