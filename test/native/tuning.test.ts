import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../core/export/safetensors.ts";
import type { Graph, Tuning } from "../../core/graph/document.ts";
import { chain } from "../../core/templates/sketch.ts";
import { buildTrainSpec } from "../../core/training/build.ts";
import { defaultSettings } from "../../core/training/recipes.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { specOf, temporaryFolder, trainAll, writeFirstWeights, writeRows } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

const form = { input: { dtype: "float32" as const, shape: [2, 8, 8] }, classes: 4, vocabulary: 0 };
const rows = writeRows(folder.path, "rows", form, 48, 3);
const sgd: TrainSpec["optimizer"] = { kind: "SGD", momentum: 0, dampening: 0, weightDecay: 0, nesterov: false };

function network(tunings: { [node: string]: Tuning } = {}): Graph {
  const graph = chain([
    ["x", "input", { shape: form.input.shape }],
    ["conv", "conv2d", { out_channels: 4, kernel_size: 3 }],
    ["bn", "batch_norm2d"],
    ["relu", "relu"],
    ["flatten", "flatten"],
    ["fc", "linear", { out_features: form.classes }],
    ["y", "output"],
  ]);
  return { ...graph, nodes: graph.nodes.map((node) => (tunings[node.id] ? { ...node, tuning: tunings[node.id] } : node)) };
}

/** The spec with the paces that the product would give it. */
function order(graph: Graph, settings: Partial<TrainSpec> = {}): TrainSpec {
  const array = { file: "", sha256: "", dtype: "float32" as const, shape: form.input.shape };
  const split = { rows: 48, input: array, target: { ...array, dtype: "int64" as const, shape: [] }, classCounts: [12, 12, 12, 12] };
  const { paces, features } = buildTrainSpec(
    graph,
    { ...defaultSettings("image-classification", 48), datasetId: "" },
    {
      task: "image-classification",
      preprocess: { dtype: "float32", scale: 1, mean: [0, 0], std: [1, 1] },
      classes: ["a", "b", "c", "d"],
      columns: [],
      targetName: "class",
      splits: { train: split, validation: split },
      source: "",
      licence: "",
    },
  );
  return specOf({ graph }, { train: rows }, { optimizer: sgd, ...(paces ? { paces } : {}), ...(features ? { features } : {}), ...settings });
}

let runs = 0;
/** Weights before and after. */
async function learn(spec: TrainSpec) {
  const inside = join(folder.path, `run-${runs++}`);
  mkdirSync(join(inside, "first"), { recursive: true });
  mkdirSync(join(inside, "last"));
  const first = await writeFirstWeights(spec, join(inside, "first"));
  const { result } = await trainAll({ ...spec, checkpoint: { folder: join(inside, "last"), everyMs: 0 } });
  const [before, after] = [first, result.file ?? ""].map((file) => readSafetensors(readFileSync(file)).tensors);
  return (name: string): number => {
    const [a, b] = [before?.get(name)?.data, after?.get(name)?.data];
    return a ? Math.max(...[...a].map((value, i) => Math.abs(Number(value) - Number(b?.[i])))) : Number.NaN;
  };
}

describe("what a node says of its training", () => {
  it("a frozen layer keeps its weights, and a frozen batch norm its averages, while the rest learns", async () => {
    const moved = await learn(order(network({ conv: { frozen: true }, bn: { frozen: true } }), { epochs: 2 }));
    for (const name of ["conv.weight", "conv.bias", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "bn.num_batches_tracked"]) expect(moved(name), name).toBe(0);
    expect(moved("fc.weight")).toBeGreaterThan(0);
  });

  it("a batch norm that runs as in evaluation keeps its averages and learns its scale", async () => {
    const moved = await learn(order(network({ bn: { evaluates: true } })));
    expect([moved("bn.running_mean"), moved("bn.num_batches_tracked")]).toEqual([0, 0]);
    expect(moved("bn.weight")).toBeGreaterThan(0);
  });

  it("a layer at a tenth of the rate moves a tenth as far in the first step", async () => {
    const oneStep = { batchSize: 48 };
    const full = await learn(order(network(), oneStep));
    const slow = await learn(order(network({ conv: { lrScale: 0.1 } }), oneStep));
    expect(slow("conv.weight") / full("conv.weight")).toBeCloseTo(0.1, 3);
    expect(slow("fc.weight")).toBeCloseTo(full("fc.weight"), 7);
  });

  it("a layer that thaws in the second epoch stands still in the first", async () => {
    const graph = network({ conv: { fromEpoch: 1 } });
    expect((await learn(order(graph)))("conv.weight")).toBe(0);
    expect((await learn(order(graph, { epochs: 2 })))("conv.weight")).toBeGreaterThan(0);
  });

  it("a network of which nothing learns from the start is refused with what to do", async () => {
    const nodes = ["conv", "bn", "fc"];
    const graph = network(Object.fromEntries(nodes.map((node) => [node, { fromEpoch: 1 }])));
    await expect(trainAll(order(graph))).rejects.toThrow("Let one layer at least");
  });
});

describe("a frozen front is computed once", () => {
  const frozen = { conv: { frozen: true }, bn: { frozen: true } };

  it("and every epoch comes to the same numbers as without", async () => {
    const spec = order(network(frozen), { epochs: 3 });
    const { program, features } = spec;
    expect(features).toHaveLength(1);
    // What is kept stands behind the frozen layers, where what learns begins.
    expect(["bn", "relu"]).toContain(program.ops.find(({ out }) => out.includes(features?.[0] ?? -1))?.node);
    const { features: _, ...plain } = spec;
    const [kept, anew] = [await trainAll(spec), await trainAll(plain)];
    const losses = ({ events }: typeof kept) => events.flatMap((event) => (event.type === "evaluated" ? [event.values.loss ?? Number.NaN] : []));
    expect(losses(kept)).toHaveLength(3);
    for (const [i, loss] of losses(kept).entries()) expect(loss).toBeCloseTo(losses(anew)[i] ?? Number.NaN, 5);
    expect(kept.events.some((event) => event.type === "log" && event.message.startsWith("The frozen part saw each of 96 rows once"))).toBe(true);
  });

  it("but not where it looks at other rows, draws, or learns", () => {
    const featuresOf = (graph: Graph) => order(graph).features;
    expect(featuresOf(network({ conv: { frozen: true } }))).toHaveLength(1);
    expect(featuresOf(network({ bn: { frozen: true } }))).toBeUndefined();
    expect(featuresOf(network({ conv: { fromEpoch: 1 }, bn: { frozen: true } }))).toBeUndefined();
    const across = network(frozen);
    const nodes = across.nodes.map((node) => (node.id === "relu" ? { ...node, type: "expression", params: { expression: "x - mean(x, axis=0, keepdims=True)" } } : node));
    const [feature = -1] = featuresOf({ ...across, nodes }) ?? [];
    expect(order({ ...across, nodes }).program.ops.find(({ out }) => out.includes(feature))?.node).toBe("bn");
  });
});
