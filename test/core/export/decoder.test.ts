import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { decoderOf } from "../../../core/export/decoder.ts";
import { exportOnnx } from "../../../core/export/onnx.ts";
import { writeSafetensors } from "../../../core/export/safetensors.ts";
import type { Tensor } from "../../../core/export/tensor.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import { lowerModel } from "../../../core/program/lower.ts";
import { findTemplate } from "../../../core/templates/index.ts";
import { run } from "../../../native/index.ts";
import { temporaryFolder } from "../../native/specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

const preprocess = { dtype: "uint8" as const, scale: 1 / 255, mean: [0.1307], std: [0.3081] };
const graphOf = (id: string) => findTemplate(id)?.graph ?? { schemaVersion: 1 as const, nodes: [], edges: [] };

describe("the second half of an autoencoder", () => {
  it.each(["conv-autoencoder", "vae"])("draws from the latent numbers what the whole draws from the picture (%s)", async (id) => {
    const graph = graphOf(id);
    const half = decoderOf(graph);
    if (!half) throw new Error("An autoencoder has a second half.");
    expect(checkGraph(half.graph).problems.filter(({ severity }) => severity === "error")).toEqual([]);
    const whole = lowerModel(graph, { preprocess });
    const program = lowerModel(half.graph);
    expect(program.inputs.map(({ name, shape }) => [name, shape])).toEqual([["z", ["B", ...half.shape]]]);
    expect(program.weights.length).toBeLessThan(whole.weights.length);

    const x = Uint8Array.from({ length: 3 * 784 }, (_, at) => (at * 37) % 256);
    // One file of weights for both: each takes those that have its names.
    const weights = new Map(whole.weights.map(({ name, shape }): [string, Tensor] => [name, { dtype: "float32", shape, data: ramp(shape) }]));
    const file = join(folder.path, `${id}.safetensors`);
    writeFileSync(file, writeSafetensors(weights, {}));
    const seen = await run({ program: whole, weights: { file }, inputs: { x: { dtype: "uint8", shape: [3, 1, 28, 28], data: x } } });
    if (!seen.latent) throw new Error("The network says what it keeps of a row.");
    const drawn = await run({ program, weights: { file }, inputs: { z: seen.latent } });
    expect(drawn.y?.shape).toEqual([3, 1, 28, 28]);
    expect(drawn.y?.data).toEqual(seen.y?.data);
    // It is a network of its own that ONNX can hold.
    expect(exportOnnx(half.graph, weights).length).toBeGreaterThan(1_000);
  });

  it("is not there where nothing is called latent, or the prediction sees more than that", () => {
    expect(decoderOf(graphOf("lenet5"))).toBeNull();
    const graph = graphOf("conv-autoencoder");
    // A shortcut past the middle.
    const edges = graph.edges.map((edge) => (edge.to.node === "sigmoid" ? { ...edge, from: { node: "input", port: "y" } } : edge));
    expect(decoderOf({ ...graph, edges })).toBeNull();
  });
});

/** Small numbers, each different, so that a swapped weight shows. */
function ramp(shape: readonly number[]): Float32Array {
  const size = shape.reduce((product, one) => product * one, 1);
  return Float32Array.from({ length: size }, (_, at) => Math.sin(at + size) / Math.sqrt(size));
}
