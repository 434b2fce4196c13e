/**
 * Samples per second of the engine and of the same PyTorch in Python, in one run on the same machine with the
 * same number of threads, taking turns. Says first whether both see the same losses.
 *
 *     node test/bench/train.ts [--repeats 5] [--threads N] [--only LeNet-5]
 *
 * Prints a table, then one JSON line per network.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { z } from "zod";
import { exportPyTorch } from "../../core/export/pytorch.ts";
import { lowerTraining } from "../../core/program/lower.ts";
import { findLoss } from "../../core/training/losses/index.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { info } from "../../native/index.ts";
import { pointsOf, specOf, temporaryFolder, trainAll } from "../native/specs.ts";
import { missingOracles, oracleEnv } from "../oracle.ts";
import { type Arrays, type Contender, contenders, writeCharacters, writeDigits } from "./networks.ts";

const { values: options } = parseArgs({
  options: { repeats: { type: "string", default: "5" }, threads: { type: "string", default: String(availableParallelism()) }, only: { type: "string" } },
});
const repeats = Number(options.repeats);
const threads = Number(options.threads);
const SEED = 3;
const LR = 1e-3;
/** Steps whose losses are compared before anything is timed. */
const COMPARED = 30;

const Answer = z.object({ seconds: z.number(), samples: z.number(), losses: z.array(z.number()) });
type Row = { network: string; engine: number; tuned: number; stock: number; toTuned: number; toStock: number; lossDifference: number; threads: number };
type Order = { mode: "tuned" | "stock"; steps: number; shuffle: boolean };

