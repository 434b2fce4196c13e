import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { encodeNpy } from "../../core/data/npy.ts";
import { exportKeras } from "../../core/export/keras.ts";
import { exportOnnx } from "../../core/export/onnx.ts";
import { exportPyTorch } from "../../core/export/pytorch.ts";
import { readSafetensors } from "../../core/export/safetensors.ts";
import { tensorBytes } from "../../core/export/tensor.ts";
import { checkGraph } from "../../core/graph/check.ts";
import type { Graph } from "../../core/graph/document.ts";
import { GraphInvalid } from "../../core/graph/fold.ts";
import { predicting } from "../../core/graph/predicting.ts";
import { importOnnx } from "../../core/import/onnx.ts";
import { lowerModel, lowerTraining } from "../../core/program/lower.ts";
import { type Sketch, sketch } from "../../core/templates/sketch.ts";
import { findLoss } from "../../core/training/losses/index.ts";
import { accuracy } from "../../core/training/metrics/accuracy.ts";
import type { TargetInfo } from "../../core/training/records.ts";
import { networks } from "./networks.ts";
import { pointsOf, randomNumbers, specOf, temporaryFolder, trainAll, writeRows } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

const [mlp] = networks;
if (!mlp) throw new Error("There is a network.");
const classes = writeRows(folder.path, "classes", mlp, 96, 1);

/** The same rows with two measured values each. */
const values = (() => {
  const random = randomNumbers(5);
  const file = join(folder.path, "values.npy");
  writeFileSync(
    file,
    encodeNpy(
      "float32",
      [96, 5],
      Float32Array.from({ length: 96 * 5 }, () => random() * 2 - 1),
    ),
  );
  return { ...classes, arrays: { ...classes.arrays, target: { file } } };
})();

/** The network with a loss drawn beside it. */
function withLoss(target: { [name: string]: unknown }, draw: (s: Sketch) => string): Graph {
  const s = sketch();
  s.stack(
    [
      ["x", "input", { shape: [20] }],
      ["fc1", "linear", { out_features: 16 }],
      ["relu", "relu"],
      ["fc2", "linear", { out_features: 5 }],
    ],
    { column: 0, row: 0 },
  );
  s.put(["y", "output"], { column: 0, row: 4 }, { x: "fc2" });
  if (Object.keys(target).length > 0) {
    s.put(["target", "target", target as { shape: number[]; dtype: string }], { column: 1, row: 3 });
    s.put(["loss", "output", {}, "loss"], { column: 1, row: 7 }, { x: draw(s) });
  }
  return s.graph();
}

const plain = withLoss({}, () => "");
const squares = withLoss({ shape: [5], dtype: "float32" }, (s) =>
  s.put(["squares", "expression", { expression: "(y - t) ** 2" }], { column: 1, row: 5 }, { y: "fc2", t: "target" }),
);
/** Cross entropy out of layers, with the class's number put beside the scores. */
const entropy = withLoss({ shape: [], dtype: "int64" }, (s) => {
  s.put(["logs", "log_softmax", { dim: 1 }], { column: 1, row: 4 }, { x: "fc2" });
  s.put(["column", "unsqueeze", { dim: 1 }], { column: 2, row: 4 }, { x: "target" });
  s.put(["picked", "gather", { dim: 1 }], { column: 1, row: 5 }, { x: "logs", index: "column" });
  return s.put(["negated", "neg"], { column: 1, row: 6 }, { x: "picked" });
});
const own = findLoss("Value", { output: "loss" });

async function trainWith(graph: Graph, loss: ReturnType<typeof findLoss>, target: TargetInfo, data: typeof classes, name: string) {
  const checkpoints = join(folder.path, name);
  mkdirSync(checkpoints);
  const { program, metrics } = lowerTraining(graph, { loss, metrics: [accuracy], target });
  const { result, events } = await trainAll({ ...specOf({ graph: plain }, { train: data }, { epochs: 3, checkpoint: { folder: checkpoints, everyMs: 0 } }), program, metrics });
  const { tensors } = readSafetensors(readFileSync(result.file ?? ""));
  return {
    losses: pointsOf(events, "train/loss"),
    weights: Object.fromEntries([...tensors].filter(([key]) => key.startsWith("fc")).map(([key, tensor]) => [key, Buffer.from(tensorBytes(tensor)).toString("hex")])),
  };
}

