import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Program } from "../core/program/program.ts";
import { Failure, RunEvent } from "../core/training/events.ts";
import type { Knob } from "../core/training/knobs.ts";
import type { TrainSpec } from "../core/training/spec.ts";

/**
 * The typed door to the engine. JSON and plain arrays cross it; what comes back is parsed here and trusted after.
 * Only trainer, preview and serving processes open it: a crash inside libtorch ends the process it happens in.
 */

/** A dense C-ordered tensor outside the engine. int64 travels as BigInt64Array; bool and uint8 as Uint8Array. */
export type TensorData =
  | { dtype: "float32"; shape: number[]; data: Float32Array }
  | { dtype: "int64"; shape: number[]; data: BigInt64Array }
  | { dtype: "bool" | "uint8"; shape: number[]; data: Uint8Array };

const EngineInfo = z.strictObject({ libtorch: z.string(), cuda: z.boolean(), cudaDevices: z.array(z.string()), cores: z.int(), build: z.string() });
export type EngineInfo = z.infer<typeof EngineInfo>;

/** Thrown (or rejected with) by every call; `failure.code` is stable. */
export class EngineError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = "EngineError";
    this.failure = failure;
  }
}

const TrainResult = z.strictObject({ status: z.enum(["finished", "cancelled"]), steps: z.int(), file: z.string().nullable() });
/** `finished`: all epochs done. `cancelled`: stopped between steps by `cancel()`; a last checkpoint was written where the spec asks for them. */
export type TrainResult = z.infer<typeof TrainResult>;

/** A training under way on the engine's own thread. */
export type Training = {
  done: Promise<TrainResult>;
  /** Asks the engine to stop at the next step boundary. Safe to call at any time and more than once. */
  cancel(): void;
  /** Changes settings at the next step boundary, batches where the next epoch begins; each knob is answered by a `turned` event. Safe at any time. @throws EngineError PROGRAM_INVALID */
  turn(knobs: readonly Knob[]): void;
};

/** What `binding.cc` exports. */
type Addon = {
  info(): string;
  checkProgram(program: string): void;
  train(spec: string, onEvents: (events: string) => void): { done: Promise<unknown>; cancel: () => void; turn: (knobs: string) => void };
  run(
    program: string,
    weights: { file?: string; seed?: number },
    inputs: { [name: string]: TensorData },
    isCuda: boolean,
    randomSeed?: number,
    gradientOf?: string,
  ): Promise<{ [output: string]: TensorData }>;
};

let loaded: Addon | undefined;

function addon(): Addon {
  if (!loaded) {
    const file = fileURLToPath(new URL("./build/tensorloom.node", import.meta.url));
    try {
      loaded = createRequire(import.meta.url)(file) as Addon;
    } catch (cause) {
      throw new EngineError({
        code: "INTERNAL",
        message: `The engine at ${file} cannot be loaded; build it with \`node native/build.mjs\`. ${cause instanceof Error ? cause.message : ""}`,
      });
    }
  }
  return loaded;
}

const Thrown = z.object({ failure: z.string() });

/** The EngineError that the addon meant; anything else is a bug and passes unchanged. */
function toEngineError(thrown: unknown): unknown {
  const { success, data } = Thrown.safeParse(thrown);
  return success ? new EngineError(Failure.parse(JSON.parse(data.failure))) : thrown;
}

function call<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toEngineError(error);
  }
}

/** What the engine is and runs on. */
export function info(): EngineInfo {
  return EngineInfo.parse(JSON.parse(call(() => addon().info())));
}

/** Reads a program as the engine would, without running it. @throws EngineError PROGRAM_INVALID | OP_NOT_ALLOWED */
export function checkProgram(program: Program): void {
  call(() => addon().checkProgram(JSON.stringify(program)));
}

const Events = z.array(RunEvent);

/** Trains. Events arrive in arrays about ten times a second, and all have arrived before `done` settles. */
export function train(spec: TrainSpec, onEvents: (events: RunEvent[]) => void): Training {
  const { done, cancel, turn } = call(() => addon().train(JSON.stringify(spec), (events) => onEvents(Events.parse(JSON.parse(events)))));
  return {
    cancel,
    turn: (knobs) => call(() => turn(JSON.stringify(knobs))),
    done: done.then(
      (result) => TrainResult.parse(result),
      (error: unknown) => {
        throw toEngineError(error);
      },
    ),
  };
}

/**
 * One forward pass in eval mode. Weights are drawn from `seed`, or those of a safetensors file, which must have them all unless
 * a seed says where others come from. `randomSeed`: what operators that draw numbers draw from.
 * `gradientOf`: an output of one number; how it changes with every other float output comes beside that as `gradient/<name>`; where weights are outputs too, with these and with inputs that are. Off the JavaScript thread.
 */
export async function run(options: {
  program: Program;
  weights: { file: string; seed?: number } | { seed: number };
  inputs: { [name: string]: TensorData };
  device?: "cpu" | "cuda";
  randomSeed?: number;
  gradientOf?: string;
}): Promise<{ [output: string]: TensorData }> {
  try {
    return await addon().run(JSON.stringify(options.program), options.weights, options.inputs, options.device === "cuda", options.randomSeed, options.gradientOf);
  } catch (error) {
    throw toEngineError(error);
  }
}
