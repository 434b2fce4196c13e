import type { Failure } from "../../core/training/events.ts";

/** How a run lost the process that trained it. */
export type Loss =
  /** The process ended by a signal, or with a code that says nothing, as its parent saw. `outOfMemory`: the kernel has ended a process for want of memory meanwhile. */
  | { kind: "ended"; signal: NodeJS.Signals | null; code: number | null; outOfMemory?: boolean }
  /** Nobody saw it end: it is not there any more, or it gave no sign of life for as long as a lease lasts. */
  | { kind: "gone" }
  | { kind: "silent" };

/** Claims without a checkpoint in between that a run is given, and crashes of the engine's own making. */
const attemptLimit = 3;
const crashLimit = 2;

/** Signals that a process brings upon itself. SIGKILL is not one: somebody, mostly the kernel for want of memory, sent it. */
const crashSignals: { [signal: string]: string } = {
  SIGSEGV: "it touched memory that is not its own",
  SIGABRT: "it gave up on an internal check",
  SIGBUS: "it touched memory that is not there",
  SIGILL: "it met an instruction that this processor does not have",
  SIGFPE: "it divided by zero",
};

export type AfterLoss = { crashed: boolean; sentence: string; next: { status: "queued" | "paused" | "cancelled" | "finished" } | { status: "failed"; failure: Failure } };

/** What becomes of a run whose trainer is lost: it goes back to the queue, unless it was to be cancelled or paused, or keeps failing in the same way. */
export function afterLoss(run: { cancelRequested: boolean; pauseRequested: boolean; keepBest: boolean; attempts: number; crashes: number; step: number }, loss: Loss): AfterLoss {
  const crashed = loss.kind === "ended" && loss.signal !== null && loss.signal in crashSignals;
  const sentence = sentenceOf(loss);
  if (run.cancelRequested) return { crashed, sentence, next: { status: run.keepBest ? "finished" : "cancelled" } };
  if (crashed && run.crashes + 1 >= crashLimit) {
    return {
      crashed,
      sentence,
      next: fail(`${sentence} It was the second time, near step ${run.step}, so the run is not tried again. Change the network or the settings, then start a new run.`, run.step),
    };
  }
  if (run.attempts >= attemptLimit && isShortage(loss)) {
    const message = `Out of memory: the system has ended the training process ${attemptLimit} times before it reached a checkpoint, because the machine had no memory left for it. Lower the batch size, make the network smaller, or train when less else runs.`;
    return { crashed, sentence, next: { status: "failed", failure: { code: "OUT_OF_MEMORY", message, step: run.step } } };
  }
  if (run.attempts >= attemptLimit) {
    return {
      crashed,
      sentence,
      next: fail(`${sentence} It was attempt ${attemptLimit} without reaching a checkpoint, so the run is not tried again. A smaller batch needs less memory.`, run.step),
    };
  }
  return { crashed, sentence, next: { status: run.pauseRequested ? "paused" : "queued" } };
}

function fail(message: string, step: number): { status: "failed"; failure: Failure } {
  return { status: "failed", failure: { code: "ENGINE_CRASHED", message, step } };
}

function isShortage(loss: Loss): boolean {
  return loss.kind === "ended" && loss.signal === "SIGKILL" && loss.outOfMemory === true;
}

function sentenceOf(loss: Loss): string {
  if (loss.kind === "gone") return "The training process disappeared.";
  if (loss.kind === "silent") return "The training process gave no sign of life.";
  if (loss.signal === null) return `The training process ended early, with code ${loss.code}.`;
  const reason = crashSignals[loss.signal];
  if (reason !== undefined) return `The engine crashed (${loss.signal}: ${reason}).`;
  if (isShortage(loss)) return "The system ended the training process because memory ran out.";
  if (loss.signal === "SIGKILL") return "The training process was killed (SIGKILL), most often because the machine ran out of memory.";
  return `The training process was stopped by ${loss.signal}.`;
}
