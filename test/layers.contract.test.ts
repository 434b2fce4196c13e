import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeNpy } from "../core/data/npy.ts";
import { exportPyTorch } from "../core/export/pytorch.ts";
import { readSafetensors } from "../core/export/safetensors.ts";
import { checkGraph } from "../core/graph/check.ts";
import { evaluate } from "../core/graph/dims.ts";
import type { Graph } from "../core/graph/document.ts";
import { insertOnEdge } from "../core/graph/edit.ts";
import { findLayer, layers } from "../core/layers/index.ts";
import { bodyInputs } from "../core/layers/input.ts";
import { CATEGORIES, float32 } from "../core/layers/kit.ts";
import { bodyOutputs } from "../core/layers/output.ts";
import { lowerTraining } from "../core/program/lower.ts";
import type { RunEvent } from "../core/training/events.ts";
import type { LossRecord } from "../core/training/records.ts";
import type { TrainSpec } from "../core/training/spec.ts";
import { checkProgram, run, train } from "../native/index.ts";
import { type Case, layerCases } from "./parity/cases.ts";

/**
 * What every layer promises, held for each of its examples by the real engine. That its ONNX and PyTorch code compute the same is
 * in `parity/`, over the same examples.
 */

const ROWS = 4;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "layers-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("every layer's record", () => {
  it("has a type and a title of its own, and enough of them stand in the palette", () => {
    expect(new Set(layers.map(({ type }) => type)).size).toBe(layers.length);
    expect(new Set(layers.map(({ title }) => title)).size).toBe(layers.length);
    expect(layers.length).toBeGreaterThanOrEqual(120);
  });

  it.each(layers.map((layer) => [layer.title, layer] as const))("%s is complete", (_, layer) => {
    expect(layer.type).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(CATEGORIES).toContain(layer.category);
    expect(layer.doc).toMatch(/^[A-Z].{20,}\.$/);
    expect(layer.formula, "formula").toMatch(/\S{1,}/);
    expect(layer.when, "when to use it").toMatch(/^[A-Z“].{20,}\.$/s);
    expect(layer.examples.length).toBeGreaterThan(0);
    const defaults = Object.fromEntries(Object.entries(layer.params).map(([name, param]) => [name, param.default]));
    for (const [name, param] of Object.entries(layer.params)) {
      expect(param.doc, name).toMatch(/\.$/);
      expect(param.schema.safeParse(param.default).success, `default of ${name}`).toBe(true);
    }
    for (const [port, { doc }] of [...Object.entries(layer.inputs), ...Object.entries(layer.outputs)]) expect(doc, port).toMatch(/\.$/);
    expect(typeof layer.summary(defaults)).toBe("string");
    for (const { params = {} } of layer.examples) {
      for (const [name, value] of Object.entries(params)) expect(layer.params[name]?.schema.safeParse(value).success, `${name} of an example`).toBe(true);
    }
  });
});

const cases = layerCases();

describe("the engine computes what a layer infers", () => {
  it.each(cases)("%s", async (_, make) => {
    const { graph, program, inputs } = make();
    checkProgram(program);
    const { types, problems, parameterCount } = checkGraph(graph);
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    for (const batch of inputs) {
      const results = await run({ program, weights: { seed: 1 }, inputs: batch });
      const size = Object.values(batch)[0]?.shape[0] ?? 1;
      for (const { name, node } of bodyOutputs(graph)) {
        const type = types.get(node.id)?.inputs.x;
        if (!type || Array.isArray(type)) throw new Error(`Output ${name} has a type.`);
        expect({ dtype: results[name]?.dtype, shape: results[name]?.shape }).toEqual({ dtype: type.dtype, shape: type.shape.map((dim) => evaluate(dim, size)) });
      }
    }
    const trained = program.weights.filter(({ trainable }) => trainable).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect([...parameterCount].filter(([path]) => !path.includes("/")).reduce((sum, [, count]) => sum + count, 0)).toBe(trained);
  });
});

/** The mean of the squares of what comes out: a loss for any prediction. */
const squares: LossRecord = {
  name: "MSELoss",
  title: "Squares of the prediction",
  doc: "",
  source: "",
  expects: "values",
  target: () => ({ target: { dtype: "int64", shape: ["B"] } }),
  lower: (b, { y }) => b.call("aten::mean", [b.call("aten::mul.Tensor", [y, y], y.type)], float32([])),
  torch: "",
};

/** Puts a Linear behind every Input of numbers, so that a gradient must come all the way through the layer. */
function withWeightsBefore(graph: Graph): Graph {
  let result = graph;
  for (const { node } of bodyInputs(graph)) {
    const { shape, dtype } = node.params;
    const width = Array.isArray(shape) ? shape.at(-1) : undefined;
    if (dtype !== "float32" || typeof width !== "number") continue;
    for (const edge of graph.edges.filter(({ from }) => from.node === node.id)) result = insertOnEdge(result, edge.id, { type: "linear", params: { out_features: width } });
  }
  return result;
}

