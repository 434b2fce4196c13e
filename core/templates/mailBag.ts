import type { Graph } from "../graph/document.ts";
import { chain } from "./sketch.ts";
import type { Template } from "./template.ts";

export const mailBag: Template = {
  id: "mail-bag",
  title: "Bag of words",
  doc: "Gives every word of a text a vector and judges by their mean, whatever the order. About 98 % of mails right in a few seconds; naive Bayes gets 96.4 %.",
  task: "text-classification",
  datasetBuiltin: "mails",
  graph: drawBag(8192, 2),
  settings: { epochs: 8 },
};

/** A vector for each token, their mean, and a small network that judges by it. */
export function drawBag(tokens: number, outputs: number): Graph {
  return chain([
    ["words", "input", { shape: ["T"], dtype: "int64" }],
    ["bag", "embedding_bag", { num_embeddings: tokens, embedding_dim: 64, padding_idx: 0 }],
    ["fc1", "linear", { out_features: 64 }],
    ["relu", "relu"],
    ["dropout", "dropout", { p: 0.5 }],
    ["fc2", "linear", { out_features: outputs }],
    ["output", "output"],
  ]);
}
