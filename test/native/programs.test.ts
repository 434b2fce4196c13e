import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../core/export/safetensors.ts";
import { lowerModel } from "../../core/program/lower.ts";
import type { Arg, Block, Op, Program } from "../../core/program/program.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { checkProgram, EngineError, run, type TensorData } from "../../native/index.ts";
import { cases as expressionCases } from "../core/expression/cases.ts";
import { trialOf } from "../core/expression/world.ts";
import { layerCases, templateCases } from "../parity/cases.ts";
import { randomNumbers, temporaryFolder, trainAll, writeRows } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

/** x [B, 3], one weight w [3] of ones that is trained. Values from 10 on are free. */
function programOf(ops: Op[], output: number): Program {
  return {
    version: 1,
    inputs: [{ value: 0, name: "x", dtype: "float32", shape: ["B", 3], node: "x" }],
    weights: [
      { value: 1, name: "w", dtype: "float32", shape: [3], init: { kind: "constant", value: 1 }, trainable: true, node: "w" },
      { value: 2, name: "count", dtype: "int64", shape: [], init: { kind: "constant", value: 0 }, trainable: false, node: "w" },
    ],
    ops,
    outputs: [{ value: output, name: "y" }],
  };
}

const call = (op: string, args: Arg[], out: number | number[], node = "n"): Op => ({ op: `aten::${op}`, args, out: [out].flat(), node });
const v = (value: number) => ({ v: value });
const block = (inputs: number[], ops: Op[], outputs: number[]): Block => ({ inputs, ops, outputs });
const x = (...values: number[]): TensorData => ({ dtype: "float32", shape: [values.length / 3, 3], data: Float32Array.from(values) });

async function compute(program: Program, input: TensorData): Promise<number[]> {
  const { y } = await run({ program, weights: { seed: 0 }, inputs: { x: input } });
  return Array.from(y?.data ?? [], Number);
}

async function failureOf(work: () => unknown) {
  try {
    await work();
  } catch (error) {
    if (error instanceof EngineError) return error.failure;
    throw error;
  }
  throw new Error("It did not fail.");
}

/** One epoch of plain SGD whose loss is the program's first output. */
function plainSpec(program: Program, { arrays, rows }: TrainSpec["data"]["train"]): TrainSpec {
  const split = { arrays: { x: arrays.x ?? { file: "" } }, rows };
  return {
    version: 1,
    program: { ...program, outputs: program.outputs.map(({ value }) => ({ value, name: "loss" })) },
    metrics: [],
    data: { train: split, validation: split },
    optimizer: { kind: "SGD", momentum: 0, dampening: 0, weightDecay: 0, nesterov: false },
    lr: { base: 0.01, schedule: { kind: "constant" } },
    batchSize: rows,
    epochs: 1,
    shuffle: false,
    dropLast: false,
    seed: 0,
    device: "cpu",
    precision: "float32",
    channelsLast: false,
    gradClip: null,
    accumulate: 1,
    threads: 1,
    checkpoint: null,
    resumeFrom: null,
    startFrom: null,
    sampleRows: [],
  };
}

const square = call("mul.Tensor", [v(0), v(1)], 10);

