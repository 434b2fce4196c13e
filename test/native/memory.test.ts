import { afterAll, describe, expect, it } from "vitest";
import { dataFor } from "../../core/tasks/index.ts";
import { findTemplate } from "../../core/templates/index.ts";
import { fittingBatch, memoryModel } from "../../core/training/memory.ts";
import { defaultSettings } from "../../core/training/recipes.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import { findBuiltinDataset } from "../../server/ingest/builtin.ts";
import { writeDataset } from "../../server/ingest/write.ts";
import { openFileStore } from "../../server/storage/files.ts";
import { temporaryFolder, trainAll } from "./specs.ts";
import { specOfTemplate } from "./templates.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

/** The model of a template's memory, and what the engine counts over two steps. */
async function compare(id: string, change: Partial<RunSettings>): Promise<{ estimated: number; counted: number; model: ReturnType<typeof memoryModel> }> {
  const template = findTemplate(id);
  if (!template) throw new Error(`There is no template ${id}.`);
  const { manifest } = await writeDataset(openFileStore(folder.path), template.datasetBuiltin, await (findBuiltinDataset(template.datasetBuiltin) ?? never()).prepare());
  const settings = { ...defaultSettings(template.task, manifest.splits.train.rows), datasetId: template.datasetBuiltin, ...template.settings, ...change };
  const data = dataFor(manifest, settings.task) ?? manifest;
  const model = memoryModel(template.graph, settings, data);
  const spec = await specOfTemplate(template, folder.path, change, { train: 2 * settings.batchSize, validation: 64 });
  const { earlyStopping: _, ...plain } = spec;
  const { events } = await trainAll({ ...plain, epochs: 1, checkpoint: null });
  const counted = Math.max(...events.flatMap((event) => (event.type === "progress" ? [event.peakBytes ?? 0] : [])));
  return { estimated: model(settings.batchSize).peakBytes, counted, model };
}

function never(): never {
  throw new Error("There is no such data set.");
}

describe("the model of training memory", () => {
  it.each([
    ["lenet5", { batchSize: 128 }],
    ["lenet5", { batchSize: 512, optimizer: "SGD", optimizerParams: {} }],
    ["resnet-small", { batchSize: 32 }],
    ["tabular-mlp", { batchSize: 128 }],
    ["tabular-embedding", { batchSize: 128 }],
    ["name-lstm", { batchSize: 128 }],
    ["gate-lstm", { batchSize: 64 }],
    ["early-exit-cnn", { batchSize: 64 }],
    ["routed-experts", { batchSize: 128 }],
  ] as const)("%s %j: within a factor of two of what the engine counts", async (id, change) => {
    const { estimated, counted, model } = await compare(id, change);
    expect([id, estimated / counted > 0.5 && estimated / counted < 2, estimated, counted]).toEqual([id, true, estimated, counted]);
    // Twice the batch takes more, and no more than twice as much.
    const [once, twice] = [model(change.batchSize).peakBytes, model(2 * change.batchSize).peakBytes];
    expect(twice).toBeGreaterThan(once);
    expect(twice).toBeLessThanOrEqual(2 * once);
  });

  it("offers the largest power of two that fits, and none where nothing does", async () => {
    const { model } = await compare("lenet5", { batchSize: 128 });
    const limit = model(64).peakBytes;
    expect(fittingBatch(model, 128, limit)).toBe(64);
    expect(fittingBatch(model, 100, limit)).toBe(64);
    expect(fittingBatch(model, 64, limit)).toBe(32);
    // Twice as much was needed as the model had said.
    expect(fittingBatch(model, 128, limit, 2 * model(128).peakBytes)).toBeLessThan(64);
    expect(fittingBatch(model, 128, 1000)).toBeNull();
  });
});
