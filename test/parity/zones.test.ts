import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { encodeNpy } from "../../core/data/npy.ts";
import { readSafetensors, writeSafetensors } from "../../core/export/safetensors.ts";
import { type Tensor, tensorOf } from "../../core/export/tensor.ts";
import { emptyGraph, type Graph } from "../../core/graph/document.ts";
import { float32 } from "../../core/layers/kit.ts";
import { lowerModel, lowerTraining } from "../../core/program/lower.ts";
import type { Program } from "../../core/program/program.ts";
import type { LossRecord } from "../../core/training/records.ts";
import { run } from "../../native/index.ts";
import { randomNumbers, specOf, temporaryFolder, trainAll } from "../native/specs.ts";
import { body, branches, chainBody, type Step } from "./draw.ts";
import { gatesBody } from "./zoneCases.ts";

/** What zones compute and learn, held against a layer that does the same, and against differences. */

const HIDDEN = 6;
const FEATURES = 3;
const SAMPLES = 4;

const folder = temporaryFolder();
afterAll(folder.remove);

/** The sum of the squares of what comes out. */
const sumOfSquares: LossRecord = {
  name: "MSELoss",
  title: "Squares of the prediction",
  doc: "",
  source: "",
  expects: "values",
  target: () => ({ target: { dtype: "int64", shape: ["B"] } }),
  lower: (b, { y }) => b.call("aten::sum", [b.call("aten::mul.Tensor", [y, y], y.type)], float32([])),
  torch: "",
};

/** An LSTM of either kind whose y, h and c all go into one prediction, [B, HIDDEN]. */
function reader(kind: "built-in" | "gates", lengths: boolean): Graph {
  const cell: { [id: string]: Step } = { cell: kind === "gates" ? ["for_each_step", {}, { body: gatesBody(HIDDEN) }] : ["lstm", { hidden_size: HIDDEN }] };
  const drawn = body(
    {
      input: ["input", { shape: ["T", FEATURES] }],
      ...(lengths ? { lengths: named("input", "lengths", { shape: [], dtype: "int64" }) } : {}),
      // A Linear in front, so that a gradient must come out of the sequence too.
      front: ["linear", { out_features: FEATURES }],
      ...cell,
      // The built-in memory has an axis of layers in front.
      h: [kind === "gates" ? "identity" : "mean", kind === "gates" ? {} : { dim: [0] }],
      c: [kind === "gates" ? "identity" : "mean", kind === "gates" ? {} : { dim: [0] }],
      mean: ["mean", { dim: [1] }],
      square: ["mul"],
      half: ["mul", { value: 0.5 }],
      first: ["add"],
      sum: ["add"],
      y: ["output"],
      all: named("output", "steps"),
      h_out: named("output", "h"),
      c_out: named("output", "c"),
    },
    [
      ["input", "front"],
      ["front", "cell"],
      ...(lengths ? ([["lengths", "cell:lengths"]] satisfies [string, string][]) : []),
      ["cell:h", "h"],
      ["cell:c", "c"],
      ["cell:y", "mean"],
      ["mean", "square:a"],
      ["mean", "square:b"],
      ["h", "first:a"],
      ["square", "first:b"],
      ["c", "half:a"],
      ["first", "sum:a"],
      ["half", "sum:b"],
      ["sum", "y"],
      ["cell:y", "all"],
      ["h", "h_out"],
      ["c", "c_out"],
    ],
  );
  return { ...emptyGraph, ...drawn };
}

function named(type: string, name: string, params = {}): [...Step, { name: string }] {
  return [type, params, undefined, { name }];
}

type Weights = Map<string, Tensor>;

function numbersOf(tensor: Tensor | undefined): number[] {
  return Array.from(tensor?.data ?? [], Number);
}

/** A gate's Linear reads step and memory side by side and has one bias, where the layer has a weight for each and two biases. */
const GATES = ["input", "forget", "cell", "output"] as const;