describe("control flow", () => {
  it("takes the branch that the data say", async () => {
    const program = programOf(
      [
        call("mean", [v(0)], 10),
        call("gt.Scalar", [v(10), 0], 11),
        { op: "if", cond: 11, node: "if", out: [14], blocks: [block([], [call("mul.Scalar", [v(0), 2], 12)], [12]), block([], [call("mul.Scalar", [v(0), -1], 13)], [13])] },
      ],
      14,
    );
    expect(await compute(program, x(1, 2, 3))).toEqual([2, 4, 6]);
    expect(await compute(program, x(-1, -2, -3))).toEqual([1, 2, 3]);
  });

  const doubleWhileSmall = (maxIterations: number, limit: "fail" | "stop"): Op[] => [
    {
      op: "while",
      init: [0],
      maxIterations,
      limit,
      node: "loop",
      out: [20],
      blocks: [
        block([10], [call("max", [v(10)], 11), call("mul.Scalar", [v(11), -1], 12), call("gt.Scalar", [v(12), -100], 13)], [13]),
        block([14], [call("mul.Scalar", [v(14), 2], 15)], [15]),
      ],
    },
  ];

  it("goes on for as long as its condition holds", async () => {
    expect(await compute(programOf(doubleWhileSmall(50, "fail"), 20), x(1, 2, 3))).toEqual([64, 128, 192]);
    expect(await compute(programOf(doubleWhileSmall(3, "stop"), 20), x(1, 2, 3))).toEqual([8, 16, 24]);
  });

  it("fails by name where a loop reaches its limit", async () => {
    expect(await failureOf(() => compute(programOf(doubleWhileSmall(3, "fail"), 20), x(1, 2, 3)))).toMatchObject({ code: "LOOP_LIMIT", node: "loop" });
  });

  it("repeats a number of times, fixed or computed, and counts its turns", async () => {
    const body = block([10, 11], [call("to.dtype", [v(10), "float32"], 12), call("add.Tensor", [v(11), v(12)], 13)], [13]);
    expect(await compute(programOf([{ op: "repeat", init: [0], times: 4, maxIterations: 10, node: "r", out: [20], blocks: [body] }], 20), x(0, 1, 2))).toEqual([6, 7, 8]);
    const counted: Op[] = [
      call("max", [v(0)], 30),
      call("to.dtype", [v(30), "int64"], 31),
      { op: "repeat", init: [0], times: v(31), maxIterations: 10, node: "r", out: [20], blocks: [body] },
    ];
    expect(await compute(programOf(counted, 20), x(0, 1, 2))).toEqual([1, 2, 3]);
    expect(await failureOf(() => compute(programOf(counted, 20), x(0, 1, 11)))).toMatchObject({ code: "LOOP_LIMIT", node: "r" });
  });

  it("goes through a sequence and collects, also backwards", async () => {
    // The running sum of the columns of x, with the number of each.
    const sums = (reverse: boolean): Program =>
      programOf(
        [
          call("select.int", [v(0), 1, 0], 10),
          call("mul.Scalar", [v(10), 0], 11),
          {
            op: "repeat",
            init: [11],
            times: { size: [0, 1] },
            scan: [[0, 1]],
            stack: [1, 0],
            reverse,
            maxIterations: 10,
            node: "steps",
            out: [20, 21, 22],
            blocks: [block([12, 13, 14], [call("add.Tensor", [v(13), v(14)], 15), call("to.dtype", [v(12), "float32"], 16)], [15, 15, 16])],
          },
          call("unsqueeze", [v(20), 1], 23),
          call("expand", [v(22), { ints: [{ size: [0, 0] }, 3] }], 24),
          call("cat", [{ vs: [23, 21, 24] }, 1], 25),
        ],
        25,
      );
    expect(await compute(sums(false), x(1, 2, 4))).toEqual([7, 1, 3, 7, 0, 1, 2]);
    expect(await compute(sums(true), x(1, 2, 4))).toEqual([7, 7, 6, 4, 0, 1, 2]);
  });

  it("refuses to stack what never was, and slices that are not as many as turns", async () => {
    const steps = (times: number | { size: [number, number] }, scan?: [number, number][]): Op[] => [
      { op: "repeat", init: [], times, ...(scan ? { scan } : {}), stack: [0], maxIterations: 5, node: "steps", out: [20], blocks: [block(scan ? [10, 11] : [10], [], [10])] },
    ];
    expect(await failureOf(() => compute(programOf(steps(0), 20), x(1, 2, 3)))).toMatchObject({
      code: "OP_FAILED",
      node: "steps",
      message: expect.stringContaining("took no turn"),
    });
    expect(await failureOf(() => compute(programOf(steps(2, [[0, 1]]), 20), x(1, 2, 3)))).toMatchObject({
      code: "OP_FAILED",
      node: "steps",
      message: expect.stringContaining("2 turns, but what it goes through has 3 steps"),
    });
    expect(await failureOf(() => compute(programOf(steps({ size: [0, 1] }, [[0, 7]]), 20), x(1, 2, 3)))).toMatchObject({ node: "steps" });
  });

  const ways: Op[] = [
    call("select.int", [v(0), 1, 0], 10),
    call("to.dtype", [v(10), "int64"], 11),
    {
      op: "switch",
      index: 11,
      args: [0],
      node: "ways",
      out: [20],
      blocks: [
        block([12], [call("mul.Scalar", [v(12), 10], 13)], [13]),
        block([14], [call("sum.dim_IntList", [v(14), { ints: [0] }, true], 15), call("expand", [v(15), { ints: [{ size: [14, 0] }, 3] }], 16)], [16]),
        block([17], [call("sum", [v(17)], 18)], [18]),
      ],
    },
  ];

  it("sends each row its own way, all of one way together", async () => {
    // Case 1 sums over its rows, and so shows which it was given.
    expect(await compute(programOf(ways, 20), x(1, 1, 1, 0, 2, 3, 1, 10, 20))).toEqual([2, 11, 21, 0, 20, 30, 2, 11, 21]);
    expect(await compute(programOf(ways, 20), x(0, 1, 2))).toEqual([0, 10, 20]);
  });

  it("refuses a way that is not there, and one that loses rows, by sample", async () => {
    expect(await failureOf(() => compute(programOf(ways, 20), x(0, 1, 2, 3, 1, 2)))).toMatchObject({
      code: "OP_FAILED",
      node: "ways",
      message: '"ways" has cases 0 to 2, but the index of sample 1 is 3.',
    });
    expect(await failureOf(() => compute(programOf(ways, 20), x(-1, 1, 2)))).toMatchObject({ message: expect.stringContaining("sample 0 is -1") });
    expect(await failureOf(() => compute(programOf(ways, 20), x(2, 1, 2, 0, 0, 0)))).toMatchObject({
      node: "ways",
      message: expect.stringContaining("through case 2, which gave back []"),
    });
  });

  it("does in training what it is told to do in training", async () => {
    const program = programOf([{ op: "if", cond: { flag: "training" }, node: "if", out: [12], blocks: [block([], [], [0]), block([], [call("neg", [v(0)], 11)], [11])] }], 12);
    expect(await compute(program, x(1, 2, 3))).toEqual([-1, -2, -3]);
  });

  it("bounds loops within loops", async () => {
    const nest = (depth: number, first: number): Op => ({
      op: "repeat",
      init: [0],
      times: 1000,
      maxIterations: 1000,
      node: `r${depth}`,
      out: [first + 3],
      blocks: [block([first, first + 1], depth === 0 ? [call("relu", [v(first + 1)], first + 2)] : [nest(depth - 1, first + 10)], [depth === 0 ? first + 2 : first + 13])],
    });
    expect(await failureOf(() => compute(programOf([nest(2, 100)], 103), x(1, 2, 3)))).toMatchObject({ code: "LOOP_LIMIT" });
  });

  it("learns through branches and loops: the gradient is that of the way taken", async () => {
    // Turns and branches depend on the data, and each scales the gradient.
    const rows = writeRows(folder.path, "flow", { input: { dtype: "float32", shape: [3] }, vocabulary: 0, classes: 2 }, 8, 1);
    const flow = (weight: number[]): Program => {
      const program = programOf(
        [
          square,
          {
            op: "while",
            init: [10],
            maxIterations: 6,
            limit: "stop",
            node: "loop",
            out: [20],
            blocks: [
              block([11], [call("max", [v(11)], 12), call("mul.Scalar", [v(12), -1], 13), call("gt.Scalar", [v(13), -4], 14)], [14]),
              block([15], [call("mul.Scalar", [v(15), 2], 16)], [16]),
            ],
          },
          call("mean", [v(20)], 21),
          call("gt.Scalar", [v(21), 0], 22),
          { op: "if", cond: 22, node: "if", out: [25], blocks: [block([], [call("mul.Scalar", [v(21), 3], 23)], [23]), block([], [call("mul.Scalar", [v(21), -5], 24)], [24])] },
          call("mul.Tensor", [v(25), v(25)], 26),
        ],
        26,
      );
      return { ...program, weights: program.weights.map((w) => (w.name === "w" ? { ...w, init: { kind: "values", values: weight } } : w)) };
    };
    const start = [0.9, 1.1, 1.3];
    const spec: TrainSpec = { ...plainSpec(flow(start), rows), checkpoint: { folder: folder.path, everyMs: 0 } };
    const { result } = await trainAll(spec);
    const { tensors } = readSafetensors(readFileSync(result.file ?? ""), { only: (name) => name === "w" });
    const after = Array.from(tensors.get("w")?.data ?? [], Number);
    const bytes = readFileSync(rows.arrays.x?.file ?? "");
    const input: TensorData = {
      dtype: "float32",
      shape: [8, 3],
      data: new Float32Array(bytes.buffer.slice(bytes.byteOffset + bytes.length - 96, bytes.byteOffset + bytes.length)),
    };
    for (const [i, value] of start.entries()) {
      const h = 1e-2;
      const [up = 0] = await compute(flow(start.map((w, j) => (j === i ? w + h : w))), input);
      const [down = 0] = await compute(flow(start.map((w, j) => (j === i ? w - h : w))), input);
      // One step of rate 0.01; the loss is a square, so central differences are exact but for float32.
      expect((value - (after[i] ?? 0)) / 0.01).toBeCloseTo((up - down) / (2 * h), 2);
    }
  });
});

