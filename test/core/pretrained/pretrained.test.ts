import { describe, expect, it } from "vitest";
import { findArchitecture } from "../../../core/architectures/index.ts";
import type { Manifest } from "../../../core/data/manifest.ts";
import { countElements } from "../../../core/export/tensor.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import { emptyGraph } from "../../../core/graph/document.ts";
import { tuningAt } from "../../../core/graph/tuning.ts";
import { matchWeights } from "../../../core/import/weights.ts";
import { DEPTHS, planFineTune, recommend, secondsOf, trainingRate } from "../../../core/pretrained/fineTune.ts";
import { packaged, pretrained } from "../../../core/pretrained/index.ts";
import { opened } from "../../../core/pretrained/opened.ts";
import { readTfjsWeights, transpose } from "../../../core/pretrained/tfjs.ts";
import { lowerModel } from "../../../core/program/lower.ts";
import { buildTrainSpec } from "../../../core/training/build.ts";
import { wilsonInterval } from "../../../core/training/interval.ts";
import { isHub } from "../../../server/hub/fetch.ts";
import { readPackage } from "../../../server/ingest/pretrained.ts";
import { publishedTensors } from "./layouts.ts";

function pictures(rows: number, [channels, side]: [number, number], classes = 9): Manifest {
  const split = {
    rows,
    input: { file: "x.npy", sha256: "", dtype: "uint8" as const, shape: [channels, side, side] },
    target: { file: "y.npy", sha256: "", dtype: "int64" as const, shape: [] },
    classCounts: [],
  };
  return {
    task: "image-classification",
    preprocess: { dtype: "uint8", scale: 1 / 255, mean: Array<number>(channels).fill(0.5), std: Array<number>(channels).fill(0.3) },
    classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
    columns: [],
    targetName: "class",
    splits: { train: split, validation: { ...split, rows: Math.ceil(rows / 4) } },
    source: "",
    licence: "",
  };
}

describe.each(packaged.filter(({ takes }) => takes === "pictures").map((network) => [network.title, network] as const))("%s", (_, network) => {
  const tensors = readPackage(network.weights);
  const converted = network.weights.convert(tensors);

  it("gives every weight of the backbone a tensor of its shape, and has none left over", () => {
    const program = lowerModel(planFineTune(network, pictures(200, [3, 64])).graph);
    const { rows, unused } = matchWeights(program, converted);
    const missing = rows.filter(({ status, name }) => status !== "matched" && !name.endsWith("num_batches_tracked"));
    expect(missing.map(({ name }) => name)).toEqual(["head.weight", "head.bias"]);
    expect(unused).toEqual([]);
  });

  it("has no variance at 0, and no number that is not finite", () => {
    for (const [name, { data }] of converted) {
      const least = name.endsWith("running_var") ? 0 : Number.NEGATIVE_INFINITY;
      expect(
        data.every((value) => Number.isFinite(Number(value)) && Number(value) > least),
        name,
      ).toBe(true);
    }
  });

  it("has as many parameters as it says", () => {
    const { graph } = planFineTune(network, pictures(200, [3, 64]));
    expect(checkGraph(graph).parameterCount.get(network.backbone.id)).toBe(network.parameters);
  });

  it.each([
    [1, 28, 60_000, "all"],
    [3, 64, 200, "last"],
    [3, 500, 40, "head"],
  ] as const)("takes pictures of %i × %i², %i of them, and lets learn what they can teach: %s", (channels, side, rows, depth) => {
    const plan = planFineTune(network, pictures(rows, [channels, side]));
    expect(plan.depth).toBe(depth);
    const { problems } = checkGraph(plan.graph);
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    const [first, last] = [network.stages.at(0), network.stages.at(-1)].map((stage) => tuningAt(plan.graph, `${network.backbone.id}/body/${stage}/body/0`));
    expect([first?.frozen, last?.frozen]).toEqual([depth !== "all", depth === "head"]);
    expect(tuningAt(plan.graph, "head")).toMatchObject({ frozen: false, lrScale: 1, fromEpoch: 0 });
    expect(last?.evaluates).toBe(true);
  });

  it("takes less time the less of it learns", () => {
    const manifest = pictures(200, [3, 64]);
    const seconds = (["head", "last", "all"] as const).map((depth) => {
      const { graph, settings } = planFineTune(network, manifest, { depth });
      return secondsOf(graph, { epochs: settings.epochs }, manifest, trainingRate(2, null)).seconds;
    });
    expect(seconds).toEqual([...seconds].sort((a, b) => a - b));
  });
});