function toGates(builtIn: Weights): Weights {
  const rows = (name: string, gate: number, width: number) => numbersOf(builtIn.get(name)).slice(gate * HIDDEN * width, (gate + 1) * HIDDEN * width);
  const own = new Map([...builtIn].filter(([name]) => name.startsWith("front")));
  for (const [gate, name] of GATES.entries()) {
    const [step, memory] = [rows("cell.weight_ih_l0", gate, FEATURES), rows("cell.weight_hh_l0", gate, HIDDEN)];
    const joined = Array.from({ length: HIDDEN }, (_, row) => [...step.slice(row * FEATURES, (row + 1) * FEATURES), ...memory.slice(row * HIDDEN, (row + 1) * HIDDEN)]).flat();
    const [a, b] = [rows("cell.bias_ih_l0", gate, 1), rows("cell.bias_hh_l0", gate, 1)];
    own.set(`cell.${name}.weight`, tensorOf("float32", [HIDDEN, FEATURES + HIDDEN], joined));
    own.set(
      `cell.${name}.bias`,
      tensorOf(
        "float32",
        [HIDDEN],
        a.map((value, i) => value + (b[i] ?? 0)),
      ),
    );
  }
  return own;
}

/** Gradients of the built-in layer as those of gates: a sum of two biases moves with each of them. */
function gradientsOfGates(gradients: Weights): Weights {
  const halved = new Map(
    [...gradients].map(([name, tensor]) => [
      name,
      name === "cell.bias_hh_l0"
        ? tensorOf(
            "float32",
            tensor.shape,
            numbersOf(tensor).map(() => 0),
          )
        : tensor,
    ]),
  );
  return toGates(halved);
}

function drawWeights(program: Program, seed: number): Weights {
  const random = randomNumbers(seed);
  return new Map(
    program.weights.map(({ name, dtype, shape }) => [
      name,
      tensorOf(
        dtype,
        shape,
        Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
      ),
    ]),
  );
}

function inputsOf(steps: number, lengths: number[] | null, seed: number): { [name: string]: Tensor } {
  const random = randomNumbers(seed);
  const x = tensorOf(
    "float32",
    [SAMPLES, steps, FEATURES],
    Array.from({ length: SAMPLES * steps * FEATURES }, () => random() * 2 - 1),
  );
  return lengths ? { x, lengths: tensorOf("int64", [SAMPLES], lengths) } : { x };
}

let files = 0;

/** What one step of plain SGD with a rate of 1 takes off each weight. */
async function gradients(graph: Graph, weights: Weights, inputs: { [name: string]: Tensor }): Promise<Weights> {
  const inside = join(folder.path, String(files++));
  mkdirSync(inside);
  const { program } = lowerTraining(graph, { loss: sumOfSquares, metrics: [] });
  const arrays = Object.fromEntries(
    Object.entries({ ...inputs, target: tensorOf("int64", [SAMPLES], Array<number>(SAMPLES).fill(0)) }).map(([name, { dtype, shape, data }]) => {
      const file = join(inside, `${name}.npy`);
      writeFileSync(file, dtype === "int64" ? encodeNpy("int64", shape, data as BigInt64Array) : encodeNpy("float32", shape, data as Float32Array));
      return [name, { file }];
    }),
  );
  const started = {
    ...program,
    weights: program.weights.map((weight) => ({ ...weight, init: { kind: "values" as const, values: numbersOf(weights.get(weight.name)) } })),
  };
  const spec = specOf(
    { graph },
    { train: { arrays, rows: SAMPLES } },
    {
      program: started,
      metrics: [],
      optimizer: { kind: "SGD", momentum: 0, dampening: 0, weightDecay: 0, nesterov: false },
      lr: { base: 1, schedule: { kind: "constant" } },
      batchSize: SAMPLES,
      shuffle: false,
      checkpoint: { folder: inside, everyMs: 0 },
    },
  );
  const { result } = await trainAll(spec);
  const { tensors } = readSafetensors(readFileSync(result.file ?? ""), { only: (name) => !name.includes("/") });
  return new Map(
    program.weights.map(({ name, shape }) => {
      const before = numbersOf(weights.get(name));
      return [
        name,
        tensorOf(
          "float32",
          shape,
          numbersOf(tensors.get(name)).map((after, i) => (before[i] ?? 0) - after),
        ),
      ];
    }),
  );
}

