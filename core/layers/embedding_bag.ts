import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { needPaddingIndex, tableWeights } from "./embedding.ts";
import { defineLayer, float32, type OnnxBuilder } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const embeddingBag = defineLayer({
  type: "embedding_bag",
  title: "EmbeddingBag",
  category: "sequence",
  doc: "Looks up a learned vector for each number of a row, and gives their mean, sum or greatest values as one vector.",
  formula: "y[n] = mean, sum or max over t of W[x[n, t]]",
  when: "For texts and sets whose order says little: fast, and a strong start for text classification. Where order matters, take Embedding and a layer for sequences.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.EmbeddingBag.html",
  keywords: ["token", "word", "bag of words", "text classification", "fasttext", "lookup"],
  params: {
    num_embeddings: p.int({ min: 1, default: 1000, doc: "How many different numbers there are: the size of the vocabulary." }),
    embedding_dim: p.int({ min: 1, default: 64, doc: "Length of each vector." }),
    mode: p.choice({ options: ["mean", "sum", "max"], default: "mean", doc: "How the vectors of a row become one." }),
    padding_idx: p.int({ min: -1, default: -1, doc: "A number that does not count, for padding; −1 for none." }),
  },
  inputs: { x: { doc: "Rows of whole numbers from 0 up to the vocabulary's size: [N, length].", dtype: "int64" } },
  summary: ({ num_embeddings, embedding_dim, mode }) => `${num_embeddings} × ${embedding_dim}, ${mode}`,
  infer: ({ num_embeddings, embedding_dim, padding_idx }, { x: { shape } }) => {
    if (shape.length !== 2) return { problem: say("EmbeddingBag needs rows of numbers [N, length] but receives {shape}.", { shape: printShape(shape) }), port: "x" };
    return (
      needPaddingIndex("EmbeddingBag", padding_idx, num_embeddings) ?? {
        outputs: { y: float32([shape[0] ?? "B", embedding_dim]) },
        weights: tableWeights(num_embeddings, embedding_dim, padding_idx),
      }
    );
  },
  lower: ({ embedding_dim, mode, padding_idx }, { x }, b, { outputs: { y = x.type } }) => {
    const { shape } = x.type;
    const vectors = b.call("aten::embedding", [b.weight("weight"), x, padding_idx], float32([...shape, embedding_dim]));
    const over = { ints: [1] };
    if (padding_idx < 0) return { y: b.call({ mean: "aten::mean.dim", sum: "aten::sum.dim_IntList", max: "aten::amax" }[mode], [vectors, over, false], y) };

    const isPadding = b.call("aten::unsqueeze", [b.call("aten::eq.Scalar", [x, padding_idx], { dtype: "bool", shape }), -1], { dtype: "bool", shape: [...shape, 1] });
    const filled = b.call("aten::masked_fill.Scalar", [vectors, isPadding, mode === "max" ? LEAST : 0], vectors.type);
    if (mode === "sum") return { y: b.call("aten::sum.dim_IntList", [filled, over, false], y) };
    const counts = b.call("aten::sum.dim_IntList", [b.call("aten::logical_not", [isPadding], isPadding.type), over, false], { dtype: "int64", shape: [shape[0] ?? "B", 1] });
    if (mode === "mean")
      return { y: b.call("aten::div.Tensor", [b.call("aten::sum.dim_IntList", [filled, over, false], y), b.call("aten::clamp_min", [counts, 1], counts.type)], y) };
    // A row of padding alone has no greatest value: 0.
    const isEmpty = b.call("aten::eq.Scalar", [counts, 0], { dtype: "bool", shape: counts.type.shape });
    return { y: b.call("aten::masked_fill.Scalar", [b.call("aten::amax", [filled, over, false], y), isEmpty, 0], y) };
  },
  onnx: ({ mode, padding_idx }, { x }, b) => {
    const [vectors = ""] = b.node("Gather", [b.weight("weight"), x.name], { axis: 0 });
    if (padding_idx < 0) return { y: reduce(b, { mean: "ReduceMean", sum: "ReduceSum", max: "ReduceMax" }[mode], vectors) };
    const [counted = ""] = b.node("Equal", [x.name, b.constant([padding_idx], [], "int64")]);
    const [isPadding = ""] = b.node("Unsqueeze", [counted, b.constant([-1], [1], "int64")]);
    const [filled = ""] = b.node("Where", [isPadding, b.constant([mode === "max" ? LEAST : 0], [], "float32"), vectors]);
    if (mode === "sum") return { y: reduce(b, "ReduceSum", filled) };
    const [isCounted = ""] = b.node("Not", [isPadding]);
    const [ones = ""] = b.node("Cast", [isCounted], { to: FLOAT });
    const counts = reduce(b, "ReduceSum", ones);
    const one = b.constant([1], [], "float32");
    if (mode === "mean") {
      const [divisor = ""] = b.node("Max", [counts, one]);
      return { y: b.node("Div", [reduce(b, "ReduceSum", filled), divisor])[0] ?? "" };
    }
    const [isEmpty = ""] = b.node("Less", [counts, one]);
    return { y: b.node("Where", [isEmpty, b.constant([0], [], "float32"), reduce(b, "ReduceMax", filled)])[0] ?? "" };
  },
  torch: ({ num_embeddings, embedding_dim, mode, padding_idx }) => ({
    module: pythonCall("nn.EmbeddingBag", [num_embeddings, embedding_dim], { mode: [mode, "mean"], padding_idx: [padding_idx, -1] }),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  examples: [
    { params: { num_embeddings: 10, embedding_dim: 4 }, inputs: { x: { dtype: "int64", shape: [3, 5] } } },
    { params: { num_embeddings: 10, embedding_dim: 4, mode: "sum" }, inputs: { x: { dtype: "int64", shape: [2, 5] } } },
    { params: { num_embeddings: 10, embedding_dim: 4, mode: "max" }, inputs: { x: { dtype: "int64", shape: [2, 5] } } },
    { params: { num_embeddings: 10, embedding_dim: 4, padding_idx: 1 }, inputs: { x: { dtype: "int64", shape: [2, 5] } } },
    { params: { num_embeddings: 10, embedding_dim: 4, mode: "sum", padding_idx: 0 }, inputs: { x: { dtype: "int64", shape: [2, 5] } } },
    { params: { num_embeddings: 10, embedding_dim: 4, mode: "max", padding_idx: 2 }, inputs: { x: { dtype: "int64", shape: [6, 2] } } },
  ],
});

/** The least float32. */
const LEAST = -3.4028234663852886e38;
/** ONNX's number for float32. */
const FLOAT = 1;

function reduce(b: OnnxBuilder, op: string, x: string): string {
  return b.node(op, [x, b.constant([1], [1], "int64")], { keepdims: 0 })[0] ?? "";
}
