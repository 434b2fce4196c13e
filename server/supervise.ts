import { type ChildProcess, fork } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { identify, isAlive, type ProcessIdentity, signalProcess } from "./agent/process.ts";

const Identity = z.object({ pid: z.int(), startTicks: z.string() });

/** Remembers a process in a file, so that a later start can tell it from another that got its number. @throws Error where the file cannot be written. */
export function writeIdentity(file: string, pid: number): void {
  const identity = identify(pid);
  mkdirSync(dirname(file), { recursive: true });
  if (identity) writeFileSync(file, JSON.stringify(identity));
}

/** The process that a file remembers, if it still lives. */
export function readIdentity(file: string): ProcessIdentity | null {
  try {
    const identity = Identity.parse(JSON.parse(readFileSync(file, "utf8")));
    return isAlive(identity) ? identity : null;
  } catch {
    return null;
  }
}

/** Ends a process: asks, waits, then insists. */
export async function endProcess(identity: ProcessIdentity, patienceMs: number): Promise<void> {
  signalProcess(identity, "SIGTERM");
  const deadline = Date.now() + patienceMs;
  while (isAlive(identity) && Date.now() < deadline) await sleep(20);
  signalProcess(identity, "SIGKILL");
}

const LOG_BYTES = 16 * 1024 * 1024;

/** A log to write on; one that has grown large makes way, and the one before it is forgotten. */
function openLogFile(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > LOG_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, "a", 0o600);
}

/** What `work` gives, or null where the disk refuses: full, read-only or broken, it must not keep a process from being started. */
function tryDisk<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

export type ChildOptions = {
  name: string;
  /** The program, run by this Node. */
  file: string;
  dataDir: string;
  env: () => NodeJS.ProcessEnv;
  /** What the child tells. */
  onMessage?: (message: unknown) => void;
  /** A child that ended by itself and when it will be started again. */
  onCrash: (sentence: string) => void;
};

/** A process of ours that is started again whenever it ends by itself, ever more slowly while it keeps doing so. */
export class Child {
  readonly #options: ChildOptions;
  #process: ChildProcess | null = null;
  #startedAt = 0;
  #delayMs = 0;
  #ending = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  get #identityFile(): string {
    return join(this.#options.dataDir, "run", `${this.#options.name}.json`);
  }

  /** Ends what a killed supervisor left, then starts. */
  async start(): Promise<void> {
    const orphan = readIdentity(this.#identityFile);
    if (orphan) await endProcess(orphan, 5_000);
    this.#spawn();
  }

  #spawn(): void {
    const { name, file, dataDir, env, onMessage, onCrash } = this.#options;
    const logFile = join(dataDir, "logs", `${name}.log`);
    const log = tryDisk(() => openLogFile(logFile));
    // A process group of its own: Ctrl-C in the terminal reaches the supervisor alone, which ends the others in order.
    const child = fork(file, [], { detached: true, env: env(), stdio: ["ignore", log ?? "ignore", log ?? "ignore", "ipc"], serialization: "json" });
    if (log !== null) closeSync(log);
    const { pid } = child;
    this.#process = child;
    this.#startedAt = Date.now();
    if (pid !== undefined) tryDisk(() => writeIdentity(this.#identityFile, pid));
    if (onMessage) child.on("message", onMessage);
    const again = (how: string) => {
      if (this.#process !== child) return;
      this.#process = null;
      tryDisk(() => rmSync(this.#identityFile, { force: true }));
      if (this.#ending) return;
      // A minute without a crash forgives the earlier ones.
      this.#delayMs = Date.now() - this.#startedAt > 60_000 ? 250 : Math.min(30_000, Math.max(250, this.#delayMs * 2));
      onCrash(`${name} ${how}; it is started again in ${this.#delayMs / 1000} s. ${logFile} says more.`);
      this.#restart = setTimeout(() => this.#spawn(), this.#delayMs);
    };
    // Where the system has no process to give there is no end to be told of, only this.
    child.on("error", (error) => pid === undefined && again(`could not be started (${error.message})`));
    child.once("exit", (code, signal) => again(`ended ${signal ? `by ${signal}` : `with ${code}`}`));
  }

  /** Ends it for good: asks, waits at most `patienceMs`, then insists. */
  async stop(patienceMs: number): Promise<void> {
    this.#ending = true;
    clearTimeout(this.#restart);
    const child = this.#process;
    if (!child?.pid) return;
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    child.kill("SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    await ended;
    clearTimeout(hard);
  }

  /** Ends it so that it starts anew, with its present environment. */
  restart(): void {
    this.#process?.kill("SIGTERM");
  }

  /** No more patience. */
  kill(): void {
    this.#ending = true;
    this.#process?.kill("SIGKILL");
  }
}
