import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../core/data/manifest.ts";
import { writeSafetensors } from "../../core/export/safetensors.ts";
import { untuned } from "../../core/graph/tuning.ts";
import { type Depth, planFineTune } from "../../core/pretrained/fineTune.ts";
import { mobilenetV2Small } from "../../core/pretrained/mobilenetV2.ts";
import { buildTrainSpec } from "../../core/training/build.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { train } from "../../native/index.ts";
import { emoji } from "../../server/ingest/emoji.ts";
import { readPackage } from "../../server/ingest/pretrained.ts";
import { writeDataset } from "../../server/ingest/write.ts";
import { openFileStore } from "../../server/storage/files.ts";

const DATASET = "018f0000-0000-7000-8000-000000000001";

/** How a fine-tuning of the first emoji is asked for: how much learns, on how many, from which weights, for how long; the rest is the product's recipe. */
type Asked = { depth: Depth; rows: { train: number; validation: number }; from: "pretrained" | "scratch"; epochs?: number; lr?: number };

/** The packaged weights and the emoji, read into a folder once. */
export async function prepareEmoji(folder: string): Promise<{ learn: (asked: Asked) => Promise<Learned> }> {
  const weights = join(folder, "mobilenet.safetensors");
  if (!existsSync(weights)) writeFileSync(weights, writeSafetensors(mobilenetV2Small.weights.convert(readPackage(mobilenetV2Small.weights))));
  const { manifest } = await writeDataset(openFileStore(folder), DATASET, await emoji.prepare());
  mkdirSync(join(folder, "run"), { recursive: true });
  return { learn: (asked) => learn(folder, weights, manifest, asked) };
}

export type Learned = { epochs: { accuracy: number; ms: number }[]; totalMs: number; hasFeatures: boolean };

/** Epoch by epoch: what it came to, and how long it took. */
async function learn(folder: string, weights: string, manifest: Manifest, { depth, rows, from, ...wanted }: Asked): Promise<Learned> {
  const { train: learned, validation } = manifest.splits;
  const some = { ...manifest, splits: { train: { ...learned, rows: rows.train }, validation: { ...validation, rows: rows.validation } } };
  const plan = planFineTune(mobilenetV2Small, some, { depth });
  const spec = buildTrainSpec(from === "scratch" ? untuned(plan.graph) : plan.graph, { ...plan.settings, datasetId: DATASET, ...wanted }, some);
  const place = (split: typeof spec.data.train) => ({
    ...split,
    arrays: Object.fromEntries(Object.entries(split.arrays).map(([name, array]) => [name, { ...array, file: join(folder, "datasets", DATASET, array.file) }])),
  });
  const epochs: Learned["epochs"] = [];
  const begun = performance.now();
  let last = begun;
  const onEvents = (events: RunEvent[]) => {
    for (const event of events) {
      if (event.type !== "evaluated") continue;
      epochs.push({ accuracy: event.values.accuracy ?? Number.NaN, ms: performance.now() - last });
      last = performance.now();
    }
  };
  const data = { train: place(spec.data.train), validation: place(spec.data.validation) };
  await train({ ...spec, data, checkpoint: null, sampleRows: [], startFrom: from === "scratch" ? null : weights }, onEvents).done;
  return { epochs, totalMs: performance.now() - begun, hasFeatures: spec.features !== undefined };
}

/** The best accuracy of a run. */
export function bestOf({ epochs }: Learned): number {
  return Math.max(...epochs.map(({ accuracy }) => accuracy));
}
