import type { Failure, RunEvent } from "../core/training/events.ts";
import type { Program } from "../core/program/program.ts";
import type { TrainSpec } from "../core/training/spec.ts";

/** A dense C-ordered tensor outside the engine. int64 travels as BigInt64Array; bool and uint8 as Uint8Array. */
export type TensorData =
  | { dtype: "float32"; shape: number[]; data: Float32Array }
  | { dtype: "int64"; shape: number[]; data: BigInt64Array }
  | { dtype: "bool" | "uint8"; shape: number[]; data: Uint8Array };

export type EngineInfo = { libtorch: string; cuda: boolean; cudaDevices: string[]; cores: number; build: string };

/** Thrown (or rejected with) by every call; `failure.code` is stable. */
export declare class EngineError extends Error {
  readonly failure: Failure;
}

/** `finished`: all epochs done. `cancelled`: stopped between steps by `cancel()`; a last checkpoint was written where the spec asks for them. */
export type TrainResult = { status: "finished" | "cancelled"; steps: number; file: string | null };

/** A training under way on the engine's own thread. */
export type Training = {
  done: Promise<TrainResult>;
  /** Asks the engine to stop at the next step boundary. Safe to call at any time and more than once. */
  cancel(): void;
};

export declare function info(): EngineInfo;
/** Reads a program as the engine would, without running it. @throws EngineError PROGRAM_INVALID | OP_NOT_ALLOWED */
export declare function checkProgram(program: Program): void;
/** Trains. Events arrive in arrays about ten times a second, and all have arrived before `done` settles. */
export declare function train(spec: TrainSpec, onEvents: (events: RunEvent[]) => void): Training;
/** One forward pass in eval mode without autograd; weights from a safetensors file, or drawn from `seed`. Off the JavaScript thread. */
export declare function run(options: {
  program: Program;
  weights: { file: string } | { seed: number };
  inputs: { [name: string]: TensorData };
  device?: "cpu" | "cuda";
}): Promise<{ [output: string]: TensorData }>;
