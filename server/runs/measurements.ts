import { createHash } from "node:crypto";
import type { Manifest } from "../../core/data/manifest.ts";
import type { Graph } from "../../core/graph/document.ts";
import { planSteps, writesEvery } from "../../core/training/build.ts";
import { memoryModel } from "../../core/training/memory.ts";
import { epochMs, type Forecast, type Measured, probeKey } from "../../core/training/probe.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import type { TrainSpec } from "../../core/training/spec.ts";

/** Measurements are remembered by what decides them, the last so many. */
const REMEMBERED = 200;
const remembered = new Map<string, Measured>();

/** What an order, its files not yet placed, was measured as before by this process. */
export function recall(spec: TrainSpec): Measured | null {
  return remembered.get(keyOf(spec)) ?? null;
}

export function remember(spec: TrainSpec, measured: Measured): void {
  remembered.set(keyOf(spec), measured);
  const [oldest] = remembered.keys();
  if (remembered.size > REMEMBERED && oldest !== undefined) remembered.delete(oldest);
}

function keyOf(spec: TrainSpec): string {
  return createHash("sha256").update(probeKey(spec)).digest("base64");
}

/** What is foretold of a run as it is started: by what was measured of it, else by the model of its memory alone. */
export function forecastOf(graph: Graph, settings: RunSettings, manifest: Manifest, spec: TrainSpec): Forecast {
  const known = recall(spec);
  if (!known) return { epochMs: null, peakBytes: memoryModel(graph, settings, manifest)(settings.batchSize).peakBytes, measured: false };
  return { epochMs: epochMs(known, planSteps(manifest.splits.train.rows, settings).stepsPerEpoch, writesEvery(settings)), peakBytes: known.peakBytes, measured: true };
}
