import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineInfo } from "../../native/index.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import { type Order, placeVariable, type Ready } from "../trainer/order.ts";
import type { Loss } from "./loss.ts";
import { countMemoryKills, identify, isAlive, offerToKernel, type ProcessIdentity, signalProcess } from "./process.ts";
import { Whereabouts } from "./whereabouts.ts";

/** A trainer that has loaded the engine and waits for an order. */
export type WaitingTrainer = { process: ProcessIdentity; send(order: Order): void };

/** How long to wait before another trainer is started after one that did not even become ready. */
const backoffMs = { first: 1_000, most: 30_000 };

/**
 * OpenMP's threads spin for milliseconds while they wait for each other. Where anything else wants the core that one of them waits for, a
 * step of a small network then takes fifty times as long (measured: 49 s instead of 0.8 s). They spin for some microseconds and then sleep.
 */
export const patientThreads = { GOMP_SPINCOUNT: "1000" };

/**
 * The trainers of one machine. One is always kept waiting with the engine loaded, so that a run's first step does not wait for it.
 * A trainer is its own process group and writes to its own log file: it lives on when its agent dies.
 */
export class Trainers {
  readonly #config: Config;
  readonly #log: Log;
  readonly #onEnd: (order: Order, loss: Loss) => Promise<void>;
  readonly #onReady: (engine: EngineInfo) => void;
  /** Everything this agent started, until it has ended and its loss is taken. */
  readonly #children = new Map<ChildProcess, { process: ProcessIdentity; order: Order | null; memoryKills: number }>();
  #waiting: { child: ChildProcess; process: ProcessIdentity } | null = null;
  #starting = false;
  #stopped = false;
  #backoffMs = backoffMs.first;

  constructor(options: { config: Config; log: Log; onEnd: (order: Order, loss: Loss) => Promise<void>; onReady: (engine: EngineInfo) => void }) {
    this.#config = options.config;
    this.#log = options.log;
    this.#onEnd = options.onEnd;
    this.#onReady = options.onReady;
  }

  /** The trainer that waits, if one does. Another is started once this one has its order. */
  get waiting(): WaitingTrainer | null {
    if (this.#waiting === null || !isAlive(this.#waiting.process)) return null;
    const { child, process } = this.#waiting;
    return {
      process,
      send: (order) => {
        this.#waiting = null;
        const known = this.#children.get(child);
        if (known === undefined) return void this.#onEnd(order, { kind: "gone" });
        known.order = order;
        known.memoryKills = countMemoryKills();
        child.send(order, (error) => {
          // The channel broke, so the order may not have arrived: without its process the run is free again.
          if (error !== null) signalProcess(process, "SIGKILL");
        });
        this.keepOneWaiting();
      },
    };
  }

  /** Whether the process of a lease is a child of this agent, whose end will be seen. */
  isChild(process: ProcessIdentity): boolean {
    return [...this.#children.values()].some((known) => known.process.pid === process.pid && known.process.startTicks === process.startTicks);
  }

  keepOneWaiting(): void {
    if (this.#waiting !== null || this.#starting || this.#stopped) return;
    this.#starting = true;
    try {
      this.#start();
    } catch (error) {
      // The disk is full, or there are no file handles left: later there may be.
      this.#log.error({ error }, "a trainer could not be started");
      this.#retryLater();
    }
  }

  #start(): void {
    const folder = join(this.#config.DATA_DIR, "logs");
    mkdirSync(folder, { recursive: true });
    const output = openSync(join(folder, "trainers.log"), "a");
    const main = fileURLToPath(new URL("../trainer/main.ts", import.meta.url));
    // Its own session: what ends this agent, Ctrl-C in a terminal included, does not reach it.
    // The argument's place in the process list is where the trainer later writes which run it works on.
    const whereabouts = Whereabouts.open();
    const child = spawn(process.execPath, [main, "waits-for-a-run".padEnd(80, "-")], {
      detached: true,
      env: { ...patientThreads, ...process.env, ...(whereabouts ? { [placeVariable]: "4" } : {}) },
      stdio: ["ignore", output, output, "ipc", ...(whereabouts ? [whereabouts.file] : [])],
    });
    closeSync(output);
    const identity = child.pid === undefined ? null : identify(child.pid);
    if (identity === null) {
      child.on("error", (error) => this.#log.error({ error }, "a trainer could not be started"));
      whereabouts?.close();
      this.#retryLater();
      return;
    }
    offerToKernel(identity);
    this.#children.set(child, { process: identity, order: null, memoryKills: countMemoryKills() });
    child.once("message", (message: Ready) => {
      this.#starting = false;
      this.#backoffMs = backoffMs.first;
      this.#waiting = { child, process: identity };
      this.#onReady(message.engine);
    });
    child.on("error", (error) => this.#log.error({ error }, "trainer"));
    child.once("exit", (code, signal) => {
      const { order, memoryKills } = this.#children.get(child) ?? { order: null, memoryKills: 0 };
      const place = signal === null ? null : (whereabouts?.read() ?? null);
      whereabouts?.close();
      if (order !== null) {
        // Known as a child until its end is told: the agent's round would else find a process that is gone, and be quicker.
        const told = this.#onEnd(order, { kind: "ended", signal, code, outOfMemory: countMemoryKills() > memoryKills, place });
        return void told.finally(() => this.#children.delete(child));
      }
      this.#children.delete(child);
      if (this.#waiting?.child === child) {
        this.#waiting = null;
        this.keepOneWaiting();
      } else if (this.#starting && !this.#stopped) {
        this.#log.error({ code, signal }, "a trainer ended before it was ready; logs/trainers.log says why");
        this.#retryLater();
      }
    });
    child.unref();
  }

  #retryLater(): void {
    setTimeout(() => {
      this.#starting = false;
      this.keepOneWaiting();
    }, this.#backoffMs);
    this.#backoffMs = Math.min(this.#backoffMs * 2, backoffMs.most);
  }

  /** Asks every trainer that this agent started to stop; starts none any more. */
  stop(): ProcessIdentity[] {
    this.#stopped = true;
    const all = [...this.#children.values()].map((known) => known.process);
    for (const process of all) signalProcess(process, "SIGTERM");
    return all;
  }
}
