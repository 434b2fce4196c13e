import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Manifest } from "../../core/data/manifest.ts";
import type { Graph } from "../../core/graph/document.ts";
import { say } from "../../core/language/say.ts";
import { buildTrainSpec } from "../../core/training/build.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { bringDataset } from "../ingest/place.ts";
import { keptGraph } from "../models/graph.ts";
import { readStartWeights, startKeyOf } from "../models/startWeights.ts";
import { openStore } from "../storage/store.ts";
import { memoryLimitBytes, placeFiles } from "../trainer/load.ts";
import { checkOrder, requireManifest } from "./start.ts";

/** Who asks for a trial of which model, under which settings. */
export type TrialOrder = { orgId: string; modelId: string; settings: RunSettings; signal?: AbortSignal };

/** A model that may be tried out: its drawing, its data, and the order of a run of it with its files in place. */
export type Trial = { graph: Graph; manifest: Manifest /** The order as a run would have it. */; plain: TrainSpec; specOf: (change?: Partial<RunSettings>) => TrainSpec };

/**
 * Readies a throw-away run. The schedule and the epochs of a real one play no part.
 * @throws AppError NOT_FOUND, GRAPH_INVALID, CONFIG_RANGE, DATASET_NOT_READY
 */
export async function openTrial(db: Database, config: Config, { orgId, modelId, settings }: TrialOrder): Promise<Trial> {
  const model = await db.model.findUnique({ where: { id: modelId, orgId, deletedAt: null }, select: { graph: true, startWeights: true } });
  if (!model) throw notFound("model");
  const graph = keptGraph(model.graph);
  const manifest = await requireManifest(db, orgId, settings);
  checkOrder(graph, { ...settings, epochs: 1 }, manifest);
  const files = openStore(config);
  await bringDataset(files, settings.datasetId, manifest);
  const start = readStartWeights(model.startWeights);
  if (start) await files.bring(start.storageKey, start.sha256);
  const specOf = (change: Partial<RunSettings> = {}): TrainSpec => {
    const spec = buildTrainSpec(graph, { ...settings, schedule: "constant", scheduleParams: {}, epochs: 1, ...change }, manifest);
    const startKey = startKeyOf(model.startWeights, spec.program);
    return {
      ...placeFiles(spec, settings.datasetId, files),
      threads: spec.threads || Math.max(1, Math.floor(availableParallelism() / config.MAX_RUNS)),
      startFrom: startKey === null ? null : files.path(startKey),
      memoryLimitBytes: memoryLimitBytes(config),
    };
  };
  return { graph, manifest, plain: buildTrainSpec(graph, { ...settings, schedule: "constant", scheduleParams: {}, epochs: 1 }, manifest), specOf };
}

let underWay = 0;

/**
 * Gives an order to a process of its own that opens the engine, and ends that process with its answer: a crash in there ends nothing else, and
 * nothing of it is kept. As many go on at once as runs may.
 * @returns what it answered, or one sentence on why it did not.
 * @throws AppError QUEUE_FULL
 */
export async function askTrial(
  config: Config,
  main: "lrSearch.ts" | "probe.ts",
  order: object,
  { wallMs, signal }: { wallMs: number; signal?: AbortSignal | undefined },
): Promise<{ answer: unknown } | { why: string }> {
  if (underWay >= config.MAX_RUNS) throw new AppError("QUEUE_FULL", say("Another measurement is under way: try again in some seconds."));
  underWay++;
  try {
    return await ask(main, order, wallMs, signal);
  } finally {
    underWay--;
  }
}

function ask(main: string, order: object, wallMs: number, signal: AbortSignal | undefined): Promise<{ answer: unknown } | { why: string }> {
  return new Promise((resolve) => {
    const file = fileURLToPath(new URL(`../trainer/${main}`, import.meta.url));
    const child = fork(file, [], { stdio: ["ignore", "ignore", "inherit", "ipc"], env: { GOMP_SPINCOUNT: "1000", ...process.env }, execArgv: [] });
    const end = (asked: { answer: unknown } | { why: string }) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      child.kill("SIGKILL");
      resolve(asked);
    };
    const timer = setTimeout(() => end({ why: say("its steps took longer than {wallMs} s. Take a smaller batch.", { wallMs: wallMs / 1_000 }) }), wallMs);
    const onAbort = () => end({ why: say("nobody waits for it any more.") });
    signal?.addEventListener("abort", onAbort);
    child.once("message", (answer) => end({ answer }));
    child.on("error", (error) => end({ why: error.message }));
    child.once("exit", (code, name) => end({ why: say("the process that tried it ended by itself ({name}).", { name: String(name ?? code) }) }));
    child.send(order);
  });
}
