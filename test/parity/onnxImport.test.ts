import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportOnnx } from "../../core/export/onnx.ts";
import { type OnnxAttributeValue, setOnnxMetadata } from "../../core/export/onnx-proto.ts";
import { writeSafetensors } from "../../core/export/safetensors.ts";
import type { Tensor } from "../../core/export/tensor.ts";
import { tensorBytes, tensorOf } from "../../core/export/tensor.ts";
import { importOnnx } from "../../core/import/onnx.ts";
import { GRAPH_KEY } from "../../core/import/onnx-hash.ts";
import { lowerModel } from "../../core/program/lower.ts";
import { run } from "../../native/index.ts";
import { onnxFile } from "../onnxFile.ts";
import { type Case, layerCases, templateCases, tokenCases } from "./cases.ts";
import { controlCases } from "./controlCases.ts";

/**
 * Files without the graph that they were exported from, read operator by operator: what is read computes what the file says, and
 * what is not read is refused with a reason for every node.
 */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "onnx-import-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const cases = [...layerCases(), ...templateCases(), ...tokenCases(), ...controlCases()];

describe("an export without its graph is read operator by operator", () => {
  const read: string[] = [];
  const refused = new Map<string, string[]>();

  it.each(cases)("%s", async (name, make) => {
    const one = make();
    const answer = importOnnx(setOnnxMetadata(exportOnnx(one.graph, one.weights, { preprocess: one.preprocess }), { [GRAPH_KEY]: "" }));
    if (!answer.ok) {
      expect([name, answer.code]).toEqual([name, "ONNX_UNSUPPORTED_OP"]);
      expect(answer.unsupported.length).toBeGreaterThan(0);
      for (const { op, node, why } of answer.unsupported) {
        expect(op.length * node.length, name).toBeGreaterThan(0);
        expect(why).toMatch(/[.]$/);
      }
      refused.set(
        name,
        answer.unsupported.map(({ op, why }) => `${op}: ${why}`),
      );
      return;
    }
    expect(answer.from).toBe("operators");
    read.push(name);
    const [ours, theirs] = [join(folder, "ours.safetensors"), join(folder, "theirs.safetensors")];
    await writeFile(ours, writeSafetensors(one.weights));
    await writeFile(theirs, writeSafetensors(answer.weights));
    const program = lowerModel(answer.graph);
    for (const inputs of one.inputs) {
      const expected = Object.values(await run({ program: one.program, weights: { file: ours }, inputs }));
      const found = Object.values(
        await run({
          program,
          weights: { file: theirs },
          inputs: renamed(
            inputs,
            one,
            program.inputs.map((input) => input.name),
          ),
        }),
      );
      expect(found.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
      for (const [i, output] of expected.entries()) expect(greatestDifference(output, found[i]), name).toBeLessThanOrEqual(1e-4);
    }
  });

  it("and most are read", () => {
    // Printed, so that a person sees what is still refused, and why.
    console.log(`Read ${read.length} of ${cases.length}. Refused:\n${[...refused].map(([name, why]) => `  ${name}: ${[...new Set(why)].slice(0, 3).join(" ")}`).join("\n")}`);
    expect(read.length / cases.length).toBeGreaterThan(0.8);
  });
});

/** Inputs are called as in the file as far as names here allow; both lists are in the order of names. */
function renamed(inputs: Case["inputs"][number], { program }: Case, names: string[]): Case["inputs"][number] {
  return Object.fromEntries(
    program.inputs.map(({ name }, i) => {
      const tensor = inputs[name];
      if (!tensor) throw new Error(`There is no input ${name}.`);
      return [names[i] ?? name, tensor];
    }),
  );
}

const realFiles = join(import.meta.dirname, "..", "..", "node_modules", "@gutenye", "ocr-models", "assets");

/** Two sizes each; the recogniser's height is fixed by the file. */
const sizes: { [file: string]: number[][] } = {
  "ch_PP-OCRv4_det_infer.onnx": [
    [1, 3, 64, 96],
    [2, 3, 128, 64],
  ],
  "ch_PP-OCRv4_rec_infer.onnx": [
    [1, 3, 48, 160],
    [2, 3, 48, 321],
  ],
  "ch_ppocr_mobile_v2.0_cls_infer.onnx": [
    [1, 3, 48, 192],
    [3, 3, 64, 100],
  ],
};

describe("real files compute what ONNX Runtime computes", () => {
  it.each(Object.entries(sizes))("%s", async (name, shapes) => {
    expect(await readdir(realFiles)).toContain(name);
    const bytes = new Uint8Array(await readFile(join(realFiles, name)));
    const answer = importOnnx(bytes);
    if (!answer.ok) throw new Error(JSON.stringify(answer, null, 2));
    const file = join(folder, "real.safetensors");
    await writeFile(file, writeSafetensors(answer.weights));
    const program = lowerModel(answer.graph);
    const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
    for (const shape of shapes) {
      let state = 1;
      const noise = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
        state = (state * 48271) % 2147483647;
        return (state / 2147483647) * 2 - 1;
      });
      const x = tensorOf("float32", shape, noise);
      const [ours] = Object.values(await run({ program, weights: { file }, inputs: { x } }));
      const [theirs] = Object.values(await session.run({ x: new OrtTensor("float32", Float32Array.from(noise), shape) }));
      expect(ours?.shape).toEqual(theirs?.dims);
      expect(greatestDifference(ours, theirs)).toBeLessThanOrEqual(1e-4);
    }
    await session.release();
  });
});