const MEASURED: TargetInfo = { classes: null, type: { dtype: "float32", shape: ["B", 5] } };
const NUMBERED: TargetInfo = { classes: 5, type: { dtype: "int64", shape: ["B"] } };

describe("a loss wired from a Target", () => {
  it("trains bit for bit as the same loss of the list", async () => {
    const listed = await trainWith(plain, findLoss("MSELoss"), MEASURED, values, "listed");
    const wired = await trainWith(squares, own, MEASURED, values, "wired");
    expect(listed.losses.length).toBe(18);
    expect(Object.keys(wired.weights).length).toBe(4);
    expect(wired).toEqual(listed);
  });

  it("reads class numbers, and metrics still read the prediction", async () => {
    const listed = await trainWith(plain, findLoss("CrossEntropyLoss"), NUMBERED, classes, "listed-classes");
    const wired = await trainWith(entropy, own, NUMBERED, classes, "wired-classes");
    expect(wired.losses.map(([step]) => step)).toEqual(listed.losses.map(([step]) => step));
    // The same sums in another order.
    for (const [i, [, loss]] of wired.losses.entries()) expect(loss).toBeCloseTo(listed.losses[i]?.[1] ?? Number.NaN, 5);
    const { metrics } = lowerTraining(entropy, { loss: own, metrics: [accuracy], target: NUMBERED });
    expect(metrics.map(({ output }) => output)).toEqual(["accuracy"]);
  });

  it("may stand beside a loss of the list", () => {
    const { metrics } = lowerTraining(entropy, {
      loss: findLoss("CrossEntropyLoss"),
      extraLosses: [{ output: "loss", loss: findLoss("Value"), weight: 0.5 }],
      metrics: [],
      target: NUMBERED,
    });
    expect(metrics.map(({ output }) => output)).toEqual(["loss/y", "loss/loss"]);
  });

  it("is no part of the model that predicts: not of its program, nor of any export", async () => {
    expect(predicting(entropy).nodes.map(({ id }) => id)).toEqual(["x", "fc1", "relu", "fc2", "y", "logs"]);
    expect(predicting(plain)).toBe(plain);
    const program = lowerModel(squares);
    expect(program).toEqual(lowerModel(plain));
    expect(exportPyTorch(squares)).toBe(exportPyTorch(plain));
    expect(exportKeras(squares)).toBe(exportKeras(plain));
    const zeros = new Map(program.weights.map(({ name, shape }) => [name, { dtype: "float32" as const, shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }]));
    const onnx = exportOnnx(squares, zeros);
    expect(importOnnx(onnx)).toMatchObject({ graph: squares });
  });
});

describe("a Target", () => {
  const codes = (graph: Graph, options: Parameters<typeof checkGraph>[1] = {}) =>
    checkGraph(graph, options).problems.map(({ severity, code, node }) => `${severity} ${code} ${node}`);

  it("that nothing learns from is a hint; one that the prediction needs is an error", () => {
    expect(codes(squares, { loss: own })).toEqual([]);
    expect(codes(squares, { loss: findLoss("MSELoss") })).toEqual(["hint GRAPH_TARGET loss"]);
    const peeking: Graph = { ...squares, edges: squares.edges.map((edge) => (edge.to.node === "y" ? { ...edge, from: { node: "squares", port: "y" } } : edge)) };
    expect(codes(peeking, { loss: own })).toEqual(["error GRAPH_TARGET y"]);
  });

  it("stands at the top only, and is refused with mixup", () => {
    const zone: Graph = {
      ...squares,
      nodes: [
        ...squares.nodes,
        { id: "b", type: "block", params: {}, at: { x: 0, y: 0 }, bodies: { body: { nodes: squares.nodes.filter(({ type }) => type === "target"), edges: [] } } },
      ],
    };
    expect(codes(zone)).toContain("error GRAPH_TARGET b/body/target");
    expect(() => lowerTraining(entropy, { loss: own, metrics: [], target: NUMBERED, mixup: 0.2 })).toThrow(GraphInvalid);
  });
});
