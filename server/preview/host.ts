import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { languageCode, say } from "../../core/language/say.ts";
import { PreviewAnswer, type PreviewOrder } from "../../core/preview/order.ts";
import { PaceAnswer, type PaceOrder } from "../../core/preview/pace.ts";
import { type ActivationsOrder, ExplainAnswer, type ExplainOrder, type GradientsOrder, StudyAnswer, type StudyOrder, TensorsAnswer } from "../../core/preview/study.ts";
import { AppError } from "../errors.ts";
import { prlimit } from "../prlimit.ts";

const LIMITS = {
  /** Until the engine is loaded, and for one order. */
  readyMs: 60_000,
  wallMs: 8_000,
  /** For many rows of a trained network, which stop in time but for one batch. */
  studyMs: 40_000,
  /** Unasked for so long, it ends; beyond so much memory it ends after its answer. */
  idleMs: 5 * 60_000,
  rssBytes: 1.5 * 2 ** 30,
  dataBytes: 4 * 2 ** 30,
  /** Orders of one organization that wait. */
  waiting: 8,
};

const OPEN_FILES = 128;
const UNREADABLE = "what came of it cannot be shown";

const Message = z.union([
  z.strictObject({ ready: z.literal(true) }),
  z.strictObject({ id: z.int(), ok: z.literal(true), answer: z.unknown(), rssBytes: z.number() }),
  z.strictObject({ id: z.int(), ok: z.literal(false), message: z.string(), rssBytes: z.number() }),
]);

/** What the process may be asked for. */
export type Order =
  | { kind: "preview"; order: PreviewOrder }
  | { kind: "study"; order: StudyOrder }
  | { kind: "explain"; order: ExplainOrder }
  | { kind: "activations"; order: ActivationsOrder }
  | { kind: "gradients"; order: GradientsOrder }
  | { kind: "pace"; order: PaceOrder };
type Waiting = {
  key: string;
  order: Order;
  /** Takes the answer; false for one that is none. */
  take: (answer: unknown) => boolean;
  reject: (error: Error) => void;
};

/**
 * The one process that evaluates drawings for previews, started when somebody asks and ended when nobody does. Organizations take turns, and of
 * what one person asks about one model only the newest counts. A crash or an order that takes too long costs that order alone.
 */
export class PreviewHost {
  readonly #limits: typeof LIMITS;
  readonly #main: string;
  /** What waits, by organization; who asked longest ago stands first. */
  readonly #waiting = new Map<string, Waiting[]>();
  #child: ChildProcess | null = null;
  #ready = false;
  #current: Waiting | null = null;
  #id = 0;
  #clock: NodeJS.Timeout | null = null;

