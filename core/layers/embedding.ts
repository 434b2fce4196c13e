import { say } from "../language/say.ts";
import { defineLayer, float32, type InferProblem, type WeightPlan } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const embedding = defineLayer({
  type: "embedding",
  title: "Embedding",
  category: "sequence",
  doc: "Looks up a learned vector for each token or category number.",
  formula: "y[n, t] = W[x[n, t]]",
  when: "As the first layer over tokens, categories or ids. For a handful of categories without order OneHot and Linear is the same; for measures take Linear.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Embedding.html",
  keywords: ["token", "word", "vocabulary", "lookup", "category"],
  params: {
    num_embeddings: p.int({ min: 1, default: 1000, doc: "How many different numbers there are: the size of the vocabulary." }),
    embedding_dim: p.int({ min: 1, default: 64, doc: "Length of each vector." }),
    padding_idx: p.int({ min: -1, default: -1, doc: "A number whose vector stays zero, for padding; −1 for none." }),
  },
  inputs: { x: { doc: "Whole numbers from 0 up to the vocabulary's size.", dtype: "int64" } },
  summary: ({ num_embeddings, embedding_dim }) => `${num_embeddings} × ${embedding_dim}`,
  infer: ({ num_embeddings, embedding_dim, padding_idx }, { x: { shape } }) =>
    needPaddingIndex("Embedding", padding_idx, num_embeddings) ?? {
      outputs: { y: float32([...shape, embedding_dim]) },
      weights: tableWeights(num_embeddings, embedding_dim, padding_idx),
    },
  lower: ({ padding_idx }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::embedding", [b.weight("weight"), x, padding_idx], y ?? x.type) }),
  onnx: (_, { x }, b) => {
    const [y = ""] = b.node("Gather", [b.weight("weight"), x.name], { axis: 0 });
    return { y };
  },
  torch: ({ num_embeddings, embedding_dim, padding_idx }) => ({
    module: pythonCall("nn.Embedding", [num_embeddings, embedding_dim], { padding_idx: [padding_idx, -1] }),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  examples: [
    { params: { num_embeddings: 10, embedding_dim: 4 }, inputs: { x: { dtype: "int64", shape: [2, 5] } } },
    { params: { num_embeddings: 10, embedding_dim: 4, padding_idx: 0 }, inputs: { x: { dtype: "int64", shape: [3] } } },
  ],
});

/** A vector for each number, the one of the padding zero. */
export function tableWeights(count: number, width: number, paddingIndex: number): { weight: WeightPlan } {
  return { weight: { shape: [count, width], init: { kind: "normal", mean: 0, std: 1, ...(paddingIndex < 0 ? {} : { zeroRow: paddingIndex }) } } };
}

/** Why the number for padding is none of the table's, or null where it is. */
export function needPaddingIndex(title: string, paddingIndex: number, count: number): InferProblem | null {
  if (paddingIndex < count) return null;
  return {
    problem: say("padding_idx of {title} must be one of its {count} numbers; it is {paddingIndex}.", { title, count, paddingIndex }),
    code: "GRAPH_PARAM",
    param: "padding_idx",
    fixes: [{ kind: "set-param", label: say("Set padding_idx to 0"), name: "padding_idx", value: 0 }],
  };
}
