import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { dataFor } from "../../core/tasks/index.ts";
import type { Template } from "../../core/templates/index.ts";
import { buildTrainSpec } from "../../core/training/build.ts";
import { defaultSettings } from "../../core/training/recipes.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { findBuiltinDataset } from "../../server/ingest/builtin.ts";
import { datasetFolder, writeDataset } from "../../server/ingest/write.ts";
import { openFileStore } from "../../server/storage/files.ts";

/** Data sets that were written, by the folder they are in: several templates learn from one. */
const written = new Map<string, ReturnType<typeof writeDataset>>();

async function writeBuiltin(folder: string, id: string): ReturnType<typeof writeDataset> {
  const dataset = findBuiltinDataset(id);
  if (!dataset) throw new Error(`There is no data set ${id}.`);
  return writeDataset(openFileStore(folder), id, await dataset.prepare());
}

/** What the Train button would order for a template: its own data set, written under `folder`, and its settings. `rows` cuts both splits. */
export async function specOfTemplate(template: Template, folder: string, changes: Partial<RunSettings> = {}, rows?: { train: number; validation: number }): Promise<TrainSpec> {
  const files = openFileStore(folder);
  const key = `${folder} ${template.datasetBuiltin}`;
  const kept = written.get(key) ?? writeBuiltin(folder, template.datasetBuiltin);
  written.set(key, kept);
  const { manifest } = await kept;
  const settings = { ...defaultSettings(template.task, manifest.splits.train.rows), datasetId: template.datasetBuiltin, ...template.settings, ...changes };
  const spec = buildTrainSpec(template.graph, settings, dataFor(manifest, settings.task) ?? manifest);
  const place = (file: string) => files.path(`${datasetFolder(template.datasetBuiltin)}/${file}`);
  const placed = (split: TrainSpec["data"]["train"], most = split.rows): TrainSpec["data"]["train"] => ({
    ...split,
    rows: Math.min(split.rows, most),
    arrays: Object.fromEntries(Object.entries(split.arrays).map(([name, array]) => [name, { ...array, file: place(array.file) }])),
    ...(split.lengths ? { lengths: { ...split.lengths, file: place(split.lengths.file) } } : {}),
  });
  const checkpoints = join(folder, "checkpoints", template.id);
  mkdirSync(checkpoints, { recursive: true });
  const { points, ...rest } = spec;
  return {
    ...rest,
    ...(points ? { points: { ...points, rows: points.rows.filter((row) => row < (rows?.validation ?? Number.POSITIVE_INFINITY)) } } : {}),
    data: { train: placed(spec.data.train, rows?.train), validation: placed(spec.data.validation, rows?.validation) },
    checkpoint: { folder: checkpoints, everyMs: 0 },
    sampleRows: rows ? [] : spec.sampleRows,
  };
}