  /** `main`: another program than the real one, for tests of what may happen to it. */
  constructor(limits: Partial<typeof LIMITS> = {}, main: string = fileURLToPath(new URL("./main.ts", import.meta.url))) {
    this.#limits = { ...LIMITS, ...limits };
    this.#main = main;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /**
   * @param key who asks about what; an older order of the same key that still waits is dropped.
   * @throws AppError QUEUE_FULL, PREVIEW_DROPPED, PREVIEW_FAILED
   */
  evaluate(orgId: string, key: string, order: PreviewOrder): Promise<PreviewAnswer> {
    return this.#ask(orgId, key, { kind: "preview", order }, PreviewAnswer);
  }

  /** Many rows through a trained network. @throws AppError QUEUE_FULL, PREVIEW_DROPPED, PREVIEW_FAILED */
  study(orgId: string, key: string, order: StudyOrder): Promise<StudyAnswer> {
    return this.#ask(orgId, key, { kind: "study", order }, StudyAnswer);
  }

  /** What in a row speaks for an answer. @throws AppError QUEUE_FULL, PREVIEW_DROPPED, PREVIEW_FAILED */
  explain(orgId: string, key: string, order: ExplainOrder): Promise<ExplainAnswer> {
    return this.#ask(orgId, key, { kind: "explain", order }, ExplainAnswer);
  }

  /** What nodes give for some rows. @throws AppError QUEUE_FULL, PREVIEW_DROPPED, PREVIEW_FAILED */
  activations(orgId: string, key: string, order: ActivationsOrder): Promise<TensorsAnswer> {
    return this.#ask(orgId, key, { kind: "activations", order }, TensorsAnswer);
  }

  /** How a loss changes with weights. @throws AppError QUEUE_FULL, PREVIEW_DROPPED, PREVIEW_FAILED */
  gradients(orgId: string, key: string, order: GradientsOrder): Promise<TensorsAnswer> {
    return this.#ask(orgId, key, { kind: "gradients", order }, TensorsAnswer);
  }

  /** How fast a pretrained network goes here. @throws AppError QUEUE_FULL, PREVIEW_DROPPED, PREVIEW_FAILED */
  pace(orgId: string, key: string, order: PaceOrder): Promise<PaceAnswer> {
    return this.#ask(orgId, key, { kind: "pace", order }, PaceAnswer);
  }

  #ask<Answer>(orgId: string, key: string, order: Order, answers: z.ZodType<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(orgId) ?? [];
      const older = queue.findIndex((waiting) => waiting.key === key);
      if (older >= 0) queue.splice(older, 1)[0]?.reject(new AppError("PREVIEW_DROPPED", say("A newer drawing is shown in its place.")));
      if (queue.length >= this.#limits.waiting) {
        reject(new AppError("QUEUE_FULL", say("Many previews of your team are being made at the moment: this one comes with your next edit.")));
        return;
      }
      const take = (answer: unknown): boolean => {
        const read = answers.safeParse(answer);
        if (read.success) resolve(read.data);
        return read.success;
      };
      queue.push({ key, order, take, reject });
      this.#waiting.set(orgId, queue);
      this.#next();
    });
  }

  /** Ends the process and refuses what waits. */
  close(): void {
    for (const queue of this.#waiting.values()) for (const { reject } of queue) reject(failed("the server is ending"));
    this.#waiting.clear();
    this.#end("the server is ending");
  }

  #next(): void {
    if (this.#current || this.#waiting.size === 0) return;
    if (!this.#child) this.#start();
    if (!this.#child || !this.#ready) return;
    const [orgId, queue] = this.#waiting.entries().next().value as [string, Waiting[]];
    // Who was served goes to the end of the line.
    this.#waiting.delete(orgId);
    const current = queue.shift();
    if (queue.length > 0) this.#waiting.set(orgId, queue);
    if (!current) throw new Error("A line in which nobody waits is taken away.");
    this.#current = current;
    this.#id++;
    const limitMs = current.order.kind === "preview" ? this.#limits.wallMs : this.#limits.studyMs;
    this.#wait(limitMs, () => this.#end(`it took longer than ${limitMs / 1_000} s`));
    this.#child.send({ id: this.#id, ...current.order });
  }

  #start(): void {
    const [command = "", ...args] = [...prlimit({ dataBytes: this.#limits.dataBytes, openFiles: OPEN_FILES }), process.execPath, "--max-old-space-size=512", this.#main];
    const child = spawn(command, args, {
      // None of our secrets; two threads, so that a training beside it hardly feels it.
      env: {
        PATH: process.env.PATH,
        NODE_ENV: process.env.NODE_ENV,
        UI_LANGUAGE: languageCode(),
        LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH,
        OMP_NUM_THREADS: "2",
        GOMP_SPINCOUNT: "1000",
      },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child = child;
    this.#ready = false;
    this.#wait(this.#limits.readyMs, () => this.#end("the engine took too long to load"));
    child.on("message", (message) => this.#child === child && this.#hear(message));
    child.on("error", (error) => this.#child === child && this.#end(error.message));
    child.once("exit", (code, signal) => this.#child === child && this.#end(`its process ended by itself (${signal ?? code})`));
  }

  #hear(said: unknown): void {
    const read = Message.safeParse(said);
    // Whatever a drawing makes of its process, this one serves everybody's pages.
    if (!read.success) {
      this.#end(UNREADABLE);
      return;
    }
    const message = read.data;
    if ("ready" in message) {
      this.#ready = true;
      this.#rest();
      this.#next();
      return;
    }
    const current = this.#current;
    if (message.id !== this.#id || !current) return;
    if (!message.ok) current.reject(failed(message.message));
    else if (!current.take(message.answer)) {
      this.#end(UNREADABLE);
      return;
    }
    this.#current = null;
    if (message.rssBytes > this.#limits.rssBytes) this.#end("");
    else this.#rest();
    this.#next();
  }

  #rest(): void {
    this.#wait(this.#limits.idleMs, () => this.#end(""));
  }

  #wait(ms: number, late: () => void): void {
    if (this.#clock) clearTimeout(this.#clock);
    this.#clock = setTimeout(late, ms);
    this.#clock.unref();
  }

  /** Lets go of the process; the next order starts another. Without a process that loads, nobody is kept waiting. */
  #end(why: string): void {
    if (this.#clock) clearTimeout(this.#clock);
    const [child, current, wasReady] = [this.#child, this.#current, this.#ready];
    this.#child = null;
    this.#current = null;
    this.#ready = false;
    child?.kill("SIGKILL");
    current?.reject(failed(why));
    if (!wasReady && child) {
      for (const queue of this.#waiting.values()) for (const { reject } of queue) reject(failed(why));
      this.#waiting.clear();
    }
    this.#next();
  }
}

function failed(why: string): AppError {
  return new AppError("PREVIEW_FAILED", say("No preview: {why}.", { why: why.replace(/\.$/, "") }));
}