async function compute(graph: Graph, weights: Weights, inputs: { [name: string]: Tensor }): Promise<{ [name: string]: Tensor }> {
  const file = join(folder.path, `weights-${files++}.safetensors`);
  writeFileSync(file, writeSafetensors(weights));
  return run({ program: lowerModel(graph), weights: { file }, inputs });
}

/** The largest difference between tensors of the same names; infinite where one lacks. */
function difference(a: Iterable<[string, Tensor]>, b: Map<string, Tensor>): number {
  let worst = 0;
  for (const [name, { data }] of a) {
    const other = b.get(name)?.data;
    for (let i = 0; i < data.length; i++) worst = Math.max(worst, other && i < other.length ? Math.abs(Number(data[i]) - Number(other[i])) : Number.POSITIVE_INFINITY);
  }
  return worst;
}

describe("an LSTM of gates in ForEachStep is the built-in LSTM", () => {
  const cases: [name: string, steps: number, lengths: number[] | null][] = [
    ["one step", 1, null],
    ["five steps", 5, null],
    ["forty steps", 40, null],
    ["lengths of one to seven", 7, [7, 1, 4, 6]],
    ["lengths that all end before the sequence", 9, [3, 2, 8, 1]],
  ];
  it.each(cases)("over %s: results, last memory and gradients within 1e-5", async (_, steps, lengths) => {
    const [builtIn, gates] = [reader("built-in", lengths !== null), reader("gates", lengths !== null)];
    const weights = drawWeights(lowerModel(builtIn), steps);
    const inputs = inputsOf(steps, lengths, steps + 1);
    const [ours, theirs] = [await compute(gates, toGates(weights), inputs), await compute(builtIn, weights, inputs)];
    expect(Object.keys(ours).sort()).toEqual(["c", "h", "steps", "y"]);
    expect(difference(Object.entries(ours), new Map(Object.entries(theirs)))).toBeLessThan(1e-5);
    const own = await gradients(gates, toGates(weights), inputs);
    const expected = gradientsOfGates(await gradients(builtIn, weights, inputs));
    expect([...own.keys()].sort()).toEqual([...expected.keys()].sort());
    const largest = Math.max(...[...expected.values()].flatMap((tensor) => numbersOf(tensor).map(Math.abs)));
    expect(largest).toBeGreaterThan(0.1);
    expect(difference(own, expected) / Math.max(1, largest)).toBeLessThan(1e-5);
  });
});

