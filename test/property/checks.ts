import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { exportOnnx } from "../../core/export/onnx.ts";
import { exportPyTorch } from "../../core/export/pytorch.ts";
import { readSafetensors, writeSafetensors } from "../../core/export/safetensors.ts";
import { countElements, type Tensor, tensorOf } from "../../core/export/tensor.ts";
import { type Checked, checkGraph } from "../../core/graph/check.ts";
import { GraphInvalid } from "../../core/graph/fold.ts";
import type { TensorType } from "../../core/graph/shape.ts";
import { importOnnx } from "../../core/import/onnx.ts";
import { findLayer } from "../../core/layers/index.ts";
import { bodyOutputs } from "../../core/layers/output.ts";
import { lowerModel } from "../../core/program/lower.ts";
import type { Block, Op, Program } from "../../core/program/program.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { run, train } from "../../native/index.ts";
import { randomNumbers } from "../native/specs.ts";
import { type Case, makeCase } from "../parity/cases.ts";
import { type Binding, sizeAt, type Trial } from "./candidate.ts";
import type { Gradients, Peer } from "./peer.ts";

/** What is held against each accepted case. */
export const CHECKS = ["shapes", "PyTorch", "gradients", "ONNX Runtime"] as const;
export type Check = (typeof CHECKS)[number];

/** `left`: why the check says nothing about this case. */
export type Outcome = "held" | { left: string } | { failed: string };
export type Report = { accepted: false; problem: string } | { accepted: true; outcomes: { [check in Check]: Outcome } };

/** Largest difference of numbers that should be the same, as a share of the largest among them where that is above 1. */
const TOLERANCE = 1e-4;
/** Beyond this many numbers on its wires, a case would take longer than it is worth. */
const MOST_ELEMENTS = 300_000;
const MOST_MULTIPLY_ADDS = 3e7;

const RANDOM = "draws new numbers on every pass";

type Made = { at: number; one: Case; checked: Checked; bindings: Binding[]; isRandom: boolean; isLong: boolean; projections: (Tensor | null)[] };

/**
 * Tries each: a graph with problems must not come through to anything that would run it, and one without must run everywhere, with
 * the sizes that were inferred and the same numbers.
 */
export async function tryAll(trials: readonly (Trial & { bindings: readonly Binding[]; seed: number })[], peer: Peer | null, folder: string): Promise<Report[]> {
  const reports: Report[] = [];
  const made: Made[] = [];
  for (const [at, trial] of trials.entries()) {
    const checked = checkGraph(trial.graph);
    const problem = checked.problems.find(({ severity }) => severity === "error");
    if (problem) {
      reports[at] = { accepted: false, problem: problem.message };
      requireRefusal(trial);
      continue;
    }
    const bindings = trial.bindings.filter((binding) => trial.fits(binding) && canRun(checked, binding));
    if (bindings.length === 0) {
      reports[at] = { accepted: false, problem: "too large to try, or too small for the sizes at hand" };
      continue;
    }
    const outcomes = Object.fromEntries(CHECKS.map((check): [Check, Outcome] => [check, { left: "not tried" }])) as { [check in Check]: Outcome };
    reports[at] = { accepted: true, outcomes };
    try {
      const one = makeCase(String(trial.seed), trial.graph, bindings.map(trial.draw));
      const isRandom = [...checked.order].some((path) => findLayer(nodeTypeAt(trial, path))?.random);
      made.push({ at, one, checked, bindings, isRandom, isLong: trial.isLong ?? false, projections: projectionsOf(one.program, checked, trial, bindings[0]) });
    } catch (cause) {
      outcomes.shapes = { failed: `it cannot be lowered: ${messageOf(cause)}` };
    }
  }
  const outcomesOf = ({ at }: Made) => {
    const report = reports[at];
    if (!report?.accepted) throw new Error("What was made was accepted.");
    return report.outcomes;
  };
  // Python computes while the engine and ONNX Runtime do.
  const asked = peer && askPeer(made, peer);
  const computed = new Map<Made, { [name: string]: Tensor }[]>();
  for (const one of made) {
    const results = await runEngine(one, join(folder, "weights.safetensors"));
    const outcomes = outcomesOf(one);
    outcomes.shapes = "failed" in results ? results : "held";
    if ("failed" in results) continue;
    computed.set(one, results.outputs);
    if (one.isRandom) outcomes["ONNX Runtime"] = { left: RANDOM };
    else outcomes["ONNX Runtime"] = await compareOnnx(one, results.outputs, one.isLong ? await measureNoise(one, results.outputs, join(folder, "weights.safetensors")) : {});
  }
  for (const [i, answer] of ((await asked) ?? []).entries()) {
    const one = made[i];
    const outputs = one && computed.get(one);
    if (!one || !outputs) continue;
    const outcomes = outcomesOf(one);
    if ("error" in answer) outcomes.PyTorch = { failed: `Python: ${answer.error}` };
    else if (one.isRandom) outcomes.PyTorch = outcomes.gradients = { left: RANDOM };
    else {
      outcomes.PyTorch = compareOutputs(one, outputs, answer.outputs);
      if (answer.gradients) outcomes.gradients = await compareGradients(one, answer.gradients, folder);
    }
  }
  return reports;
}

