import type { Graph } from "../graph/document.ts";
import { sketch } from "./sketch.ts";
import type { Template } from "./template.ts";

export const textCnn: Template = {
  id: "text-cnn",
  title: "TextCNN",
  doc: "Looks for runs of three, five and seven words that say something, wherever they stand, and judges by the strongest of each. About 98 % of mails right in a minute.",
  task: "text-classification",
  datasetBuiltin: "mails",
  graph: draw(),
  settings: { epochs: 4 },
};

/** Convolutional Neural Networks for Sentence Classification. @see https://arxiv.org/abs/1408.5882 */
function draw(): Graph {
  const s = sketch();
  s.put(["words", "input", { shape: ["T"], dtype: "int64" }], { column: 1, row: 0 });
  s.put(["embedding", "embedding", { num_embeddings: 8192, embedding_dim: 64, padding_idx: 0 }], { column: 1, row: 1 }, { x: "words" });
  // [B, T, 64] → [B, 64, T]
  s.put(["turn", "permute", { dims: [0, 2, 1] }], { column: 1, row: 2 }, { x: "embedding" });
  const strongest = [3, 5, 7].map((width, column) =>
    s.stack(
      [
        [`conv${width}`, "conv1d", { out_channels: 64, kernel_size: width, padding: (width - 1) / 2 }],
        [`relu${width}`, "relu"],
        [`max${width}`, "max", { dim: [2] }],
      ],
      { column, row: 3 },
      "turn",
    ),
  );
  s.put(["join", "concat", { dim: 1 }], { column: 1, row: 6 }, { x: { all: strongest } });
  s.stack(
    [
      ["dropout", "dropout", { p: 0.5 }],
      ["fc", "linear", { out_features: 2 }],
      ["output", "output"],
    ],
    { column: 1, row: 7 },
    "join",
  );
  return s.graph();
}
