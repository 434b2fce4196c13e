import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GraphInvalid } from "../../../core/graph/fold.ts";
import { float32, startBody } from "../../../core/layers/kit.ts";
import { lowerModel, lowerTraining } from "../../../core/program/lower.ts";
import { type Block, type Op, Program } from "../../../core/program/program.ts";
import type { LossRecord, MetricRecord } from "../../../core/training/records.ts";
import { draw, lenet, soundGraph } from "../graph/sketches.ts";

const loss: LossRecord = {
  name: "MSELoss",
  title: "Squares of the prediction",
  doc: "Mean of squares.",
  source: "",
  expects: "values",
  target: (y) => (y.shape.length === 2 ? { target: { dtype: "int64", shape: ["B"] } } : { problem: "Squares needs rows." }),
  lower: (b, { y }) => b.call("aten::mean", [b.call("aten::mul.Tensor", [y, y], y.type)], float32([])),
  torch: "",
};
const metric: MetricRecord = { name: "size", title: "Size", doc: "", reduce: "mean", when: "validation", lower: (b, { y }) => b.call("aten::sum", [y], float32([])) };

/** Every value is written once, numbered without gaps, and read only after it is written and where it can be seen. */
function expectWellFormed(program: Program): void {
  Program.parse(program);
  const written = new Set<number>();
  const write = (value: number) => {
    expect(written.has(value)).toBe(false);
    written.add(value);
  };
  const read = (value: number, visible: Set<number>) => expect(visible.has(value)).toBe(true);
  const declared = [...program.inputs, ...program.weights].map(({ value }) => value);
  expect(declared).toEqual(declared.map((_, i) => i));
  for (const value of declared) write(value);

  const runBlock = ({ inputs, ops, outputs }: Block, around: Set<number>) => {
    const visible = new Set(around);
    for (const value of inputs) {
      write(value);
      visible.add(value);
    }
    runOps(ops, visible);
    for (const value of outputs) read(value, visible);
  };
  const runOps = (ops: readonly Op[], visible: Set<number>) => {
    for (const op of ops) {
      if ("index" in op) for (const value of [op.index, ...op.args]) read(value, visible);
      else if ("args" in op) {
        for (const arg of op.args) {
          if (typeof arg !== "object" || arg === null) continue;
          if ("v" in arg) read(arg.v, visible);
          if ("vs" in arg) for (const value of arg.vs) read(value, visible);
          if ("size" in arg) read(arg.size[0], visible);
          if ("ints" in arg) for (const int of arg.ints) if (typeof int === "object") read(int.size[0], visible);
        }
      }
      if ("blocks" in op) {
        if ("cond" in op && typeof op.cond === "number") read(op.cond, visible);
        if ("init" in op) for (const value of op.init) read(value, visible);
        if ("times" in op && typeof op.times === "object") read("v" in op.times ? op.times.v : op.times.size[0], visible);
        if ("scan" in op) for (const [value] of op.scan ?? []) read(value, visible);
        for (const block of op.blocks) runBlock(block, visible);
      }
      for (const value of op.out) {
        write(value);
        visible.add(value);
      }
    }
  };
  const visible = new Set(declared);
  runOps(program.ops, visible);
  for (const { value } of program.outputs) read(value, visible);
  expect(Math.max(...written)).toBe(written.size - 1);
}

describe("lowering", () => {
  it("is the same every time, and well-formed", () => {
    fc.assert(
      fc.property(soundGraph, (graph) => {
        const program = lowerModel(graph);
        expectWellFormed(program);
        const shuffled = { ...graph, nodes: graph.nodes.toReversed(), edges: graph.edges.toReversed() };
        expect(JSON.stringify(lowerModel(structuredClone(shuffled)))).toBe(JSON.stringify(program));
      }),
    );
  });

  it("names weights as a state_dict does, and nodes by their path", () => {
    const body = startBody({ type: "linear", params: { out_features: 4 } }, { type: "relu" });
    const graph = draw(["in", "input", { shape: [4] }], ["again", "repeat", { times: 3 }], ["out", "output"]);
    const program = lowerModel({ ...graph, nodes: graph.nodes.map((node) => (node.type === "repeat" ? { ...node, bodies: { body } } : node)) });
    expectWellFormed(program);
    expect(program.weights.map(({ name, node }) => [name, node])).toEqual([
      ["again.linear_1.weight", "again/body/linear_1"],
      ["again.linear_1.bias", "again/body/linear_1"],
    ]);
    expect(program.ops).toMatchObject([{ op: "repeat", times: 3, node: "again", blocks: [{ ops: [{ op: "aten::linear", node: "again/body/linear_1" }, { op: "aten::relu" }] }] }]);
  });

  it("puts preprocessing between raw data and the network, and keeps its moments as buffers", () => {
    const program = lowerModel(lenet, { preprocess: { dtype: "uint8", scale: 1 / 255, mean: [0.13], std: [0.31] } });
    expectWellFormed(program);
    expect(program.inputs).toMatchObject([{ dtype: "uint8", shape: ["B", 1, 28, 28] }]);
    expect(program.weights.slice(0, 2)).toMatchObject([
      { name: "image.mean", shape: [1, 1, 1], trainable: false, init: { kind: "values", values: [0.13] } },
      { name: "image.std", trainable: false },
    ]);
    expect(program.ops.slice(0, 4).map(({ op }) => op)).toEqual(["aten::to.dtype", "aten::mul.Scalar", "aten::sub.Tensor", "aten::div.Tensor"]);
    const plain = lowerModel(lenet, { preprocess: { dtype: "float32", scale: 1, mean: [0], std: [1] } });
    expect(plain.ops[0]?.op).toBe("aten::conv2d");
  });

  it("adds target, loss and metrics for training", () => {
    const { program, metrics } = lowerTraining(lenet, { loss, metrics: [metric] });
    expectWellFormed(program);
    expect(program.inputs.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ["x", "float32", ["B", 1, 28, 28]],
      ["target", "int64", ["B"]],
    ]);
    expect(program.outputs.map(({ name }) => name)).toEqual(["loss", "y", "size"]);
    expect(metrics).toEqual([{ output: "size", reduce: "mean", when: "validation" }]);
  });

  it("leaves out what no output depends on", () => {
    const graph = draw(["in", "input", { shape: [4] }], ["out", "output"], ["stray", "linear", {}, { x: "in" }]);
    expect(lowerModel(graph)).toMatchObject({ weights: [], ops: [] });
  });

  it("refuses a graph with errors, and a loss that does not go with the prediction", () => {
    expect(() => lowerModel(draw(["in", "input", { shape: [4] }], ["conv", "conv2d"], ["out", "output"]))).toThrow(GraphInvalid);
    const image = draw(["in", "input"], ["out", "output"]);
    expect(() => lowerTraining(image, { loss, metrics: [] })).toThrow("This graph cannot run: Squares needs rows.");
  });
});
