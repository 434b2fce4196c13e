/**
 * `node test/bench/templates.ts [--only id] [--epochs N] [--device cuda]`: trains templates as the Train button would, on their own
 * data sets, and prints what they reach on validation rows. Their docs say these figures.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { templates } from "../../core/templates/index.ts";
import { buildTrainSpec } from "../../core/training/build.ts";
import { defaultSettings } from "../../core/training/recipes.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { findBuiltinDataset } from "../../server/ingest/builtin.ts";
import { datasetFolder, writeDataset } from "../../server/ingest/write.ts";
import { openFileStore } from "../../server/storage/files.ts";
import { temporaryFolder, trainAll } from "../native/specs.ts";

const { values: options } = parseArgs({ options: { only: { type: "string" }, epochs: { type: "string" }, device: { type: "string" } } });
const folder = temporaryFolder();
const files = openFileStore(folder.path);

try {
  for (const template of templates) {
    if (options.only && template.id !== options.only) continue;
    const dataset = findBuiltinDataset(template.datasetBuiltin);
    if (!dataset) throw new Error(`There is no data set ${template.datasetBuiltin}.`);
    const { manifest } = await writeDataset(files, template.datasetBuiltin, await dataset.prepare());
    const settings = {
      ...defaultSettings(template.task, manifest.splits.train.rows),
      datasetId: template.datasetBuiltin,
      ...template.settings,
      ...(options.epochs ? { epochs: Number(options.epochs) } : {}),
      ...(options.device === "cuda" ? { device: "cuda" as const } : {}),
    };
    const spec = buildTrainSpec(template.graph, settings, manifest);
    const place = (file: string) => files.path(`${datasetFolder(template.datasetBuiltin)}/${file}`);
    const placed = (split: TrainSpec["data"]["train"]): TrainSpec["data"]["train"] => ({
      ...split,
      arrays: Object.fromEntries(Object.entries(split.arrays).map(([name, { file }]) => [name, { file: place(file) }])),
      ...(split.lengths ? { lengths: { ...split.lengths, file: place(split.lengths.file) } } : {}),
    });
    const checkpoints = join(folder.path, "checkpoints", template.id);
    mkdirSync(checkpoints, { recursive: true });
    const started = Date.now();
    const { events } = await trainAll({
      ...spec,
      data: { train: placed(spec.data.train), validation: placed(spec.data.validation) },
      checkpoint: { folder: checkpoints, everyMs: 0 },
    });
    const last = events.findLast((event) => event.type === "evaluated");
    const shown = Object.entries(last?.values ?? {}).map(([name, value]) => `${name} ${value?.toFixed(4)}`);
    const seconds = ((Date.now() - started) / 1000).toFixed(0);
    console.log(`${template.title}: ${shown.join(", ")}; ${settings.epochs} epochs in ${seconds} s`);
  }
} finally {
  folder.remove();
}
