import type { RunEvent } from "../../core/training/events.ts";

/**
 * Notices that a run makes no steps. How long is too long depends on the run: at least `stuckAfterMs`, and twenty of its usual steps; while
 * an epoch is being evaluated, as long as the evaluation's rows would take as training steps on top. Time in which nobody looked is not counted:
 * the whole process stood still then, as in a container that was paused.
 */
export class Watchdog {
  readonly #stuckAfterMs: number;
  readonly #evaluationSteps: number;
  readonly #lookEveryMs: number;
  #lookedAt: number;
  #stepsPerEpoch = 0;
  /** Step that the epoch under way began after. */
  #epochStep = 0;
  #step = 0;
  #lastNewsAt: number;
  #stepMs: number[] = [];

  constructor(options: {
    stuckAfterMs: number;
    evaluationSteps: number;
    /** How often it will be asked. */
    lookEveryMs: number;
    now: number;
  }) {
    this.#stuckAfterMs = options.stuckAfterMs;
    this.#evaluationSteps = options.evaluationSteps;
    this.#lookEveryMs = options.lookEveryMs;
    this.#lookedAt = options.now;
    this.#lastNewsAt = options.now;
  }

  /** Takes note of what the engine said. */
  hear(events: readonly RunEvent[], now: number): void {
    for (const event of events) {
      if (event.type === "started") {
        this.#stepsPerEpoch = event.stepsPerEpoch;
        this.#step = event.firstStep - 1;
        this.#epochStep = this.#step - event.inEpoch;
      }
      if (event.type === "turned" && event.stepsPerEpoch !== this.#stepsPerEpoch) {
        // Batches are cut anew where an epoch begins.
        this.#stepsPerEpoch = event.stepsPerEpoch;
        this.#epochStep = event.step;
      }
      if (event.type === "points" || event.type === "evaluated") {
        const step = event.type === "points" ? (event.steps.at(-1) ?? 0) : event.step;
        if (step > this.#step) {
          this.#stepMs.push((now - this.#lastNewsAt) / (step - this.#step));
          if (this.#stepMs.length > 101) this.#stepMs.shift();
          this.#step = step;
        }
      }
      if (event.type !== "log") this.#lastNewsAt = now;
    }
  }

  /** How long there has been no news, where that is too long; else null. */
  stuckForMs(now: number): number | null {
    const notLookedMs = now - this.#lookedAt;
    this.#lookedAt = now;
    if (notLookedMs > 4 * this.#lookEveryMs) this.#lastNewsAt = Math.min(now, this.#lastNewsAt + notLookedMs);
    const silentMs = now - this.#lastNewsAt;
    const stepMs = this.#stepMs.toSorted((a, b) => a - b)[this.#stepMs.length >> 1] ?? 0;
    const evaluating = this.#stepsPerEpoch > 0 && (this.#step - this.#epochStep) % this.#stepsPerEpoch === 0;
    const limitMs = Math.max(this.#stuckAfterMs, stepMs * (20 + (evaluating ? 3 * this.#evaluationSteps : 0)));
    return silentMs > limitMs ? silentMs : null;
  }
}