/** Python stays up, so that importing PyTorch costs no run anything. */
function startRivals() {
  const child = spawn("python3", [join(import.meta.dirname, "rivals.py")], { env: oracleEnv, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "exit").then(() => Promise.reject(new Error("The Python side ended.")));
  // It ends when it is told to, too, with nobody waiting.
  ended.catch(() => {});
  return {
    async run(contender: Contender, arrays: Arrays, order: Order) {
      const { mean, std, dtype } = arrays.preprocess;
      const scale = dtype === "uint8" ? { mean: mean[0], std: std[0] } : null;
      const answer = once(lines, "line");
      child.stdin.write(
        `${JSON.stringify({ ...order, module: exportPyTorch(contender.graph), files: arrays.files, scale, batch: contender.batchSize, lr: LR, seed: SEED, threads })}\n`,
      );
      const [line] = await Promise.race([answer, ended]);
      return Answer.parse(JSON.parse(String(line)));
    },
    stop: () => child.stdin.end(),
  };
}

/** The engine's spec for a number of steps; `rows` are cut so that an epoch is no longer than that. */
function specFor(contender: Contender, arrays: Arrays, steps: number, shuffle: boolean): TrainSpec {
  const perEpoch = Math.min(steps, Math.floor(arrays.rows / contender.batchSize));
  const { program } = lowerTraining(contender.graph, {
    // Characters are numbers of an alphabet: nothing to scale.
    preprocess: arrays.preprocess.dtype === "uint8" ? arrays.preprocess : undefined,
    loss: findLoss("CrossEntropyLoss"),
    metrics: [],
    target: { classes: arrays.classes, type: { dtype: "int64", shape: ["B", ...arrays.targetShape] } },
  });
  const [input] = program.inputs;
  if (!input) throw new Error("A network has an input.");
  const split = (rows: number) => ({ arrays: { [input.name]: { file: arrays.files.x }, target: { file: arrays.files.target } }, rows });
  return {
    ...specOf(contender, { train: split(perEpoch * contender.batchSize), validation: split(contender.batchSize) }),
    program,
    metrics: [],
    optimizer: { kind: "AdamW", betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01, amsgrad: false },
    lr: { base: LR, schedule: { kind: "constant" } },
    batchSize: contender.batchSize,
    epochs: Math.ceil(steps / perEpoch),
    dropLast: true,
    shuffle,
    seed: SEED,
    threads,
  };
}

/** Time from the first step to the end, with the evaluation of one batch after every epoch. */
async function runOurs(contender: Contender, arrays: Arrays, steps: number, shuffle: boolean) {
  const { events } = await trainAll(specFor(contender, arrays, steps, shuffle));
  const last = events.findLast((event) => event.type === "progress");
  if (!last) throw new Error("A run ends by saying how far it came.");
  return { seconds: last.elapsedMs / 1000, samples: last.step * contender.batchSize, losses: pointsOf(events, "train/loss").map(([, loss]) => loss ?? Number.NaN) };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

const missing = missingOracles("torch", "numpy");
if (missing.length > 0) {
  console.log(`No comparison: Python has no ${missing.join(" and no ")}.`);
  process.exit(0);
}
const folder = temporaryFolder();
const rivals = startRivals();
try {
  const arrays = { digits: await writeDigits(folder.path), characters: writeCharacters(folder.path) };
  console.log(`libtorch ${info().libtorch} on ${threads} threads; AdamW; medians of ${repeats} runs that take turns; samples per second\n`);
  console.log("network             engine    tuned    stock   engine/tuned  engine/stock   largest loss difference");
  const rows: Row[] = [];
  for (const contender of contenders) {
    if (options.only && contender.name !== options.only) continue;
    const data = arrays[contender.data];
    const ours = await runOurs(contender, data, COMPARED, false);
    const theirs = await rivals.run(contender, data, { mode: "tuned", steps: COMPARED, shuffle: false });
    const difference = Math.max(...ours.losses.map((loss, i) => Math.abs(loss - (theirs.losses[i] ?? Number.NaN)) / loss));
    const speeds: { ours: number[]; tuned: number[]; stock: number[] } = { ours: [], tuned: [], stock: [] };
    const runs = {
      ours: () => runOurs(contender, data, contender.steps, true),
      tuned: () => rivals.run(contender, data, { mode: "tuned", steps: contender.steps, shuffle: true }),
      stock: () => rivals.run(contender, data, { mode: "stock", steps: contender.steps, shuffle: true }),
    };
    for (let repeat = 0; repeat < repeats; repeat++) {
      // Forwards and backwards by turns, so that none always runs first on a machine that has just rested.
      const turn = ["ours", "tuned", "stock"] as const;
      for (const who of repeat % 2 === 0 ? turn : turn.toReversed()) {
        const { samples, seconds } = await runs[who]();
        speeds[who].push(samples / seconds);
      }
    }
    const row: Row = {
      network: contender.name,
      engine: median(speeds.ours),
      tuned: median(speeds.tuned),
      stock: median(speeds.stock),
      // Ratios of neighbours, so that a slow minute of the machine slows both.
      toTuned: median(speeds.ours.map((speed, i) => speed / (speeds.tuned[i] ?? Number.NaN))),
      toStock: median(speeds.ours.map((speed, i) => speed / (speeds.stock[i] ?? Number.NaN))),
      lossDifference: difference,
      threads,
    };
    rows.push(row);
    const figure = (value: number) => value.toFixed(0).padStart(9);
    console.log(
      `${row.network.padEnd(17)}${figure(row.engine)}${figure(row.tuned)}${figure(row.stock)}${`${row.toTuned.toFixed(2)}×`.padStart(15)}${`${row.toStock.toFixed(2)}×`.padStart(14)}${row.lossDifference.toExponential(1).padStart(20)}`,
    );
  }
  const geomean = (pick: (row: Row) => number) => Math.exp(rows.reduce((sum, row) => sum + Math.log(pick(row)), 0) / rows.length);
  console.log(`${"geometric mean".padEnd(44)}${`${geomean((row) => row.toTuned).toFixed(2)}×`.padStart(15)}${`${geomean((row) => row.toStock).toFixed(2)}×`.padStart(14)}\n`);
  for (const row of rows) console.log(JSON.stringify(row));
} finally {
  rivals.stop();
  folder.remove();
}
