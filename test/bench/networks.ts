import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Preprocess } from "../../core/data/manifest.ts";
import { encodeNpy } from "../../core/data/npy.ts";
import type { Graph } from "../../core/graph/document.ts";
import { lenet5 } from "../../core/templates/lenet5.ts";
import { resnetSmall } from "../../core/templates/resnetSmall.ts";
import { chain, sketch } from "../../core/templates/sketch.ts";
import { mnist } from "../../server/ingest/mnist.ts";

/** A network to measure, on real data. `steps` are as many as take about a second on two cores. */
export type Contender = { name: string; graph: Graph; data: "digits" | "characters"; batchSize: number; steps: number };

/** The characters a text may hold: printable ASCII and the line feed. */
const VOCABULARY = 96;
const CONTEXT = 64;

export const contenders: readonly Contender[] = [
  {
    name: "small MLP",
    graph: chain([
      ["input", "input", { shape: [1, 28, 28] }],
      ["flatten", "flatten"],
      ["fc1", "linear", { out_features: 128 }],
      ["relu1", "relu"],
      ["fc2", "linear", { out_features: 64 }],
      ["relu2", "relu"],
      ["fc3", "linear", { out_features: 10 }],
      ["output", "output"],
    ]),
    data: "digits",
    batchSize: 64,
    steps: 1500,
  },
  { name: "LeNet-5", graph: lenet5.graph, data: "digits", batchSize: 64, steps: 250 },
  { name: "small ResNet", graph: resnetSmall.graph, data: "digits", batchSize: 64, steps: 30 },
  { name: "char transformer", graph: drawCharTransformer(), data: "characters", batchSize: 16, steps: 50 },
];

/** Two pre-norm blocks of causal attention: for every character of a text, which comes next. */
function drawCharTransformer(): Graph {
  const s = sketch();
  let row = 0;
  const put = (id: string, type: string, params: Parameters<typeof s.put>[0][2], from: { [port: string]: string }) => s.put([id, type, params], { column: 0, row: row++ }, from);
  let last = put("embed", "embedding", { num_embeddings: VOCABULARY, embedding_dim: 128 }, { x: put("input", "input", { shape: [CONTEXT], dtype: "int64" }, {}) });
  for (const block of ["block1", "block2"]) {
    const norm = put(`${block}_norm1`, "layer_norm", {}, { x: last });
    const attended = put(`${block}_add1`, "add", {}, { a: last, b: put(`${block}_attention`, "multihead_attention", { num_heads: 4, is_causal: true }, { query: norm }) });
    const up = put(`${block}_up`, "linear", { out_features: 512 }, { x: put(`${block}_norm2`, "layer_norm", {}, { x: attended }) });
    const down = put(`${block}_down`, "linear", { out_features: 128 }, { x: put(`${block}_gelu`, "gelu", {}, { x: up }) });
    last = put(`${block}_add2`, "add", {}, { a: attended, b: down });
  }
  const scores = put("head", "linear", { out_features: VOCABULARY }, { x: put("norm", "layer_norm", {}, { x: last }) });
  put("output", "output", {}, { x: put("classes_first", "permute", { dims: [0, 2, 1] }, { x: scores }) });
  return s.graph();
}

export type Arrays = { files: { x: string; target: string }; rows: number; preprocess: Preprocess; classes: number; targetShape: number[] };

/** MNIST's training images. */
export async function writeDigits(folder: string): Promise<Arrays> {
  const { preprocess, splits } = await mnist.prepare();
  const { input, target } = splits.train;
  const files = { x: join(folder, "digits.npy"), target: join(folder, "digits-target.npy") };
  writeFileSync(files.x, encodeNpy(input.dtype, input.shape, input.data));
  writeFileSync(files.target, encodeNpy(target.dtype, target.shape, target.data));
  return { files, rows: input.shape[0] ?? 0, preprocess, classes: 10, targetShape: [] };
}

/** Pieces of the text of our own licence, each with the same piece one character on. */
export function writeCharacters(folder: string): Arrays {
  const text = readFileSync(new URL("../../LICENSE", import.meta.url), "latin1");
  const numbers = Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    return code < 32 || code > 126 ? 0 : code - 31;
  });
  const rows = 2048;
  const x = new BigInt64Array(rows * CONTEXT);
  const target = new BigInt64Array(rows * CONTEXT);
  for (let row = 0; row < rows; row++) {
    const start = (row * 7919) % (numbers.length - CONTEXT - 1);
    for (let i = 0; i < CONTEXT; i++) {
      x[row * CONTEXT + i] = BigInt(numbers[start + i] ?? 0);
      target[row * CONTEXT + i] = BigInt(numbers[start + i + 1] ?? 0);
    }
  }
  const files = { x: join(folder, "characters.npy"), target: join(folder, "characters-target.npy") };
  writeFileSync(files.x, encodeNpy("int64", [rows, CONTEXT], x));
  writeFileSync(files.target, encodeNpy("int64", [rows, CONTEXT], target));
  return { files, rows, preprocess: { dtype: "int64", scale: 1, mean: [], std: [] }, classes: VOCABULARY, targetShape: [CONTEXT] };
}
