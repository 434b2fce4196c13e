import { chain } from "./sketch.ts";
import type { Template } from "./template.ts";

/** @see Karpathy, The Unreasonable Effectiveness of Recurrent Neural Networks, 2015 */
export const charLstm: Template = {
  id: "char-lstm",
  title: "LSTM over letters",
  doc: "Reads a text letter by letter and says at each which comes next; what it writes is shown after every epoch. One epoch of Moby Dick brings it to 2.9 bits a letter.",
  task: "language-model",
  datasetBuiltin: "moby-dick",
  graph: chain([
    ["letters", "input", { shape: ["T"], dtype: "int64" }],
    ["embedding", "embedding", { num_embeddings: 83, embedding_dim: 64 }],
    ["lstm", "lstm", { hidden_size: 256 }],
    ["scores", "linear", { out_features: 83 }],
    // [B, T, letters] → [B, letters, T], as the loss wants it.
    ["turn", "permute", { dims: [0, 2, 1] }],
    ["output", "output"],
  ]),
};