/** The failures of a report in words; none where all held. */
export function failuresOf(report: Report | undefined): string[] {
  if (!report?.accepted) return [];
  return CHECKS.flatMap((check) => {
    const outcome = report.outcomes[check];
    return typeof outcome === "object" && "failed" in outcome ? [`${check}: ${outcome.failed}`] : [];
  });
}

/** @throws Error where anything that runs a graph takes one with problems. */
export function requireRefusal({ graph }: Pick<Trial, "graph">): void {
  for (const take of [() => lowerModel(graph), () => exportPyTorch(graph), () => exportOnnx(graph, new Map())]) {
    try {
      take();
    } catch (cause) {
      if (cause instanceof GraphInvalid) continue;
      throw new Error("A graph with problems fails otherwise than by being refused.", { cause });
    }
    throw new Error("A graph with problems is taken as if it had none.");
  }
}

function nodeTypeAt({ graph }: Trial, path: string): string {
  return graph.nodes.find(({ id }) => id === path)?.type ?? "";
}

/** Whether all sizes exist at these numbers, and are small enough to be tried. */
function canRun(checked: Checked, binding: Binding): boolean {
  let elements = 0;
  for (const { outputs } of checked.types.values()) {
    for (const { shape } of Object.values(outputs)) {
      const sizes = shape.map((size) => sizeAt(size, binding));
      if (sizes.some((size) => size < 1)) return false;
      elements += countElements(sizes);
    }
  }
  for (const plan of checked.weights.values()) for (const { shape } of Object.values(plan)) elements += countElements(shape);
  return elements <= MOST_ELEMENTS && checked.totals.multiplyAdds <= MOST_MULTIPLY_ADDS;
}

/** For each output of numbers, in order of names, as many numbers as it has; null for the others. */
function projectionsOf(program: Program, checked: Checked, { graph, inputs }: Trial, binding: Binding | undefined): (Tensor | null)[] {
  const random = randomNumbers(inputs.size + 11);
  return outputTypes(program, checked, graph).map(({ type }) => {
    if (type.dtype !== "float32") return null;
    const shape = type.shape.map((size) => sizeAt(size, binding ?? { B: 1, T: 1 }));
    return tensorOf(
      "float32",
      shape,
      Array.from({ length: countElements(shape) }, () => random() * 2 - 1),
    );
  });
}

