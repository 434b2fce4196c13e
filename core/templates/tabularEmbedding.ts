import type { Graph } from "../graph/document.ts";
import { sketch } from "./sketch.ts";
import type { Template } from "./template.ts";

/** @see Guo, Berkhahn, Entity embeddings of categorical variables, 2016 */
export const tabularEmbedding: Template = {
  id: "tabular-embedding",
  title: "Tabular MLP with embeddings",
  doc: "Two inputs: the columns as numbers, and the categories by their numbers, for which the network learns vectors of its own. 98 % of penguins right or more, in seconds.",
  task: "tabular-classification",
  datasetBuiltin: "penguins",
  graph: draw(),
};

function draw(): Graph {
  const s = sketch();
  s.put(["columns", "input", { shape: [9] }], { column: 0, row: 0 });
  s.put(["categories", "input", { shape: [2], dtype: "int64" }, "categories"], { column: 1, row: 0 });
  s.put(["embedding", "embedding", { num_embeddings: 5, embedding_dim: 4 }], { column: 1, row: 1 }, { x: "categories" });
  s.put(["flatten", "flatten"], { column: 1, row: 2 }, { x: "embedding" });
  s.put(["join", "concat"], { column: 0, row: 3 }, { x: { all: ["columns", "flatten"] } });
  s.stack(
    [
      ["fc1", "linear", { out_features: 64 }],
      ["bn1", "batch_norm1d"],
      ["relu1", "relu"],
      ["fc2", "linear", { out_features: 3 }],
      ["output", "output"],
    ],
    { column: 0, row: 4 },
    "join",
  );
  return s.graph();
}
