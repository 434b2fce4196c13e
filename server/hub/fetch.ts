import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import type { HubWeights } from "../../core/pretrained/pretrained.ts";
import { hubKey } from "../ingest/pretrained.ts";
import { type FileStore, sha256Of } from "../storage/files.ts";

/** A file of weights: what it must be, whoever sends it. */
type Wanted = Pick<HubWeights, "url" | "sha256" | "sizeBytes">;

/** What a fetch may do; tests ask a server of their own. */
type How = {
  signal?: AbortSignal;
  onProgress?: (doneBytes: number) => void;
  /** Whether we speak to this address. */
  allows?: (url: URL) => boolean;
  /** Between two tries, and how long a silent server is waited for. */
  pauseMs?: number;
  silenceMs?: number;
};

/** Weights that could not be fetched: stable code, and what to do. */
export class HubError extends Error {
  readonly code: "HUB_OFFLINE" | "HUB_REFUSED" | "HUB_CORRUPT";
  constructor(code: HubError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HubError";
    this.code = code;
  }
}

/** Hugging Face, and the hosts that it keeps its files on. */
const HOSTS = /^(?:huggingface\.co|(?:[a-z0-9-]+\.)+(?:hf\.co|huggingface\.co))$/;
const MOST_TRIES = 5;
const MOST_HOPS = 5;

/** Whether weights may come from this address: HTTPS, at a host of ours to choose, without a port or a name in it. */
export function isHub({ protocol, hostname, port, username }: URL): boolean {
  return protocol === "https:" && port === "" && username === "" && HOSTS.test(hostname);
}

/**
 * Brings a file of weights into the store, where it appears only whole and with the SHA-256 that we know. What was cut off goes on where it
 * stopped, also after a restart; what a server sends that is not the file is thrown away.
 * @throws HubError HUB_OFFLINE where nobody answers, HUB_REFUSED where the answer is no, HUB_CORRUPT where what came is not the file
 */
export async function fetchWeights(files: FileStore, wanted: Wanted, how: How = {}): Promise<void> {
  const target = files.path(hubKey(wanted));
  if (await stat(target).catch(() => null)) return;
  await mkdir(dirname(target), { recursive: true });
  const part = `${target}.part`;
  // A part that somebody else left may be of another file: the sum decides, once.
  for (const isLast of [false, true]) {
    await fetchBytes(part, wanted, how);
    if ((await sha256Of(part)) === wanted.sha256) {
      await rename(part, target);
      return;
    }
    await rm(part, { force: true });
    if (isLast)
      throw new HubError("HUB_CORRUPT", `${hostOf(wanted)} sent ${printCount(wanted.sizeBytes)} bytes whose SHA-256 is not the published one. Nothing was kept; try again later.`);
  }
}

/** Adds to the part until it is as long as the file is. */
async function fetchBytes(part: string, wanted: Wanted, how: How): Promise<void> {
  const { pauseMs = 1_000, signal } = how;
  let tries = 0;
  for (;;) {
    const before = await sizeOf(part);
    if (before === wanted.sizeBytes) return;
    if (before > wanted.sizeBytes) await rm(part, { force: true });
    try {
      await addBytes(part, Math.min(before, wanted.sizeBytes) === before ? before : 0, wanted, how);
      tries = (await sizeOf(part)) > before ? 0 : tries + 1;
    } catch (error) {
      if (error instanceof HubError) throw error;
      signal?.throwIfAborted();
      // Whoever came further may try as often again.
      tries = (await sizeOf(part)) > before ? 1 : tries + 1;
      if (tries >= MOST_TRIES)
        throw new HubError("HUB_OFFLINE", `${hostOf(wanted)} cannot be reached from this machine, or breaks off. What has come so far is kept; try again when it is back.`, {
          cause: error,
        });
    }
    if (tries >= MOST_TRIES) throw new HubError("HUB_OFFLINE", `${hostOf(wanted)} ends before the file does. What has come so far is kept; try again later.`);
    await new Promise((go) => setTimeout(go, pauseMs * tries));
  }
}

/** One request: the bytes from `from` on, as far as they come. */
async function addBytes(part: string, from: number, wanted: Wanted, how: How): Promise<void> {
  const { signal, silenceMs = 30_000, onProgress } = how;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(new Error("silent")), silenceMs);
  try {
    const response = await ask(wanted, from, AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]), how);
    // A server that knows nothing of ranges sends all of it.
    const start = response.status === 206 ? from : 0;
    if (response.status === 206 && !response.headers.get("content-range")?.startsWith(`bytes ${from}-`))
      throw new HubError("HUB_CORRUPT", say("{wanted} sent another part than was asked for.", { wanted: hostOf(wanted) }));
    const file = await open(part, start === 0 ? "w" : "a");
    let size = start;
    try {
      for await (const bytes of response.body ?? []) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(new Error("silent")), silenceMs);
        size += bytes.length;
        if (size > wanted.sizeBytes) {
          await file.truncate(0);
          throw new HubError(
            "HUB_CORRUPT",
            say("{wanted} sends more than the {sizeBytes} bytes that the file has. Nothing was kept.", {
              wanted: hostOf(wanted),
              sizeBytes: printCount(wanted.sizeBytes),
            }),
          );
        }
        await file.appendFile(bytes);
        onProgress?.(size);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    clearTimeout(timer);
  }
}

/** The answer at the end of all redirects, none of which may leave the hosts that are ours to choose. */
async function ask(wanted: Wanted, from: number, signal: AbortSignal, { allows = isHub }: How): Promise<Response> {
  let url = new URL(wanted.url);
  for (let hop = 0; hop < MOST_HOPS; hop++) {
    if (!allows(url)) throw new HubError("HUB_REFUSED", say("The weights would come from {host}, which is none of the hosts that this product fetches from.", { host: url.host }));
    const response = await fetch(url, { redirect: "manual", signal, headers: { "accept-encoding": "identity", ...(from > 0 ? { range: `bytes=${from}-` } : {}) } });
    const next = response.status >= 300 && response.status < 400 ? response.headers.get("location") : null;
    if (next === null) return checked(response, wanted);
    await response.body?.cancel();
    url = new URL(next, url);
  }
  throw new HubError("HUB_REFUSED", say("{wanted} sends from one address to the next without an end.", { wanted: hostOf(wanted) }));
}

async function checked(response: Response, wanted: Wanted): Promise<Response> {
  if (response.ok) return response;
  await response.body?.cancel();
  // Busy or out of order: it may be better in a moment.
  if (response.status === 429 || response.status >= 500 || response.status === 416) throw new Error(`status ${response.status}`);
  throw new HubError("HUB_REFUSED", `${hostOf(wanted)} has no such file for us (${response.status}): ${wanted.url}`);
}

const hostOf = ({ url }: Wanted): string => new URL(url).hostname;

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => null))?.size ?? 0;
}
