import { rm } from "node:fs/promises";
import { say } from "../../core/language/say.ts";
import type { RunEvent } from "../../core/training/events.ts";
import type { FileStore } from "../storage/files.ts";
import { untilStore } from "./outage.ts";

type Checkpoint = Extract<RunEvent, { type: "checkpoint" }>;

/** While the store is away no more than so many checkpoints wait on this machine's disk. */
const MOST_WAITING = 4;
/** Files removed at once. */
const AT_ONCE = 8;

export type HandoverOptions = {
  files: FileStore;
  keyOf(file: string): string;
  /** Takes events in order; a checkpoint comes when the store has it. */
  push(events: readonly RunEvent[]): void;
  /** The step of the best evaluation so far: its checkpoint is not left out. */
  bestStep(): number | null;
  say(level: "info" | "warn", message: string): void;
  /** Called with what is wrong with a file or this machine, for which waiting is no help. */
  onBroken(error: unknown): void;
  /** Aborted when the process is asked to end: what is not in the store then does not count. */
  stop: AbortSignal;
};

/**
 * Stands between the engine and the relay where files are in a bucket: a checkpoint is recorded only when the bucket has it, so that any machine can go on from it,
 * and what is not wanted any more is removed there behind training's back.
 * Everything else passes at once; training does not wait. Where all machines see one folder, checkpoints pass at once too.
 */
export class Handover {
  readonly #options: HandoverOptions;
  readonly #waiting: Checkpoint[] = [];
  readonly #unwanted: string[] = [];
  #sending: Promise<void> | null = null;
  #over = false;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  hear(events: readonly RunEvent[]): void {
    if (!this.#options.files.isShared) {
      this.#options.push(events);
      return;
    }
    const passing = events.filter((event) => {
      if (event.type === "checkpoint") this.#waiting.push(event);
      return event.type !== "checkpoint";
    });
    if (passing.length > 0) this.#options.push(passing);
    this.#thin();
    this.#go();
  }

  /** Removes a checkpoint that nobody would go on from. A store that is away is told later; nobody waits for it. */
  async remove(key: string): Promise<void> {
    if (!this.#options.files.isShared) return this.#options.files.remove(key);
    this.#unwanted.push(key);
    this.#go();
  }

  /** Waits until the store has every checkpoint and none that is not wanted, for as long as it is away; not longer than the process may. */
  async drain(): Promise<void> {
    await this.#sending;
  }

  /** Hands over nothing any more. */
  close(): void {
    this.#over = true;
  }

  #go(): void {
    if (this.#waiting.length > 0 || this.#unwanted.length > 0) this.#sending ??= this.#send().finally(() => (this.#sending = null));
  }

  async #send(): Promise<void> {
    const { say: tell, stop } = this.#options;
    let away = false;
    try {
      while ((this.#waiting.length > 0 || this.#unwanted.length > 0) && !this.#over) {
        await untilStore(
          () => this.#sendOne(),
          stop,
          () => {
            if (!away) tell("warn", say("The file store does not answer. Training goes on; its checkpoints wait on this machine and count once the store has them."));
            away = true;
          },
        );
      }
      if (away && !this.#over) tell("info", say("The file store answers again and has this run's checkpoints."));
    } catch (error) {
      // Asked to end while the store is away: the next trainer goes on from what the store has, and removes what no row speaks of.
      if (!stop.aborted) this.#options.onBroken(error);
    }
  }

  async #sendOne(): Promise<void> {
    const { files, keyOf, push } = this.#options;
    if (this.#over) return;
    const [next] = this.#waiting;
    if (next) {
      await files.publish(keyOf(next.file));
      this.#waiting.shift();
      if (!this.#over) push([next]);
      return;
    }
    const some = this.#unwanted.slice(0, AT_ONCE);
    await Promise.all(some.map((key) => files.remove(key)));
    this.#unwanted.splice(0, some.length);
  }

  /** Of many that wait, the oldest go that nobody would start from: not the first, which may be on its way, nor the last. */
  #thin(): void {
    const { files, keyOf, bestStep } = this.#options;
    while (this.#waiting.length > MOST_WAITING) {
      const at = this.#waiting.findIndex(({ step }, index) => index > 0 && step !== bestStep());
      const [left] = this.#waiting.splice(at, 1);
      // The store never had it.
      if (left) void rm(files.path(keyOf(left.file)), { force: true }).catch(() => {});
    }
  }
}