describe("a program is refused", () => {
  const refuse = (ops: Op[], output = 10) => failureOf(() => checkProgram(programOf(ops, output)));

  it.each<[string, Op[], string, RegExp]>([
    ["that calls what is not admitted", [call("from_file", ["/etc/passwd"], 10, "evil")], "OP_NOT_ALLOWED", /from_file/],
    ["that calls what libtorch lacks", [call("no_such_thing", [v(0)], 10, "n")], "OP_NOT_ALLOWED", /no_such_thing/],
    ["that reads a value before it is written", [call("relu", [v(11)], 10)], "PROGRAM_INVALID", /ops\[0\]\.args\[0\]\.v: value 11 is not known here/],
    ["that writes a value twice", [call("relu", [v(0)], 1)], "PROGRAM_INVALID", /value 1 is written a second time/],
    ["that gives too few arguments", [call("linear", [v(0)], 10)], "PROGRAM_INVALID", /argument "weight" of aten::linear is missing/],
    ["that gives too many", [call("relu", [v(0), 1], 10)], "PROGRAM_INVALID", /2 arguments where aten::relu takes 1/],
    ["that gives a number for a tensor", [call("relu", [1], 10)], "PROGRAM_INVALID", /argument "self" must be Tensor/],
    ["that gives a broken dtype", [call("to.dtype", [v(0), "float99"], 10)], "PROGRAM_INVALID", /"float99" is none of float32/],
    ["that writes to its data", [call("add_.Scalar", [v(0), 1], 10)], "PROGRAM_INVALID", /must be a weight that is not trained/],
    [
      "that keeps averages in what is trained",
      [call("batch_norm", [v(0), null, null, v(1), v(1), true, 0.1, 1e-5, true], 10)],
      "PROGRAM_INVALID",
      /must be a weight that is not trained/,
    ],
    [
      "that looks out of a block",
      [{ op: "repeat", init: [0], times: 1, maxIterations: 1, node: "r", out: [12], blocks: [block([13, 14], [call("relu", [v(14)], 15)], [15])] }, call("relu", [v(15)], 10)],
      "PROGRAM_INVALID",
      /value 15 is not known here/,
    ],
    [
      "whose loop yields more than it carries",
      [{ op: "repeat", init: [0], times: 1, maxIterations: 1, node: "r", out: [10], blocks: [block([13, 14], [], [14, 14])] }],
      "PROGRAM_INVALID",
      /2 values where the block yields 1/,
    ],
    [
      "whose loop stacks what its block does not yield",
      [{ op: "repeat", init: [0], times: 1, stack: [0], maxIterations: 1, node: "r", out: [10, 11], blocks: [block([13, 14], [], [14])] }],
      "PROGRAM_INVALID",
      /1 values where the block yields 2/,
    ],
    [
      "whose ways take other values than are handed out",
      [{ op: "switch", index: 0, args: [0, 1], node: "s", out: [10], blocks: [block([13], [], [13])] }],
      "PROGRAM_INVALID",
      /1 values where the block takes 2/,
    ],
    [
      "that asks for another flag",
      [{ op: "if", cond: { flag: "weekend" } as unknown as { flag: "training" }, node: "i", out: [], blocks: [block([], [], []), block([], [], [])] }],
      "PROGRAM_INVALID",
      /is none of training/,
    ],
  ])("%s", async (_, ops, code, message) => {
    const failure = await refuse(ops);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("that nests too deep, is too long, or is no program at all", async () => {
    let ops: Op[] = [call("relu", [v(0)], 10)];
    for (let i = 0; i < 40; i++) ops = [{ op: "if", cond: 0, node: "n", out: [], blocks: [block([], ops, []), block([], [], [])] }];
    expect(await refuse(ops, 0)).toMatchObject({ code: "PROGRAM_INVALID", message: expect.stringMatching(/24 blocks within one another/) });
    const wrong: unknown[] = [null, [], {}, { ...programOf([], 0), version: 2 }, { ...programOf([], 0), extra: 1 }, { ...programOf([], 0), ops: {} }];
    for (const document of wrong) expect(await failureOf(() => checkProgram(document as Program))).toMatchObject({ code: "PROGRAM_INVALID" });
  });

  it("at run time by node, operator and both shapes", async () => {
    const failure = await failureOf(() =>
      compute(programOf([call("reshape", [v(1), { ints: [1, 3] }], 10), call("matmul", [v(0), v(10)], 11, "product")], 11), x(1, 2, 3, 4, 5, 6)),
    );
    expect(failure).toMatchObject({
      code: "SHAPE_MISMATCH",
      node: "product",
      op: "aten::matmul",
      shapes: [
        [2, 3],
        [1, 3],
      ],
    });
    expect(failure.message).toContain("[2, 3]");
  });

  it("where it wants more memory than there is, without touching it", async () => {
    const failure = await failureOf(() => compute(programOf([call("new_zeros", [v(0), { ints: [1_000_000, 1_000_000] }], 10, "huge")], 10), x(1, 2, 3)));
    expect(failure).toMatchObject({ code: "OUT_OF_MEMORY", node: "huge" });
  });

  it("where its inputs are of another shape or type, or missing", async () => {
    const program = programOf([square], 10);
    expect(await failureOf(() => run({ program, weights: { seed: 0 }, inputs: { x: { dtype: "float32", shape: [2, 4], data: new Float32Array(8) } } }))).toMatchObject({
      code: "DATA_MISMATCH",
      node: "x",
    });
    expect(await failureOf(() => run({ program, weights: { seed: 0 }, inputs: { x: { dtype: "uint8", shape: [2, 3], data: new Uint8Array(6) } } }))).toMatchObject({
      code: "DATA_MISMATCH",
    });
    expect(await failureOf(() => run({ program, weights: { seed: 0 }, inputs: {} }))).toMatchObject({ code: "DATA_MISMATCH" });
    expect(await failureOf(() => run({ program, weights: { seed: 0 }, inputs: { x: { dtype: "float32", shape: [2, 3], data: new Float32Array(5) } } }))).toMatchObject({
      code: "DATA_MISMATCH",
    });
  });
});

describe("an array file", () => {
  const good = () => {
    const { arrays } = writeRows(folder.path, "npy", { input: { dtype: "float32", shape: [3] }, vocabulary: 0, classes: 2 }, 4, 1);
    return readFileSync(arrays.x?.file ?? "");
  };
  const header = (text: string, data = Buffer.alloc(48)) => {
    const padded = `${text.padEnd(117)}\n`;
    return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), Buffer.from([118, 0]), Buffer.from(padded, "latin1"), data]);
  };
  const cases: [string, () => Buffer][] = [
    ["is empty", () => Buffer.alloc(0)],
    ["is something else", () => Buffer.from("PK\x03\x04 not an array at all")],
    ["is cut off", () => good().subarray(0, -1)],
    ["is longer than it says", () => Buffer.concat([good(), Buffer.alloc(4)])],
    ["is in Fortran's order", () => header("{'descr': '<f4', 'fortran_order': True, 'shape': (4, 3), }")],
    ["holds objects", () => header("{'descr': '|O', 'fortran_order': False, 'shape': (4, 3), }")],
    ["is big-endian", () => header("{'descr': '>f4', 'fortran_order': False, 'shape': (4, 3), }")],
    ["has a negative size", () => header("{'descr': '<f4', 'fortran_order': False, 'shape': (-4, 3), }")],
    ["has a size beyond all memory", () => header("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }")],
    ["has no shape", () => header("{'descr': '<f4', 'fortran_order': False, }")],
    ["has code in its header", () => header("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3), 'x': __import__('os')}")],
    ["has a header that ends nowhere", () => Buffer.from("\x93NUMPY\x01\x00\xff\xff{'descr'", "latin1")],
    ["has too few rows", () => header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }", Buffer.alloc(36))],
    ["is of another type", () => header("{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }")],
  ];

  it.each(cases)("that %s is refused by name", async (_, bytes) => {
    const rows = writeRows(folder.path, "npy", { input: { dtype: "float32", shape: [3] }, vocabulary: 0, classes: 2 }, 4, 1);
    const file = join(folder.path, "broken.npy");
    writeFileSync(file, bytes());
    const program = programOf([square, call("mean", [v(10)], 11)], 11);
    const spec = plainSpec(program, rows);
    const failure = await failureOf(() => trainAll({ ...spec, data: { train: { arrays: { x: { file } }, rows: 4 }, validation: spec.data.validation } }));
    expect(failure).toMatchObject({ code: "DATA_MISMATCH", message: expect.stringContaining("broken.npy") });
  });
});