type Written = {
  nodes: [op: string, inputs: string[], output: string, attributes?: { [name: string]: OnnxAttributeValue }][];
  x: number[];
  constants?: { [name: string]: number[] };
  rank?: number;
};
const int = (value: number): OnnxAttributeValue => ({ int: value });
const text = (value: string): OnnxAttributeValue => ({ text: value });
const ints = (...values: number[]): OnnxAttributeValue => ({ ints: values });

/** Operators that our own export seldom or never writes, and others do; sizes but the batch are known. */
const foreign: { [name: string]: Written } = {
  ...Object.fromEntries(["Acos", "Asin", "Atan", "Tan", "Sinh", "Cosh", "Asinh", "Atanh"].map((op) => [op, { nodes: [[op, ["x"], "y"]], x: [2, 5] } satisfies Written])),
  Acosh: {
    nodes: [
      ["Cosh", ["x"], "a"],
      ["Acosh", ["a"], "y"],
    ],
    x: [2, 5],
  },
  "SpaceToDepth, which has places first": { nodes: [["SpaceToDepth", ["x"], "y", { blocksize: int(2) }]], x: [2, 3, 4, 6] },
  "DepthToSpace in the order DCR": { nodes: [["DepthToSpace", ["x"], "y", { blocksize: int(2), mode: text("DCR") }]], x: [2, 12, 2, 3] },
  "a lower triangle": { nodes: [["Trilu", ["x"], "y", { upper: int(0) }]], x: [2, 4, 4] },
  "an upper triangle off the diagonal": { nodes: [["Trilu", ["x", "k"], "y"]], x: [2, 3, 4], constants: { k: [1] } },
  "Mod of whole numbers": {
    nodes: [
      ["Cast", ["x"], "i", { to: int(7) }],
      ["Mod", ["i", "k"], "m"],
      ["Cast", ["m"], "y", { to: int(1) }],
    ],
    x: [2, 9],
    constants: { k: [3] },
  },
  "Mod as C has it": { nodes: [["Mod", ["x", "z"], "y", { fmod: int(1) }]], x: [2, 9] },
  Mean: {
    nodes: [
      ["Tanh", ["x"], "a"],
      ["Neg", ["x"], "b"],
      ["Mean", ["x", "a", "b"], "y"],
    ],
    x: [3, 4],
  },
  "MeanVarianceNormalization over two axes": { nodes: [["MeanVarianceNormalization", ["x"], "y", { axes: ints(2, 3) }]], x: [2, 3, 4, 5] },
  "LpNormalization, p = 1": { nodes: [["LpNormalization", ["x"], "y", { axis: int(1), p: int(1) }]], x: [2, 6] },
  "LpNormalization, p = 2": { nodes: [["LpNormalization", ["x"], "y", { axis: int(1) }]], x: [2, 6] },
  ReduceSumSquare: { nodes: [["ReduceSumSquare", ["x", "axes"], "y", { keepdims: int(0) }]], x: [2, 3, 4], constants: { axes: [2] }, rank: 2 },
  ThresholdedRelu: { nodes: [["ThresholdedRelu", ["x"], "y"]], x: [2, 9] },
  "a causal mask over however many steps there are": {
    nodes: [
      ["Shape", ["x"], "all"],
      ["Slice", ["all", "one", "two"], "time"],
      ["Concat", ["time", "time"], "square", { axis: int(0) }],
      ["ConstantOfShape", ["square"], "zeros"],
      ["Add", ["zeros", "number"], "ones"],
      ["Trilu", ["ones"], "past", { upper: int(0) }],
      ["Transpose", ["x"], "turned", { perm: ints(0, 2, 1) }],
      ["MatMul", ["x", "turned"], "scores"],
      ["Mul", ["scores", "past"], "y"],
    ],
    x: [2, 5, 3],
    constants: { one: [1], two: [2] },
  },
  "positions counted to the length": {
    nodes: [
      ["Shape", ["x"], "all"],
      ["Gather", ["all", "at"], "time"],
      ["Range", ["from", "time", "step"], "places"],
      ["Cast", ["places"], "floats", { to: int(1) }],
      ["Unsqueeze", ["floats", "last"], "column"],
      ["Add", ["x", "column"], "y"],
    ],
    x: [2, 6, 3],
    constants: { at: [1], from: [0], step: [1], last: [1] },
  },
};

