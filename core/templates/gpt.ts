import type { Graph } from "../graph/document.ts";
import { chain } from "./sketch.ts";
import type { Template } from "./template.ts";

export const charGpt: Template = {
  id: "char-gpt",
  title: "GPT over letters",
  doc: "A small transformer over letters, each step looking back at up to 128 of them; what it writes is shown after every epoch.",
  task: "language-model",
  datasetBuiltin: "moby-dick",
  graph: drawGpt(83, 128),
};

export const partsGpt: Template = {
  id: "parts-gpt",
  title: "GPT over parts of words",
  doc: "The same transformer over 1,024 parts of words, learned by byte-pair encoding: a token is nearly three letters. One epoch of Moby Dick brings it to 2.5 bits a letter.",
  task: "language-model",
  datasetBuiltin: "moby-dick-bpe",
  graph: drawGpt(1_024, 64),
};

/** A transformer that sees nothing of what comes: scores of the next token at each step, as the loss wants them, [B, tokens, T]. */
export function drawGpt(tokens: number, context: number): Graph {
  return chain([
    ["tokens", "input", { shape: ["T"], dtype: "int64" }],
    ["embedding", "embedding", { num_embeddings: tokens, embedding_dim: 96 }],
    ["places", "positional_encoding", { mode: "learned", max_len: context }],
    ["layers", "transformer_encoder", { num_layers: 2, nhead: 4, dim_feedforward: 384, dropout: 0, activation: "gelu", norm_first: true, norm: true, is_causal: true }],
    ["scores", "linear", { out_features: tokens }],
    ["turn", "permute", { dims: [0, 2, 1] }],
    ["output", "output"],
  ]);
}