describe("the list of admitted operators", () => {
  it("is what core lowers to, no more and no less", () => {
    const list = readFileSync(new URL("../../native/src/engine/operators.cc", import.meta.url), "utf8");
    const admitted = [...(list.split("kAllowed")[1]?.split("});")[0] ?? "").matchAll(/"(aten::[\w.]+)"/g)].map(([, name = ""]) => name);
    expect(admitted).toEqual([...new Set(admitted)].sort());
    // What is written out in core, and what comes out of its families of layers and functions.
    const written = new Set<string>();
    for (const path of readdirSync(new URL("../../core", import.meta.url), { recursive: true, encoding: "utf8" })) {
      if (!path.endsWith(".ts")) continue;
      for (const [, name = ""] of readFileSync(new URL(`../../core/${path}`, import.meta.url), "utf8").matchAll(/["`](aten::[\w.]+)["`]/g)) written.add(name);
    }
    const lowered = new Set<string>();
    for (const [, make] of [...layerCases(), ...templateCases()]) collectOperators(make().program, lowered);
    for (const [text] of expressionCases) collectOperators(lowerModel(trialOf(text).graph), lowered);
    expect([...lowered].filter((name) => !admitted.includes(name))).toEqual([]);
    expect(admitted.filter((name) => !written.has(name) && !lowered.has(name))).toEqual([]);
  });
});

function collectOperators(value: unknown, into: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === "op" && typeof inner === "string" && inner.startsWith("aten::")) into.add(inner);
    else collectOperators(inner, into);
  }
}

describe("damaged programs", () => {
  it("never crash the engine's reader", async () => {
    const random = randomNumbers(5);
    const text = JSON.stringify(
      programOf([square, { op: "repeat", init: [10], times: 2, maxIterations: 3, node: "r", out: [20], blocks: [block([11, 12], [call("relu", [v(12)], 13)], [13])] }], 20),
    );
    for (let i = 0; i < 500; i++) {
      const at = Math.floor(random() * text.length);
      const damaged = text.slice(0, at) + String.fromCharCode(32 + Math.floor(random() * 95)) + text.slice(at + 1 + Math.floor(random() * 3));
      let program: unknown;
      try {
        program = JSON.parse(damaged);
      } catch {
        continue;
      }
      try {
        checkProgram(program as Program);
      } catch (error) {
        expect(error).toBeInstanceOf(EngineError);
      }
    }
  });
});
