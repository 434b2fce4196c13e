import { stat } from "node:fs/promises";
import { say } from "../../core/language/say.ts";
import type { HubWeights, Pretrained } from "../../core/pretrained/pretrained.ts";
import { hubKey } from "../ingest/pretrained.ts";
import type { FileStore } from "../storage/files.ts";
import { fetchWeights, HubError } from "./fetch.ts";

/** Where the weights of a network are. `failed`: why the last try came to nothing. */
export type WeightsState =
  | { at: "installed" }
  | { at: "here" }
  | { at: "on their way"; doneBytes: number }
  | { at: "the hub"; doneBytes: number; failed: string | null; isOff: boolean };

/** What is fetched by this process, and what became of what was tried, by SHA-256. */
const underway = new Map<string, { doneBytes: number; done: Promise<void> }>();
const failures = new Map<string, string>();

export async function weightsState(files: FileStore, { weights }: Pick<Pretrained, "weights">, isOn: boolean): Promise<WeightsState> {
  if (weights.kind === "package") return { at: "installed" };
  const file = files.path(hubKey(weights));
  if (await stat(file).catch(() => null)) return { at: "here" };
  const now = underway.get(weights.sha256);
  if (now) return { at: "on their way", doneBytes: now.doneBytes };
  const doneBytes = (await stat(`${file}.part`).catch(() => null))?.size ?? 0;
  return { at: "the hub", doneBytes, failed: failures.get(weights.sha256) ?? null, isOff: !isOn };
}

/** Begins to fetch weights, or goes on with it; who asks twice waits for the same. Resolves when they are here or a try has failed, never rejects. */
export function beginFetch(files: FileStore, weights: HubWeights, fetchOne: typeof fetchWeights = fetchWeights): Promise<void> {
  const { sha256 } = weights;
  const known = underway.get(sha256);
  if (known) return known.done;
  failures.delete(sha256);
  const state = { doneBytes: 0, done: Promise.resolve() };
  state.done = fetchOne(files, weights, { onProgress: (doneBytes) => (state.doneBytes = doneBytes) })
    .catch((error: unknown) => {
      failures.set(sha256, error instanceof HubError ? error.message : say("The weights could not be kept: there may be no room on this machine."));
      if (!(error instanceof HubError)) console.error(error);
    })
    .finally(() => underway.delete(sha256));
  underway.set(sha256, state);
  return state.done;
}