describe("operators as others write them compute what ONNX Runtime computes", () => {
  it.each(Object.entries(foreign))("%s", async (_, { nodes, x, constants = {}, rank = x.length }) => {
    const scalars = ["k", "at", "from", "step"];
    const tensors = [
      ...Object.entries(constants).map(([name, values]) => ({ name, ...tensorOf("int64", scalars.includes(name) ? [] : [values.length], values) })),
      { name: "number", ...tensorOf("float32", [], [1]) },
      { name: "z", ...tensorOf("float32", [1], [0.7]) },
    ].filter(({ name }) => nodes.some(([, inputs]) => inputs.includes(name)));
    // The length of sequences is free, as it would be in a file.
    const shape = x.length === 3 ? ["N", "T", ...x.slice(2)] : ["N", ...x.slice(1)];
    const bytes = onnxFile({
      nodes: nodes.map(([op, inputs, output, attributes = {}]) => ({
        name: "",
        op,
        inputs,
        outputs: [output],
        attributes: Object.entries(attributes).map(([name, value]) => ({ name, value })),
      })),
      initializers: tensors.map((tensor) => ({ name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, bytes: tensorBytes(tensor) })),
      inputs: [{ name: "x", dtype: "float32", shape }],
      outputs: [{ name: "y", dtype: "float32", shape: Array.from({ length: rank }, (_, i) => `D${i}`) }],
    });
    const answer = importOnnx(bytes);
    if (!answer.ok) throw new Error(JSON.stringify(answer, null, 2));
    const file = join(folder, "foreign.safetensors");
    await writeFile(file, writeSafetensors(answer.weights));
    const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
    const count = x.reduce((a, b) => a * b, 1);
    const numbers = Array.from({ length: count }, (_, i) => Math.sin(i * 2.7 + 1) * 0.95);
    const values = nodes.some(([op]) => ["Mod", "ThresholdedRelu"].includes(op)) ? numbers.map((value) => value * 7) : numbers;
    const [ours] = Object.values(await run({ program: lowerModel(answer.graph), weights: { file }, inputs: { x: tensorOf("float32", x, values) } }));
    const { y: theirs } = await session.run({ x: new OrtTensor("float32", Float32Array.from(values), x) });
    expect(ours?.shape).toEqual(theirs?.dims);
    expect(greatestDifference(ours, theirs)).toBeLessThanOrEqual(1e-4);
    await session.release();
  });
});

/** The largest |a − b|, as a share of the largest |a| where that is above 1. */
function greatestDifference(a: Tensor | undefined, b: { data: OrtTensor["data"] | Tensor["data"] } | undefined): number {
  if (!a || !b || b.data.length !== a.data.length) return Infinity;
  let difference = 0;
  let scale = 1;
  for (let i = 0; i < a.data.length; i++) {
    const [ours, theirs] = [Number(a.data[i]), Number(b.data[i])];
    if (!Object.is(ours, theirs)) difference = Math.max(difference, Number.isNaN(ours - theirs) ? Infinity : Math.abs(ours - theirs));
    scale = Math.max(scale, Math.abs(ours));
  }
  return difference / scale;
}
