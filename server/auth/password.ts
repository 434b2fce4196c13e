import { randomBytes } from "node:crypto";
import { Worker } from "node:worker_threads";
import { say } from "../../core/language/say.ts";
import { AppError } from "../errors.ts";

/**
 * Argon2id with 19 MiB, two passes and one lane, OWASP's floor. One thread of its own does it, so that a flood of sign-ins leaves the
 * pages and streams of everybody else alone.
 */
const cost = { parallelism: 1, iterations: 2, memorySize: 19_456, hashLength: 32 } as const;

/** How many may wait for the thread: with some 40 ms each, the last one waits two seconds. */
const MOST_WAITING = 50;

export type Work = { id: number; password: string } & ({ kind: "hash"; salt: Uint8Array; cost: typeof cost } | { kind: "verify"; hash: string });
export type Done = { id: number; result: string | boolean };

let worker: Worker | null = null;
let nextId = 0;
const waiting = new Map<number, { done: (result: string | boolean) => void; fail: (error: Error) => void }>();

function ask(work: Omit<Extract<Work, { kind: "hash" }>, "id"> | Omit<Extract<Work, { kind: "verify" }>, "id">): Promise<string | boolean> {
  if (waiting.size >= MOST_WAITING) throw new AppError("RATE_LIMITED", say("Many people are signing in just now: try again in a few seconds."));
  worker ??= start();
  const id = nextId++;
  return new Promise((done, fail) => {
    waiting.set(id, { done, fail });
    worker?.postMessage({ id, ...work });
  });
}

function start(): Worker {
  const started = new Worker(new URL("./hasher.ts", import.meta.url));
  // It must keep no process alive that has nothing else to do.
  started.unref();
  started.on("message", ({ id, result }: Done) => {
    waiting.get(id)?.done(result);
    waiting.delete(id);
  });
  started.on("error", (error) => {
    worker = null;
    for (const { fail } of waiting.values()) fail(error as Error);
    waiting.clear();
  });
  return started;
}

/** The hash of a password, with its salt and cost, as it is kept. */
export async function hashPassword(password: string): Promise<string> {
  return String(await ask({ kind: "hash", password: password.normalize("NFKC"), salt: randomBytes(16), cost }));
}

/** Stands in where there is no account, so that the answer takes as long. */
let nobody: Promise<string> | null = null;

/** Whether a password belongs to this hash. Takes as long where there is none. */
export async function isPassword(hash: string | null, password: string): Promise<boolean> {
  nobody ??= hashPassword(randomBytes(16).toString("hex"));
  const same = (await ask({ kind: "verify", password: password.normalize("NFKC"), hash: hash ?? (await nobody) })) === true;
  return same && hash !== null;
}

/** @throws AppError PASSWORD_WEAK with what is wanting. */
export function requirePassword(password: string, about: readonly string[]): void {
  const refuse = (message: string): never => {
    throw new AppError("PASSWORD_WEAK", message, { details: { field: "password" } });
  };
  if (password.length < 10) refuse(say("A password has at least 10 characters. Four words make a good one."));
  if (password.length > 200) refuse(say("A password has at most 200 characters."));
  if (new Set(password).size < 5) refuse(say("This password repeats a few characters: take four words instead."));
  const lower = password.toLowerCase();
  if (common.some((word) => lower.replace(/\d|\W/g, "") === word) || about.some((word) => word.length > 3 && lower === word.toLowerCase()))
    refuse(say("This password is among the first that are tried: take four words instead."));
}

const common = [
  "password",
  "passwort",
  "qwertyuiop",
  "qwerty",
  "letmein",
  "welcome",
  "iloveyou",
  "administrator",
  "admin",
  "changeme",
  "tensorloom",
  "abcdefghij",
  "abcdefghijk",
  "",
];
