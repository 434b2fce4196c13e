import type { Manifest } from "../../core/data/manifest.ts";
import type { Graph } from "../../core/graph/document.ts";
import { say } from "../../core/language/say.ts";
import { fittingBatch, memoryModel } from "../../core/training/memory.ts";
import { batchSizes, bestBatch, type Measured, ProbeAnswer, type ProbeOrder, type Unfit } from "../../core/training/probe.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { AppError } from "../errors.ts";
import { recall, remember } from "./measurements.ts";
import { askTrial, openTrial, type TrialOrder } from "./trial.ts";

const WALL_MS = 60_000;
const SEARCH_WALL_MS = 120_000;
/**
 * Takes some real steps of a throw-away copy of the model and says how long they and an evaluation take, and what they hold. The same order
 * measured before is answered from memory.
 * @throws AppError GRAPH_INVALID, CONFIG_RANGE, DATASET_NOT_READY, QUEUE_FULL, GRAPH_MEMORY
 */
export async function measure(db: Database, config: Config, order: TrialOrder): Promise<Measured> {
  const { manifest, graph, plain, specOf } = await openTrial(db, config, order);
  const known = recall(plain);
  if (known) return known;
  const spec = specOf();
  const { measured, unfit } = await probe(config, { specs: [spec], validationRows: manifest.splits.validation.rows, search: false }, WALL_MS, order.signal);
  const [only] = measured;
  if (unfit?.code === "OUT_OF_MEMORY") throw tooLarge(graph, order.settings, manifest, spec, unfit.message);
  if (!only) throw new AppError("CONFIG_RANGE", say("It could not be measured: {why}", { why: unfit?.message ?? say("no step was taken.") }));
  remember(plain, only);
  return only;
}

/** What a search for a batch size saw, what it suggests, and why it went no further. */
export type BatchSearch = { measured: Measured[]; suggested: number; why: string };

/**
 * Measures batches that double, and suggests the one from which on throughput no longer gains.
 * @throws AppError as `measure`; CONFIG_RANGE where not even the smallest fits
 */
export async function findBatch(db: Database, config: Config, order: TrialOrder): Promise<BatchSearch> {
  const { manifest, specOf } = await openTrial(db, config, { ...order, settings: { ...order.settings, batchSize: 1 } });
  const { train, validation } = manifest.splits;
  const sizes = batchSizes(train.rows);
  const specs = sizes.map((batchSize) => specOf({ batchSize }));
  const { measured, unfit } = await probe(config, { specs, validationRows: validation.rows, search: true }, SEARCH_WALL_MS, order.signal);
  const best = bestBatch(measured);
  if (!best)
    throw new AppError(
      "CONFIG_RANGE",
      say("No batch size could be found: with {rows} rows already, {why}", { rows: sizes[0] ?? 0, why: unfit?.message ?? say("no step was taken.") }),
    );
  return { measured, suggested: best.batchSize, why: whyEnd(measured, unfit, train.rows) };
}

function whyEnd(measured: readonly Measured[], unfit: Unfit | null, rows: number): string {
  const last = measured.at(-1)?.batchSize ?? 0;
  if (unfit?.code === "OUT_OF_MEMORY") return `A batch of ${unfit.batchSize} does not fit in memory. ${unfit.message}`;
  if (unfit) return `A batch of ${unfit.batchSize} could not be measured: ${unfit.message}`;
  return 2 * last > rows
    ? say("A larger batch would have more rows than the {rows} that there are.", { rows })
    : say("Beyond {last} rows, twice the batch is no quicker.", { last });
}

async function probe(config: Config, order: ProbeOrder, wallMs: number, signal: AbortSignal | undefined): Promise<ProbeAnswer> {
  const asked = await askTrial(config, "probe.ts", order, { wallMs, signal });
  if ("why" in asked) throw new AppError("CONFIG_RANGE", say("It could not be measured: {why}", { why: asked.why }));
  return ProbeAnswer.parse(asked.answer);
}

function tooLarge(graph: Graph, settings: RunSettings, manifest: Manifest, spec: TrainSpec, message: string): AppError {
  const fits = fittingBatch(memoryModel(graph, settings, manifest), settings.batchSize, spec.memoryLimitBytes ?? Number.POSITIVE_INFINITY);
  return new AppError(
    "GRAPH_MEMORY",
    fits === null
      ? say("A batch of {size} does not fit. {message}", { size: settings.batchSize, message })
      : say("A batch of {size} does not fit. {message} A batch of {fits} ought to.", { size: settings.batchSize, message, fits }),
    {
      details: { field: "batchSize", fits },
    },
  );
}
