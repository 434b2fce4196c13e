import { LENGTHS_INPUT } from "../data/manifest.ts";
import type { Body, Graph } from "../graph/document.ts";
import { sketch } from "./sketch.ts";
import type { Template } from "./template.ts";

const HIDDEN = 64;

/** @see Hochreiter, Schmidhuber, Long short-term memory, 1997; with the forget gate of Gers, Schmidhuber, Cummins, 2000. */
export const gateLstm: Template = {
  id: "gate-lstm",
  title: "LSTM from gates",
  doc: "The cell of an LSTM drawn gate by gate inside ForEachStep, over names of any length. It computes what the LSTM layer does, and is yours to change. About 87 % of first names right.",
  task: "text-classification",
  datasetBuiltin: "first-names",
  graph: draw(),
};

function draw(): Graph {
  const s = sketch();
  s.put(["letters", "input", { shape: ["T"], dtype: "int64" }], { column: 0, row: 0 });
  s.put(["lengths", "input", { shape: [], dtype: "int64" }, LENGTHS_INPUT], { column: 1, row: 0 });
  s.put(["embedding", "embedding", { num_embeddings: 29, embedding_dim: 32, padding_idx: 0 }], { column: 0, row: 1 }, { x: "letters" });
  s.put(["lstm", "for_each_step"], { column: 0, row: 2 }, { x: "embedding", lengths: "lengths" }, { body: drawCell() });
  s.put(["dropout", "dropout", { p: 0.3 }], { column: 0, row: 4 }, { x: ["lstm", "h"] });
  s.stack(
    [
      ["fc", "linear", { out_features: 2 }],
      ["output", "output"],
    ],
    { column: 0, row: 5 },
    "dropout",
  );
  return s.graph();
}

/** One step: what to let in, what to keep of the cell c, and what of it to say as h. */
function drawCell(): Body {
  const s = sketch();
  s.put(["x", "input"], { column: 0, row: 0 });
  s.put(["h", "input", { shape: [HIDDEN] }, "h"], { column: 1, row: 0 });
  s.put(["c", "input", { shape: [HIDDEN] }, "c"], { column: 4, row: 0 });
  s.put(["seen", "concat"], { column: 0, row: 1 }, { x: { all: ["x", "h"] } });
  const gate = (name: string, activation: string, column: number) => {
    s.put([name, "linear", { out_features: HIDDEN }], { column, row: 2 }, { x: "seen" });
    return s.put([`${name}_gate`, activation], { column, row: 3 }, { x: name });
  };
  s.put(["news", "mul"], { column: 1, row: 4 }, { a: gate("input", "sigmoid", 1), b: gate("cell", "tanh", 2) });
  s.put(["kept", "mul"], { column: 3, row: 4 }, { a: gate("forget", "sigmoid", 3), b: "c" });
  s.put(["memory", "add"], { column: 2, row: 5 }, { a: "kept", b: "news" });
  s.put(["squashed", "tanh"], { column: 2, row: 6 }, { x: "memory" });
  s.put(["said", "mul"], { column: 1, row: 7 }, { a: gate("output", "sigmoid", 0), b: "squashed" });
  s.put(["h_out", "output", {}, "h"], { column: 1, row: 8 }, { x: "said" });
  s.put(["c_out", "output", {}, "c"], { column: 3, row: 8 }, { x: "memory" });
  return s.body();
}
