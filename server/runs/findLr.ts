import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildTrainSpec, planSteps } from "../../core/training/build.ts";
import { LrAnswer, type LrPoint, type LrSuggestion, lrSearchSpec, smoothLosses, suggestLr } from "../../core/training/lrSearch.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { keptGraph } from "../models/graph.ts";
import { startKeyOf } from "../models/startWeights.ts";
import { openFileStore } from "../storage/files.ts";
import { placeFiles } from "../trainer/load.ts";
import { checkOrder, requireManifest } from "./start.ts";

/** What a search may take; a network too slow for its steps in this time is refused. */
const WALL_MS = 120_000;
let underWay = 0;

export type LrSearch = { points: LrPoint[]; smoothed: LrPoint[]; suggestion: LrSuggestion | null };

/**
 * Trains a throw-away copy of the model for some steps under a rising learning rate, in a process of its own. Nothing of it is kept: no run, no
 * metric, no file.
 * @throws AppError GRAPH_INVALID, CONFIG_RANGE, DATASET_NOT_READY, QUEUE_FULL
 */
export async function findLr(
  db: Database,
  config: Config,
  { orgId, modelId, settings, signal }: { orgId: string; modelId: string; settings: RunSettings; signal?: AbortSignal },
): Promise<LrSearch> {
  const model = await db.model.findUnique({ where: { id: modelId, orgId, deletedAt: null }, select: { graph: true, startWeights: true } });
  if (!model) throw notFound("model");
  const graph = keptGraph(model.graph);
  const manifest = await requireManifest(db, orgId, settings.datasetId);
  checkOrder(graph, { ...settings, epochs: 1 }, manifest);
  if (underWay >= config.MAX_RUNS) throw new AppError("QUEUE_FULL", "Another search for a learning rate is under way: try again in some seconds.");
  const files = openFileStore(join(config.DATA_DIR, "files"));
  const { stepsPerEpoch } = planSteps(manifest.splits.train.rows, settings);
  // The schedule of the run itself plays no part, however many steps it is for.
  const spec = lrSearchSpec(buildTrainSpec(graph, { ...settings, epochs: 1 }, manifest), stepsPerEpoch);
  const startKey = startKeyOf(model.startWeights, spec.program);
  underWay++;
  try {
    const answer = await searchInChild(
      {
        ...placeFiles(spec, settings.datasetId, files),
        threads: spec.threads || Math.max(1, Math.floor(availableParallelism() / config.MAX_RUNS)),
        startFrom: startKey === null ? null : files.path(startKey),
      },
      signal,
    );
    if (!answer.ok) throw new AppError("CONFIG_RANGE", `No learning rate could be looked for: ${answer.message}`);
    return { points: answer.points, smoothed: smoothLosses(answer.points), suggestion: suggestLr(answer.points) };
  } finally {
    underWay--;
  }
}

function searchInChild(order: unknown, signal: AbortSignal | undefined): Promise<LrAnswer> {
  const main = fileURLToPath(new URL("../trainer/lrSearch.ts", import.meta.url));
  return new Promise((resolve) => {
    const child = fork(main, [], { stdio: ["ignore", "ignore", "inherit", "ipc"], env: { GOMP_SPINCOUNT: "1000", ...process.env }, execArgv: [] });
    const end = (answer: LrAnswer) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      child.kill("SIGKILL");
      resolve(answer);
    };
    const timer = setTimeout(() => end({ ok: false, message: `its steps took longer than ${WALL_MS / 1_000} s. Take a smaller batch.` }), WALL_MS);
    const onAbort = () => end({ ok: false, message: "nobody waits for it any more." });
    signal?.addEventListener("abort", onAbort);
    child.once("message", (message) => end(LrAnswer.parse(message)));
    child.once("error", (error) => end({ ok: false, message: error.message }));
    child.once("exit", (code, name) => end({ ok: false, message: `the process that looked for it ended by itself (${name ?? code}).` }));
    child.send(order as object);
  });
}
