import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeNpy } from "../../core/data/npy.ts";
import { lowerTraining } from "../../core/program/lower.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { findLoss } from "../../core/training/losses/index.ts";
import { accuracy } from "../../core/training/metrics/accuracy.ts";
import { confusion } from "../../core/training/metrics/confusion.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { type TrainResult, train } from "../../native/index.ts";
import type { Network } from "./networks.ts";

/** A folder of its own, gone when the test file is done. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "tensorloom-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Writes rows that a network can learn something from: the class is the sign pattern of two sums. */
export function writeRows(
  folder: string,
  name: string,
  { input, vocabulary, classes }: Pick<Network, "input" | "vocabulary" | "classes">,
  rows: number,
  seed: number,
): TrainSpec["data"]["train"] {
  const random = randomNumbers(seed);
  const size = input.shape.reduce((a, b) => a * b, 1);
  const target = new BigInt64Array(rows);
  const values = Array.from({ length: rows * size }, () => (vocabulary > 0 ? Math.floor(random() * vocabulary) : random() * 2 - 1));
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += (values[row * size + i] ?? 0) * Math.cos(i);
    target[row] = BigInt(((Math.floor(sum * 1.7) % classes) + classes) % classes);
  }
  const data = input.dtype === "int64" ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
  const files = { x: join(folder, `${name}-x.npy`), target: join(folder, `${name}-target.npy`) };
  writeFileSync(files.x, encodeNpy(input.dtype, [rows, ...input.shape], data));
  writeFileSync(files.target, encodeNpy("int64", [rows], target));
  return { arrays: { x: { file: files.x }, target: { file: files.target } }, rows };
}

export const adam: TrainSpec["optimizer"] = { kind: "Adam", betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false };

/** A spec for a network on rows written before, with plain settings where none are given. */
export function specOf(
  network: Pick<Network, "graph">,
  data: { train: TrainSpec["data"]["train"]; validation?: TrainSpec["data"]["train"] },
  settings: Partial<TrainSpec> = {},
): TrainSpec {
  return {
    version: 1,
    ...lowerTraining(network.graph, { loss: findLoss("CrossEntropyLoss"), metrics: [accuracy, confusion] }),
    data: { train: data.train, validation: data.validation ?? data.train },
    optimizer: adam,
    lr: { base: 0.01, schedule: { kind: "constant" } },
    batchSize: 16,
    epochs: 1,
    shuffle: true,
    dropLast: false,
    seed: 7,
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
    ...settings,
  };
}

/** Trains to the end and keeps every event. */
export async function trainAll(spec: TrainSpec): Promise<{ result: TrainResult; events: RunEvent[] }> {
  const events: RunEvent[] = [];
  const result = await train(spec, (some) => events.push(...some)).done;
  return { result, events };
}

/** The points of one key in order, as [step, value]. */
export function pointsOf(events: readonly RunEvent[], key: string): [number, number | null][] {
  return events.flatMap((event) => (event.type === "points" && event.key === key ? event.steps.map((step, i): [number, number | null] => [step, event.values[i] ?? null]) : []));
}

/** Where a run's weights are before its first step. A cancel may come a step too late; then it is asked again. */
export async function writeFirstWeights(spec: TrainSpec, folder: string): Promise<string> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const inside = join(folder, String(attempt));
    mkdirSync(inside);
    const training = train({ ...spec, checkpoint: { folder: inside, everyMs: 0 } }, () => {});
    training.cancel();
    const { file, steps } = await training.done;
    if (!file) throw new Error("A cancelled run with a checkpoint folder leaves a checkpoint.");
    if (steps === 0) return file;
  }
  throw new Error("Fifty runs took a step before they could be cancelled.");
}
