/**
 * How soon after an edit of a network of a million parameters the canvas has new previews: the drawing is changed, sent to the preview process,
 * checked, lowered, given fresh weights and run there, and pictures of all its nodes come back. Beside it the same with the weights of a file.
 *
 *     npm run bench -- preview
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeNpyHeader } from "../../core/data/npy.ts";
import { writeSafetensors } from "../../core/export/safetensors.ts";
import { checkGraph } from "../../core/graph/check.ts";
import { setParams } from "../../core/graph/edit.ts";
import type { PreviewOrder } from "../../core/preview/order.ts";
import { lowerModel } from "../../core/program/lower.ts";
import { chain } from "../../core/templates/sketch.ts";
import { PreviewHost } from "../../server/preview/host.ts";

const PROMISED_MS = 150;
const ROUNDS = 60;

const network = (width: number) =>
  setParams(
    chain([
      ["input", "input", { shape: [3, 32, 32] }],
      ["conv1", "conv2d", { out_channels: 32, kernel_size: [3, 3], padding: [1, 1] }],
      ["norm1", "batch_norm2d"],
      ["relu1", "relu"],
      ["pool1", "max_pool2d", { kernel_size: [2, 2] }],
      ["conv2", "conv2d", { out_channels: 64, kernel_size: [3, 3], padding: [1, 1] }],
      ["norm2", "batch_norm2d"],
      ["relu2", "relu"],
      ["pool2", "max_pool2d", { kernel_size: [2, 2] }],
      ["flat", "flatten"],
      ["hidden", "linear", { out_features: 240 }],
      ["relu3", "relu"],
      ["drop", "dropout"],
      ["scores", "linear", { out_features: 10 }],
      ["output", "output"],
    ]),
    "hidden",
    { out_features: width },
  );

const folder = mkdtempSync(join(tmpdir(), "tensorloom-bench-"));
const host = new PreviewHost();
try {
  const pictures = join(folder, "pictures.npy");
  writeFileSync(pictures, Buffer.concat([encodeNpyHeader("|u1", [1, 3, 32, 32]), Buffer.from(Array.from({ length: 3 * 32 * 32 }, (_, i) => (i * 37) % 256))]));
  const { weights } = lowerModel(network(240));
  const saved = join(folder, "weights.safetensors");
  writeFileSync(
    saved,
    writeSafetensors(
      new Map(
        weights
          .filter(({ dtype }) => dtype === "float32")
          .map(({ name, shape }) => {
            const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.01);
            return [name, { dtype: "float32" as const, shape, data }] as const;
          }),
      ),
    ),
  );
  const order = (width: number, file: string | null): PreviewOrder => ({
    graph: network(width),
    preprocess: { dtype: "uint8", scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    arrays: { input: { file: pictures, dtype: "uint8", shape: [3, 32, 32] }, lengths: null, more: {} },
    row: 0,
    weights: { file, seed: 0 },
    training: true,
    draw: 1,
    paths: network(width).nodes.map(({ id }) => id),
    large: "conv2",
  });
  console.log(`Previews of ${network(240).nodes.length} nodes, ${checkGraph(network(240)).totals.parameters} parameters: from the edit to the pictures, ${ROUNDS} edits\n`);
  for (const [name, file] of [
    ["fresh weights", null],
    ["weights of a file", saved],
  ] as const) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS + 5; round++) {
      const startedMs = performance.now();
      const { values } = await host.evaluate("bench", "bench", order(240 + (round % 2), file));
      if (values.length !== network(240).nodes.length) throw new Error("A node has no preview.");
      // The first ones pay for the engine's start.
      if (round >= 5) times.push(performance.now() - startedMs);
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0;
    console.log(`${name.padEnd(20)} median ${at(0.5).toFixed(0).padStart(4)} ms   95 % within ${at(0.95).toFixed(0).padStart(4)} ms${at(0.95) <= PROMISED_MS ? "" : "  missed"}`);
    console.log(JSON.stringify({ bench: "preview", weights: name, medianMs: at(0.5), p95Ms: at(0.95) }));
  }
} finally {
  host.close();
  rmSync(folder, { recursive: true, force: true });
}