/** Outputs in the order of their names, in which Python gives them. */
function outputTypes(program: Program, checked: Checked, graph: Trial["graph"]): { name: string; value: number; type: TensorType }[] {
  return bodyOutputs(graph)
    .flatMap(({ name, node }) => {
      const type = checked.types.get(node.id)?.inputs.x;
      const output = program.outputs.find((output) => output.name === name);
      return type && !Array.isArray(type) && output ? [{ name, value: output.value, type }] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function runEngine({ one, checked, bindings }: Made, file: string): Promise<{ outputs: { [name: string]: Tensor }[] } | { failed: string }> {
  writeFileSync(file, writeSafetensors(one.weights));
  const outputs: { [name: string]: Tensor }[] = [];
  const types = outputTypes(one.program, checked, one.graph);
  for (const [i, inputs] of one.inputs.entries()) {
    const binding = bindings[i] ?? { B: 1, T: 1 };
    try {
      const results = await run({ program: one.program, weights: { file }, inputs });
      for (const { name, type } of types) {
        const result = results[name];
        const inferred = `${type.dtype} [${type.shape.map((size) => sizeAt(size, binding))}]`;
        const came = result ? `${result.dtype} [${result.shape}]` : "nothing";
        if (inferred !== came) return { failed: `${name} is inferred as ${inferred} and comes as ${came} at ${JSON.stringify(binding)}` };
      }
      outputs.push(results);
    } catch (cause) {
      return { failed: `the engine at ${JSON.stringify(binding)}: ${messageOf(cause)}` };
    }
  }
  return { outputs };
}

/**
 * How much the outputs of a batch move where its inputs do by the last digits of float32: what two runtimes may differ by, whose
 * sums are taken in other orders. `null` for outputs that are not finite.
 */
async function measureNoise(made: Made, outputs: { [name: string]: Tensor }[], file: string): Promise<{ [name: string]: number | null }> {
  const random = randomNumbers(made.at);
  const shaken = made.one.inputs.map((inputs) =>
    Object.fromEntries(
      Object.entries(inputs).map(([name, tensor]): [string, Tensor] => [
        name,
        tensor.dtype === "float32" ? { ...tensor, data: tensor.data.map((value) => value * (1 + (random() < 0.5 ? 1e-6 : -1e-6))) } : tensor,
      ]),
    ),
  );
  const moved = await runEngine({ ...made, one: { ...made.one, inputs: shaken } }, file);
  if ("failed" in moved) throw new Error(`What runs does not run with inputs that are hardly different: ${moved.failed}`);
  const noise: { [name: string]: number | null } = {};
  for (const [i, results] of outputs.entries()) {
    for (const [name, { data }] of Object.entries(results)) {
      const isWhole = Array.from<number | bigint, number>(data, Number).every(Number.isFinite);
      const before = noise[name];
      noise[name] = !isWhole || before === null ? null : Math.max(before ?? 0, greatestDifference(data, moved.outputs[i]?.[name]?.data ?? []));
    }
  }
  return noise;
}

async function compareOnnx({ one }: Made, ours: { [name: string]: Tensor }[], noise: { [name: string]: number | null }): Promise<Outcome> {
  try {
    const bytes = exportOnnx(one.graph, one.weights);
    const back = importOnnx(bytes);
    if (!back.ok || back.from !== "document" || !isDeepStrictEqual(back.graph, JSON.parse(JSON.stringify(one.graph))))
      return { failed: `it does not come back as the same graph: ${back.ok ? back.from : back.message}` };
    const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 });
    try {
      for (const [i, inputs] of one.inputs.entries()) {
        // What no output depends on is no input of the model.
        const feeds = Object.fromEntries(session.inputNames.map((name) => [name, toOrt(inputs[name])]));
        const theirs = await session.run(feeds);
        for (const [name, output] of Object.entries(ours[i] ?? {})) {
          const their = theirs[name];
          if (!their || their.type !== output.dtype || their.dims.join() !== output.shape.join())
            return { failed: `${name} is ${output.dtype} [${output.shape}] and there ${their?.type} [${their?.dims}]` };
          const allowed = noise[name] === undefined ? TOLERANCE : noise[name] === null ? Infinity : TOLERANCE + 10 * noise[name];
          const difference = greatestDifference(output.data, their.data as ArrayLike<number | bigint>);
          if (!(difference <= allowed)) return { failed: `${name} differs by ${difference}` };
        }
      }
    } finally {
      await session.release();
    }
    return "held";
  } catch (cause) {
    return { failed: messageOf(cause) };
  }
}

function toOrt(tensor: Tensor | undefined): OrtTensor {
  if (!tensor) throw new Error("The model asks for an input that the graph does not have.");
  return new OrtTensor(tensor.dtype, tensor.data, tensor.shape);
}

function askPeer(made: readonly Made[], peer: Peer) {
  return peer.ask(
    made.map(({ one, isRandom, projections }) => ({
      code: exportPyTorch(one.graph, { className: "Net" }),
      weights: one.weights,
      batches: one.inputs.map((inputs) => one.program.inputs.map(({ name }) => inputs[name] as Tensor)),
      projections: isRandom ? null : projections,
    })),
  );
}

function compareOutputs({ one, checked }: Made, ours: { [name: string]: Tensor }[], theirs: Tensor[][]): Outcome {
  const types = outputTypes(one.program, checked, one.graph);
  for (const [i, results] of ours.entries()) {
    for (const [at, { name }] of types.entries()) {
      const failed = compareTensors(name, results[name], theirs[i]?.[at]);
      if (failed) return { failed };
    }
  }
  return "held";
}

function compareTensors(name: string, ours: Tensor | undefined, theirs: Tensor | undefined): string | null {
  if (!ours || !theirs || ours.dtype !== theirs.dtype || ours.shape.join() !== theirs.shape.join())
    return `${name} is ${ours?.dtype} [${ours?.shape}] and there ${theirs?.dtype} [${theirs?.shape}]`;
  const difference = greatestDifference(ours.data, theirs.data);
  return difference <= TOLERANCE ? null : `${name} differs by ${difference}`;
}

/** The largest |a − b|, as a share of the largest finite |a| where that is above 1; numbers that are not finite must be the same. */
function greatestDifference(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): number {
  if (a.length !== b.length) return Infinity;
  let difference = 0;
  let scale = 1;
  for (let i = 0; i < a.length; i++) {
    const [ours, theirs] = [Number(a[i]), Number(b[i])];
    if (Number.isFinite(ours) && Number.isFinite(theirs)) {
      difference = Math.max(difference, Math.abs(ours - theirs));
      scale = Math.max(scale, Math.abs(ours));
    } else if (!Object.is(ours, theirs)) return Infinity;
  }
  return difference / scale;
}

/** The gradients that one step of SGD leaves in its momentum, at a learning rate of 0; inputs of numbers stand among the weights. */
async function compareGradients(made: Made, theirs: Gradients, folder: string): Promise<Outcome> {
  if ("left" in theirs) return theirs;
  const { one } = made;
  const inputs = one.inputs[0] ?? {};
  const inside = join(folder, "gradients");
  mkdirSync(inside, { recursive: true });
  const file = join(inside, "start.safetensors");
  writeFileSync(file, writeSafetensors(new Map([...one.weights, ...Object.entries(inputs).map(([name, tensor]): [string, Tensor] => [inputName(name), tensor])])));
  try {
    const result = await train(gradientSpec(made, theirs.mode === "train", inside, file), () => {}).done;
    const { tensors } = readSafetensors(readFileSync(result.file ?? ""), { only: (name) => !name.startsWith("random/") });
    const gradient = (name: string) => tensors.get(`optimizer/${name}/momentum_buffer`);
    for (const [i, { name }] of one.program.inputs.entries()) {
      const failed = compareGradient(name, gradient(inputName(name)), theirs.inputs[i] ?? null);
      if (failed) return { failed: `${theirs.mode}: ${failed}` };
    }
    for (const [name, their] of Object.entries(theirs.weights)) {
      const failed = compareGradient(name, gradient(name), their);
      if (failed) return { failed: `${theirs.mode}: ${failed}` };
    }
    for (const [name, their] of Object.entries(theirs.mode === "train" ? theirs.buffers : {})) {
      const failed = compareTensors(name, tensors.get(name), their);
      if (failed) return { failed: `after a step ${failed}` };
    }
    return "held";
  } catch (cause) {
    return { failed: `${theirs.mode}: ${messageOf(cause)}` };
  } finally {
    rmSync(inside, { recursive: true, force: true });
  }
}

/** No gradient is the same as one of zeros. */
function compareGradient(name: string, ours: Tensor | undefined, theirs: Tensor | null): string | null {
  if (!ours && !theirs) return null;
  const zeros = (like: Tensor) => tensorOf(like.dtype, like.shape, new Array<number>(like.data.length).fill(0));
  return compareTensors(`the gradient of ${name}`, ours ?? (theirs ? zeros(theirs) : undefined), theirs ?? (ours ? zeros(ours) : undefined));
}

function inputName(name: string): string {
  return `the input ${name}`;
}

function gradientSpec({ one: { program, inputs }, checked, one, projections }: Made, isTraining: boolean, folder: string, startFrom: string): TrainSpec {
  let next = 1 + highestValue(program);
  const weights: Program["weights"] = program.inputs.map(({ value, name, node }) => {
    const { dtype, shape } = inputs[0]?.[name] ?? { dtype: "float32", shape: [] };
    return { value, name: inputName(name), dtype, shape, init: { kind: "constant", value: 0 }, trainable: dtype === "float32", node };
  });
  weights.push(...program.weights);
  const constant = (dtype: "float32" | "bool", shape: number[], values: number[]) => {
    const value = next++;
    weights.push({ value, name: `constant ${value}`, dtype, shape, init: { kind: "values", values }, trainable: false, node: "test" });
    return value;
  };
  const ops = isTraining ? [...program.ops] : settle(program.ops, constant("bool", [], [0]));
  const call = (op: string, args: number[]) => {
    ops.push({ op, args: args.map((v) => ({ v })), out: [next], node: "test" });
    return next++;
  };
  let loss: number | null = null;
  for (const [i, { value }] of outputTypes(program, checked, one.graph).entries()) {
    const projection = projections[i];
    if (!projection) continue;
    const part = call("aten::sum", [call("aten::mul.Tensor", [value, constant("float32", projection.shape, Array.from(projection.data, Number))])]);
    loss = loss === null ? part : call("aten::add.Tensor", [loss, part]);
  }
  const split = { arrays: {}, rows: 1 };
  return {
    version: 1,
    program: { version: 1, inputs: [], weights, ops, outputs: [{ name: "loss", value: loss ?? 0 }] },
    metrics: [],
    data: { train: split, validation: split },
    optimizer: { kind: "SGD", momentum: 0.9, dampening: 0, weightDecay: 0, nesterov: false },
    lr: { base: 0, schedule: { kind: "constant" } },
    batchSize: 1,
    epochs: 1,
    shuffle: false,
    dropLast: false,
    seed: 1,
    device: "cpu",
    precision: "float32",
    channelsLast: false,
    gradClip: null,
    accumulate: 1,
    threads: 1,
    checkpoint: { folder, everyMs: 0 },
    resumeFrom: null,
    startFrom,
    sampleRows: [],
  };
}

/** The ops as they are outside training, for a step of training: `no` is a value that is false. */
function settle(ops: readonly Op[], no: number): Op[] {
  return ops.map((op) => {
    if ("blocks" in op) {
      const blocks = op.blocks.map((block: Block) => ({ ...block, ops: settle(block.ops, no) }));
      return ("cond" in op && typeof op.cond === "object" ? { ...op, cond: no, blocks } : { ...op, blocks }) as Op;
    }
    // A flag stands for a number where an operator wants one.
    const off = op.op.includes("Scalar") ? 0 : false;
    return { ...op, args: op.args.map((arg) => (typeof arg === "object" && arg !== null && "flag" in arg ? off : arg)) };
  });
}

function highestValue(program: Program): number {
  const inOps = (ops: readonly Op[]): number =>
    ops.reduce((most, op) => Math.max(most, ...op.out, ...("blocks" in op ? op.blocks.map((block: Block) => Math.max(0, ...block.inputs, inOps(block.ops))) : [])), 0);
  return Math.max(0, ...program.inputs.map(({ value }) => value), ...program.weights.map(({ value }) => value), inOps(program.ops));
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