const pictureNetworks = pretrained.flatMap((network) => (network.takes === "pictures" ? [network] : []));
const ofHubs = pictureNetworks.flatMap(({ weights, ...network }) => (weights.kind === "hub" ? [{ ...network, weights }] : []));

/** Files of hubs cannot be had here: their names and shapes are those that their publishers' own code gives such a network. */
it.each(ofHubs)("$title gives every weight of its published file but the head a place, under its sum and size", (network) => {
  const tensors = publishedTensors(network.id);
  const { graph } = planFineTune(network, pictures(200, [3, 64]));
  const { rows, unused } = matchWeights(lowerModel(graph), network.weights.convert(tensors));
  expect(rows.filter(({ status, name }) => status !== "matched" && !name.endsWith("num_batches_tracked")).map(({ name }) => name)).toEqual(["head.weight", "head.bias"]);
  expect(unused).toEqual([]);
  expect(checkGraph(graph).parameterCount.get(network.backbone.id)).toBe(network.parameters);
  expect(checkGraph(graph).problems.filter(({ severity }) => severity === "error")).toEqual([]);
  const bytes = [...tensors].reduce((sum, [name, { shape }]) => sum + countElements(shape) * (name.endsWith("num_batches_tracked") ? 8 : 4), 0);
  // A safetensors file is its tensors and a header of some kilobytes.
  expect(network.weights.sizeBytes - bytes).toBeGreaterThan(1_000);
  expect(network.weights.sizeBytes - bytes).toBeLessThan(100_000);
  expect(network.weights.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(isHub(new URL(network.weights.url))).toBe(true);
  expect(network.weights.url).toMatch(/\/resolve\/[0-9a-f]{40}\//);
});

it.each(opened.flatMap(({ weights, ...network }) => (weights ? [{ ...network, weights }] : [])))("$title opens with every weight of its published file", (network) => {
  const tensors = publishedTensors(network.id);
  const graph = findArchitecture(network.architecture)?.build() ?? emptyGraph;
  const { rows, unused } = matchWeights(lowerModel(graph), network.weights.convert(tensors));
  expect(rows.filter(({ status }) => status !== "matched")).toEqual([]);
  expect(unused).toEqual([]);
  expect(checkGraph(graph).totals.parameters).toBe(network.parameters);
  const bytes = [...tensors.values()].reduce((sum, { shape }) => sum + 4 * countElements(shape), 0);
  // GPT-2's file has a mask of 1,024 × 1,024 for each layer, and MiniLM's perhaps the numbers of its places.
  const masks = network.id === "gpt2" ? 12 * 4 * 1_024 ** 2 : 0;
  expect(network.weights.sizeBytes - bytes - masks).toBeGreaterThan(1_000);
  expect(network.weights.sizeBytes - bytes - masks).toBeLessThan(100_000);
  expect(isHub(new URL(network.weights.url))).toBe(true);
});

it.each(pictureNetworks)("$title thaws from its end, and no weight of it learns as fast as the new head", (network) => {
  for (const depth of DEPTHS) {
    const { graph } = planFineTune(network, pictures(200, [3, 64]), { depth });
    const tunings = [...checkGraph(graph).weights.keys()].map((path) => [path, tuningAt(graph, path)] as const);
    expect(tunings.filter(([, { frozen, lrScale }]) => !frozen && lrScale === 1).map(([path]) => path)).toEqual(["head"]);
    const learning = tunings.filter(([, { frozen }]) => !frozen).length;
    if (depth === "head") expect(learning).toBe(1);
    else if (depth === "all") expect(learning).toBe(tunings.length);
    else expect(learning > 1 && learning < tunings.length).toBe(true);
  }
});

const halves = pictureNetworks.flatMap((network) => (["head", "last"] as const).map((depth) => ({ ...network, depth })));
it.each(halves)("$title sees each picture once where its $depth learns: behind what is kept no frozen weight is asked for", ({ depth, ...network }) => {
  const manifest = pictures(200, [3, 64]);
  const { graph, settings } = planFineTune(network, manifest, { depth });
  const { program, features = [] } = buildTrainSpec(graph, { ...settings, datasetId: crypto.randomUUID() }, manifest);
  expect(features).toHaveLength(1);
  const kept = program.ops.findIndex(({ out }) => out.includes(features[0] ?? -1));
  const frozen = new Set(program.weights.filter(({ trainable, dtype }) => !trainable && dtype === "float32").map(({ value }) => value));
  const asksFrozen = program.ops.flatMap((op, at) =>
    "args" in op && op.args.some((arg) => typeof arg === "object" && arg !== null && "v" in arg && frozen.has(arg.v)) ? [at] : [],
  );
  const norms = new Set(program.ops.flatMap((op, at) => ("args" in op && "op" in op && op.op === "aten::batch_norm" ? [at] : [])));
  expect(asksFrozen.filter((at) => at > kept && !norms.has(at))).toEqual([]);
  expect(asksFrozen.length).toBeGreaterThan(10);
});

it("recommends the largest network that is done soon, and the quickest where none is", () => {
  const able = (small: number, large: number) => [
    { id: "small", seconds: small },
    { id: "large", seconds: large },
  ];
  expect([able(20, 50), able(100, 400), able(4_000, 9_000), []].map(recommend)).toEqual(["large", "small", "small", null]);
});

it("TensorFlow.js' bytes stand for numbers between min and max, and none may be missing", () => {
  const list = [
    { name: "a", shape: [2], dtype: "float32" as const, quantization: { min: -1, scale: 0.5, dtype: "uint8" as const } },
    { name: "b", shape: [1], dtype: "float32" as const },
  ];
  const bytes = new Uint8Array([0, 4, ...new Uint8Array(Float32Array.of(1.5).buffer)]);
  expect([...readTfjsWeights(list, bytes).values()].map(({ data }) => [...data])).toEqual([[-1, 1], [1.5]]);
  expect(() => readTfjsWeights(list, bytes.subarray(0, 5))).toThrow("end inside b");
  expect(() => readTfjsWeights(list.slice(0, 1), bytes)).toThrow("belong to no tensor");
});

it("a turned tensor has each number where its axes say", () => {
  const turned = transpose({ dtype: "float32", shape: [2, 3, 4], data: Float32Array.from({ length: 24 }, (_, i) => i) }, [2, 0, 1]);
  expect(turned.shape).toEqual([4, 2, 3]);
  for (let a = 0; a < 2; a++) for (let b = 0; b < 3; b++) for (let c = 0; c < 4; c++) expect(turned.data[c * 6 + a * 3 + b]).toBe(a * 12 + b * 4 + c);
});

// statsmodels 0.14, proportion_confint(method="wilson")
it.each([
  [9, 10, 0.5958, 0.9821],
  [0, 20, 0, 0.1611],
  [300, 376, 0.7543, 0.8354],
])("%i of %i right may be between %f and %f", (right, total, low, high) => {
  const interval = wilsonInterval(right, total);
  expect(interval.low).toBeCloseTo(low, 3);
  expect(interval.high).toBeCloseTo(high, 3);
});