describe("gradients through zones are those of the way taken", () => {
  const zones: [name: string, steps: Step[]][] = [
    [
      "While around If",
      [
        [
          "while",
          { max_iterations: 5 },
          {
            condition: chainBody({}, [["abs"], ["mean", { dim: [] }], ["greater", { value: 0.3 }]]),
            body: body(
              {
                x: ["input"],
                fc: ["linear", { out_features: FEATURES }],
                mean: ["mean", { dim: [] }],
                large: ["greater"],
                choose: ["if", {}, branches(chainBody({}, [["tanh"]]), chainBody({}, [["linear", { out_features: FEATURES }], ["sigmoid"]]))],
                y: ["output"],
              },
              [
                ["x", "fc"],
                ["fc", "mean"],
                ["mean", "large"],
                ["large", "choose:condition"],
                ["fc", "choose"],
                ["choose", "y"],
              ],
            ),
          },
        ],
      ],
    ],
    [
      "Switch",
      [
        [
          "block",
          {},
          {
            body: body(
              {
                x: ["input"],
                best: ["argmax", { dim: 1 }],
                ways: [
                  "switch",
                  { cases: 3 },
                  {
                    case_0: chainBody({}, [["linear", { out_features: FEATURES }], ["tanh"]]),
                    case_1: chainBody({}, [["linear", { out_features: FEATURES }]]),
                    case_2: chainBody({}, [["sigmoid"]]),
                  },
                ],
                y: ["output"],
              },
              [
                ["x", "best"],
                ["best", "ways:index"],
                ["x", "ways"],
                ["ways", "y"],
              ],
            ),
          },
        ],
      ],
    ],
    ["Repeat with carries", [["repeat", { times: 3 }, { body: chainBody({}, [["linear", { out_features: FEATURES }], ["tanh"]]) }]]],
  ];

  it.each(zones)("%s: central differences", async (_, steps) => {
    const graph: Graph = { ...emptyGraph, ...chainBody({ shape: [FEATURES] }, [["linear", { out_features: FEATURES }], ...steps]) };
    const weights = drawWeights(lowerModel(graph), 3);
    const random = randomNumbers(8);
    const inputs = {
      x: tensorOf(
        "float32",
        [SAMPLES, FEATURES],
        Array.from({ length: SAMPLES * FEATURES }, () => random() * 2 - 1),
      ),
    };
    const loss = async (changed: Weights) => numbersOf((await compute(graph, changed, inputs)).y).reduce((sum, value) => sum + value * value, 0);
    const found = await gradients(graph, weights, inputs);
    const h = 1e-2;
    for (const [name, tensor] of weights) {
      const numbers = numbersOf(tensor);
      const moved = (i: number, by: number) =>
        new Map(weights).set(
          name,
          tensorOf(
            "float32",
            tensor.shape,
            numbers.map((value, j) => value + (i === j ? by : 0)),
          ),
        );
      for (let i = 0; i < numbers.length; i += 2) {
        const slope = ((await loss(moved(i, h))) - (await loss(moved(i, -h)))) / (2 * h);
        // Differences err by the third derivative times h², about 1e-3 here; a way not taken or taken twice is off by far more.
        expect(Math.abs((numbersOf(found.get(name))[i] ?? Number.NaN) - slope), `${name}[${i}]`).toBeLessThan(5e-3 * Math.max(1, Math.abs(slope)));
      }
    }
  });
});

describe("EarlyExit", () => {
  it("goes all the way while training, so that the end learns from every sample and the exit by its own loss alone", async () => {
    const scores = (...steps: Step[]) => chainBody({}, [...steps, ["linear", { out_features: 3 }]]);
    const graph = (threshold: number): Graph => ({
      ...emptyGraph,
      ...chainBody({ shape: [FEATURES] }, [["early_exit", { threshold }, { exit: scores(), rest: scores(["linear", { out_features: 5 }], ["tanh"]) }]]),
    });
    const weights = drawWeights(lowerModel(graph(0)), 5);
    const random = randomNumbers(6);
    const inputs = {
      x: tensorOf(
        "float32",
        [SAMPLES, FEATURES],
        Array.from({ length: SAMPLES * FEATURES }, () => random() * 2 - 1),
      ),
    };
    // At 0 every sample leaves in evaluation, at 1 none does; training does not care.
    const [open, shut] = [await compute(graph(0), weights, inputs), await compute(graph(1), weights, inputs)];
    expect(difference(Object.entries(open), new Map(Object.entries(shut)))).toBeGreaterThan(0.01);
    const [a, b] = [await gradients(graph(0), weights, inputs), await gradients(graph(1), weights, inputs)];
    expect(difference(a, b)).toBe(0);
    for (const [name, tensor] of a) expect([name, numbersOf(tensor).some((value) => value !== 0)]).toEqual([name, name.includes(".rest.")]);
  });
});