/** The same with the name y, which the loss looks at, for the first output of float32; null where there is none. */
function withMeasuredOutput(graph: Graph): Graph | null {
  const { types } = checkGraph(graph);
  const output = bodyOutputs(graph).find(({ node }) => {
    const type = types.get(node.id)?.inputs.x;
    return node.id !== "out-beside" && type && !Array.isArray(type) && type.dtype === "float32";
  });
  return output ? { ...graph, nodes: graph.nodes.map((node) => (node.id === output.node.id ? { ...node, name: "y" } : node)) } : null;
}

/** Whether something before the layer or within it can learn: not where only whole numbers and conditions come in, nor where it says so itself. */
function canLearn(graph: Graph): boolean {
  const { types, weights } = checkGraph(graph);
  const trained = [...weights].filter(([, plans]) => Object.values(plans).some(({ trainable = true }) => trainable)).map(([path]) => path);
  if (trained.some((path) => path === "node" || path.startsWith("node/"))) return true;
  const arriving = Object.values(types.get("node")?.inputs ?? {}).flatMap((type) => type ?? []);
  const layer = graph.nodes.flatMap(({ id, type }) => (id === "node" ? (findLayer(type) ?? []) : []))[0];
  return trained.length > 0 && layer?.gradient !== false && arriving.some(({ dtype }) => dtype === "float32");
}

/** Two steps of SGD over `ROWS` samples. */
async function trainTwoSteps(
  name: string,
  graph: Graph,
  inputs: Case["inputs"],
): Promise<{ losses: (number | null)[]; norms: (number | null)[]; weights: Map<string, { data: ArrayLike<number | bigint> }> }> {
  const { program, metrics } = lowerTraining(graph, { loss: squares, metrics: [] });
  const place = (file: string) => join(folder, `${name.replaceAll(/\W/g, "-")}-${file}`);
  const arrays: TrainSpec["data"]["train"]["arrays"] = { target: { file: place("target.npy") } };
  await writeFile(place("target.npy"), encodeNpy("int64", [ROWS], new BigInt64Array(ROWS)));
  for (const [input, { dtype, shape, data }] of Object.entries(inputs[0] ?? {})) {
    // The example's samples again and again.
    const size = data.length / (shape[0] ?? 1);
    const file = place(`${input}.npy`);
    const index = (i: number) => i % (size * (shape[0] ?? 1));
    const rows = [ROWS, ...shape.slice(1)];
    if (dtype === "float32")
      await writeFile(
        file,
        encodeNpy(
          "float32",
          rows,
          Float32Array.from({ length: ROWS * size }, (_, i) => Number(data[index(i)])),
        ),
      );
    else
      await writeFile(
        file,
        encodeNpy(
          "int64",
          rows,
          BigInt64Array.from({ length: ROWS * size }, (_, i) => BigInt(data[index(i)] ?? 0)),
        ),
      );
    arrays[input] = { file };
  }
  const split = { arrays, rows: ROWS };
  const events: RunEvent[] = [];
  const spec: TrainSpec = {
    version: 1,
    program,
    metrics,
    data: { train: split, validation: split },
    optimizer: { kind: "SGD", momentum: 0, dampening: 0, weightDecay: 0, nesterov: false },
    lr: { base: 0.01, schedule: { kind: "constant" } },
    batchSize: ROWS,
    epochs: 2,
    shuffle: false,
    dropLast: false,
    seed: 1,
    device: "cpu",
    precision: "float32",
    channelsLast: false,
    gradClip: { kind: "norm", max: 1e6 },
    accumulate: 1,
    threads: 1,
    checkpoint: { folder, everyMs: 0 },
    resumeFrom: null,
    startFrom: null,
    sampleRows: [],
  };
  const { file } = await train(spec, (some) => events.push(...some)).done;
  const points = (key: string) => events.flatMap((event) => (event.type === "points" && event.key === key ? event.values : []));
  return { losses: points("train/loss"), norms: points("grad_norm"), weights: file === null ? new Map() : readSafetensors(await readFile(file)).tensors };
}

describe("training goes through every layer with finite gradients", () => {
  it.each(cases)("%s", async (name, make) => {
    const made = make();
    const graph = withMeasuredOutput(withWeightsBefore(made.graph));
    if (!graph || !canLearn(graph)) return;
    const { losses, norms, weights } = await trainTwoSteps(name, graph, made.inputs);
    expect(losses).toHaveLength(2);
    for (const loss of losses) expect(Number.isFinite(loss)).toBe(true);
    for (const norm of norms) expect(Number.isFinite(norm) && Number(norm) > 0).toBe(true);
    expect(norms).toHaveLength(2);
    for (const { data } of weights.values()) expect(Array.from(data, Number).every(Number.isFinite)).toBe(true);
  });
});

const hasPython = spawnSync("python3", ["--version"]).status === 0;
describe.skipIf(!hasPython)(`PyTorch code is Python${hasPython ? "" : " (not installed: python3)"}`, () => {
  it("for every example", () => {
    const codes = cases.map(([name, make]) => [name, exportPyTorch(make().graph)]);
    const parse = "import ast, json, sys\nfor name, code in json.load(sys.stdin):\n    try: ast.parse(code)\n    except SyntaxError as error: print(name, error)";
    const { stdout, status } = spawnSync("python3", ["-c", parse], { input: JSON.stringify(codes), encoding: "utf8" });
    expect([status, stdout]).toEqual([0, ""]);
  });
});
