import { constants } from "node:os";
import { say } from "../../core/language/say.ts";
import type { Failure } from "../../core/training/events.ts";
import type { Place } from "./whereabouts.ts";

/** How a run lost the process that trained it. */
export type Loss =
  /**
   * The process ended by a signal, or with a code that says nothing, as its parent saw. `outOfMemory`: the kernel has ended a process for want of memory meanwhile.
   * `place`: what its engine was at.
   */
  | { kind: "ended"; signal: NodeJS.Signals | null; code: number | null; outOfMemory?: boolean; place?: Place | null }
  /** Nobody saw it end: it is not there any more, or it gave no sign of life for as long as a lease lasts. */
  | { kind: "gone" }
  | { kind: "silent" };

/** Claims without a checkpoint in between that a run is given, and crashes of the engine's own making. */
const attemptLimit = 3;
const crashLimit = 2;

/** Signals that a process brings upon itself. SIGKILL is not one: somebody, mostly the kernel for want of memory, sent it. */
const crashSignals: { [signal: string]: string } = {
  SIGSEGV: say("it touched memory that is not its own"),
  SIGABRT: say("it gave up on an internal check"),
  SIGBUS: say("it touched memory that is not there"),
  SIGILL: say("it met an instruction that this processor does not have"),
  SIGFPE: say("it divided by zero"),
};

export type AfterLoss = { crashed: boolean; sentence: string; next: { status: "queued" | "paused" | "cancelled" | "finished" } | { status: "failed"; failure: Failure } };

/**
 * What becomes of a run whose trainer is lost: it goes back to the queue, unless it was to be cancelled or paused, or keeps failing in the same way.
 * `crashedBefore`: an earlier run of the very same network was given up for its crashes, so that this one is not tried twice. `nameOf`: what people call a node.
 */
export function afterLoss(
  run: { cancelRequested: boolean; pauseRequested: boolean; keepBest: boolean; attempts: number; crashes: number; crashedBefore: boolean; step: number },
  loss: Loss,
  nameOf: (node: string) => string,
): AfterLoss {
  const crashed = loss.kind === "ended" && loss.signal !== null && loss.signal in crashSignals;
  const place = placeOf(loss, nameOf);
  const sentence = sentenceOf(loss, place);
  const node = (loss.kind === "ended" && loss.place?.node) || undefined;
  const fail = (code: string, message: string): AfterLoss => ({
    crashed,
    sentence,
    next: { status: "failed", failure: { code, message, step: run.step, ...(node === undefined ? {} : { node }) } },
  });
  if (run.cancelRequested) return { crashed, sentence, next: { status: run.keepBest ? "finished" : "cancelled" } };
  if (crashed && (run.crashes + 1 >= crashLimit || run.crashedBefore)) {
    const gaps = { sentence, step: run.step };
    return fail(
      "ENGINE_CRASHED",
      run.crashes + 1 >= crashLimit
        ? say("{sentence} It was the second time, near step {step}, so the run is not tried again. Change the network or the settings, then start a new run.", gaps)
        : say(
            "{sentence} An earlier run of this very network was given up for the same reason, near step {step}, so the run is not tried again. Change the network or the settings, then start a new run.",
            gaps,
          ),
    );
  }
  if (run.attempts >= attemptLimit && isShortage(loss)) {
    return fail(
      "OUT_OF_MEMORY",
      place === ""
        ? say(
            "Out of memory: the system has ended the training process {attemptLimit} times before it reached a checkpoint, because the machine had no memory left for it. Lower the batch size, make the network smaller, or train when less else runs.",
            { attemptLimit },
          )
        : say(
            "Out of memory: the system has ended the training process {attemptLimit} times before it reached a checkpoint, the last time{place}, because the machine had no memory left for it. Lower the batch size, make the network smaller, or train when less else runs.",
            { attemptLimit, place },
          ),
    );
  }
  if (run.attempts >= attemptLimit)
    return fail(
      "ENGINE_CRASHED",
      say("{sentence} It was attempt {attemptLimit} without reaching a checkpoint, so the run is not tried again. A smaller batch needs less memory.", { sentence, attemptLimit }),
    );
  return { crashed, sentence, next: { status: run.pauseRequested ? "paused" : "queued" } };
}

function isShortage(loss: Loss): boolean {
  return loss.kind === "ended" && loss.signal === "SIGKILL" && loss.outOfMemory === true;
}

/** ` in node "conv1"`, or nothing where it is not known. */
function placeOf(loss: Loss, nameOf: (node: string) => string): string {
  if (loss.kind !== "ended" || !loss.place) return "";
  const { part, node } = loss.place;
  if (node === null) return part === "optimizer" ? say(" in the optimizer's step") : say(" in the backward pass");
  return part === "forward" ? say(' in node "{name}"', { name: nameOf(node) }) : say(' in the backward pass of node "{name}"', { name: nameOf(node) });
}

function sentenceOf(loss: Loss, place: string): string {
  if (loss.kind === "gone") return say("The training process disappeared.");
  if (loss.kind === "silent") return say("The training process gave no sign of life.");
  if (loss.signal === null) return say("The training process ended early, with code {code}.", { code: String(loss.code) });
  const reason = crashSignals[loss.signal];
  if (reason !== undefined)
    return say("The engine crashed (signal {number}, {signal}: {reason}){place}.", { number: constants.signals[loss.signal], signal: loss.signal, reason, place });
  if (isShortage(loss)) return say("The system ended the training process{place} because memory ran out.", { place });
  if (loss.signal === "SIGKILL") return say("The training process was killed (SIGKILL), most often because the machine ran out of memory.");
  return say("The training process was stopped by {signal}.", { signal: loss.signal });
}
