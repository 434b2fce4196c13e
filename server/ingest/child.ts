import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import type { PicturePlan } from "../../core/data/pictures.ts";
import { languageCode, say } from "../../core/language/say.ts";
import { prlimit } from "../prlimit.ts";
import type { StoredFile } from "../storage/files.ts";

/** What a decoding process may use at most; of the processor a second more for each `bytesPerSecond` of its file. */
const limits = {
  wallMs: 120_000,
  longWallMs: 30 * 60_000,
  cpuSeconds: 30,
  bytesPerSecond: 8 << 20,
  longCpuSeconds: 15 * 60,
  dataBytes: 1 << 30,
  heapMiB: 512,
  openFiles: 64,
  answerBytes: 4 << 20,
};

export const DatasetAnswer = z.discriminatedUnion("ok", [
  z.strictObject({ ok: z.literal(true), manifest: Manifest, sizeBytes: z.int() }),
  z.strictObject({ ok: z.literal(false), failure: z.strictObject({ code: z.string(), message: z.string() }) }),
]);
export type IngestAnswer = z.infer<typeof DatasetAnswer>;

/** What went wrong in a child, or with it. */
const Failure = z.strictObject({ code: z.string(), message: z.string() });
export type IngestFailure = { ok: false; failure: z.infer<typeof Failure> };

/**
 * Decodes a data set in a process of its own, without secrets in its environment and under limits of time, memory and files.
 * Never rejects: whatever becomes of the child is an answer.
 */
export function ingestInChild(order: { root: string; datasetId: string; builtin: string }, signal?: AbortSignal): Promise<IngestAnswer> {
  return runChild(["dataset", order.root, order.datasetId, order.builtin], DatasetAnswer, { signal });
}

/** The same for an archive of a person's own pictures, which may be many and take their time. */
export function readPicturesInChild(
  order: { root: string; datasetId: string; source: Pick<StoredFile, "key" | "sizeBytes">; fileName: string; plan: PicturePlan },
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<IngestAnswer> {
  const { root, datasetId, source, fileName, plan } = order;
  return runChild(["pictures", root, source.key, fileName, datasetId], DatasetAnswer, {
    input: JSON.stringify(plan),
    fileBytes: source.sizeBytes,
    wallMs: limits.longWallMs,
    cpuSeconds: limits.longCpuSeconds,
    signal,
    onProgress,
  });
}

/**
 * Runs `main.ts` with these arguments under the limits. `input` is what it reads from its standard input; `fileBytes` the size of the
 * file that it opens, for which it gets memory besides.
 */
export function runChild<T extends { ok: boolean }>(
  order: string[],
  answer: z.ZodType<T>,
  {
    input,
    fileBytes = 0,
    wallMs = limits.wallMs,
    cpuSeconds = limits.cpuSeconds,
    signal,
    onProgress,
  }: { input?: string; fileBytes?: number; wallMs?: number; cpuSeconds?: number; signal?: AbortSignal; onProgress?: (progress: Progress) => void } = {},
): Promise<T | IngestFailure> {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const [command = "", ...args] = limited([`--max-old-space-size=${limits.heapMiB}`, main, ...order], { fileBytes, cpuSeconds });
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { PATH: process.env.PATH, NODE_ENV: process.env.NODE_ENV, UI_LANGUAGE: languageCode() },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "inherit"],
      timeout: wallMs,
      killSignal: "SIGKILL",
      signal,
    });
    // A child that ends before it has read everything has its reasons, and its answer says them.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      // What comes before the last line says how far it is.
      for (let end = text.indexOf("\n"); end >= 0 && end < text.length - 1; end = text.indexOf("\n")) {
        report(text.slice(0, end), onProgress);
        text = text.slice(end + 1);
      }
      if (text.length > limits.answerBytes) child.kill("SIGKILL");
    });
    child.on("error", (error) => resolve(failed(`The reading process could not be started: ${error.message}`)));
    child.once("close", (code, killedBy) => {
      const read = answer.safeParse(parseJson(text));
      resolve(
        read.success
          ? read.data
          : failed(
              killedBy === null
                ? say("The reading process ended with code {code} and no answer.", { code: String(code) })
                : say("The reading process was stopped ({killedBy}): it went beyond its time or memory.", { killedBy }),
            ),
      );
    });
  });
}

/** How far a long work is. */
export const Progress = z.strictObject({ done: z.int(), of: z.int() });
export type Progress = z.infer<typeof Progress>;
const ProgressLine = z.strictObject({ progress: Progress });

function report(line: string, onProgress?: (progress: Progress) => void): void {
  const read = ProgressLine.safeParse(parseJson(line));
  if (read.success) onProgress?.(read.data.progress);
}

function failed(message: string): IngestFailure {
  return { ok: false, failure: { code: "INGEST_STOPPED", message } };
}

/**
 * A command line that runs Node under the limits: memory, processor time and open files by prlimit(1); no network, by a namespace of its own that has
 * none (unshare(1)); no other process and no worker, by Node's permission model. Where a tool is missing or may not be used, the others stand without it.
 */
export function limited(args: readonly string[], { fileBytes = 0, cpuSeconds = limits.cpuSeconds }: { fileBytes?: number; cpuSeconds?: number } = {}): string[] {
  const within = prlimit({ cpuSeconds: cpuSeconds + Math.floor(fileBytes / limits.bytesPerSecond), dataBytes: limits.dataBytes + 4 * fileBytes, openFiles: limits.openFiles });
  // What is read and written is the store's; which part of it may be is the business of the system's user (docs/hosting.md).
  const permissions = ["--permission", "--allow-fs-read=*", "--allow-fs-write=*", "--allow-addons", "--disable-warning=SecurityWarning"];
  return [...(hasNamespaces() ? [...NO_NETWORK, "--"] : []), ...within, process.execPath, ...permissions, ...args];
}

const NO_NETWORK = ["/usr/bin/unshare", "--user", "--map-current-user", "--net"];
let namespaces: boolean | undefined;

/** Whether this machine lets us make a namespace without a network. Some containers do not. */
export function hasNamespaces(): boolean {
  const [command = "", ...args] = NO_NETWORK;
  namespaces ??= existsSync(command) && spawnSync(command, [...args, "--", "true"], { stdio: "ignore", timeout: 5_000 }).status === 0;
  return namespaces;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
