import { randomUUID } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { taskNamed } from "../../../core/tasks/index.ts";
import { drawUnet } from "../../../core/templates/unetSmall.ts";
import { Evaluation, Summary } from "../../../core/training/evaluation.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import type { Prepared } from "../../../server/ingest/source.ts";
import { hashManifest, writeDataset } from "../../../server/ingest/write.ts";
import { openWorld, type World } from "../../fault/world.ts";
import { randomNumbers } from "../../native/specs.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
  world.startAgent();
});
afterAll(() => world?.close());

const [ROWS, SIDE] = [160, 16];
const PIXELS = SIDE * SIDE;

/** A bright square or bar on a dark ground, with the class of each pixel; or with the class of the whole. */
function prepare(task: "semantic-segmentation" | "image-classification", seed: number): Prepared {
  const random = randomNumbers(seed);
  const splitOf = (rows: number) => {
    const pictures = new Uint8Array(rows * PIXELS);
    const masks = new Uint8Array(rows * PIXELS);
    const kinds = Array.from({ length: rows }, () => 1 + Math.floor(random() * 2));
    for (const [row, kind] of kinds.entries()) {
      const [width, height] = kind === 1 ? [6, 6] : [3, 11];
      const [left, top] = [Math.floor(random() * (SIDE - width)), Math.floor(random() * (SIDE - height))];
      for (let pixel = 0; pixel < PIXELS; pixel++) {
        const [x, y] = [pixel % SIDE, Math.floor(pixel / SIDE)];
        const isInside = x >= left && x < left + width && y >= top && y < top + height;
        pictures[row * PIXELS + pixel] = Math.floor((isInside ? 160 : 20) + 60 * random());
        // Of the lowest line nothing is known.
        masks[row * PIXELS + pixel] = y === SIDE - 1 ? 255 : isInside ? kind : 0;
      }
    }
    const input = { dtype: "uint8" as const, shape: [rows, 1, SIDE, SIDE], data: pictures };
    return task === "semantic-segmentation"
      ? { input, target: { dtype: "uint8" as const, shape: [rows, SIDE, SIDE], data: masks } }
      : { input, target: { dtype: "int64" as const, shape: [rows], data: BigInt64Array.from(kinds, (kind) => BigInt(kind - 1)) } };
  };
  return {
    task,
    preprocess: { dtype: "uint8", scale: 1 / 255, mean: [0.3], std: [0.25] },
    classes: task === "semantic-segmentation" ? ["ground", "square", "bar"] : ["square", "bar"],
    columns: [],
    targetName: "class",
    source: "",
    licence: "",
    splits: { train: splitOf(ROWS), validation: splitOf(80) },
  };
}

async function addDataset(prepared: Prepared) {
  const { db, files, orgId } = world;
  const datasetId = randomUUID();
  const { manifest, sizeBytes } = await writeDataset(files, datasetId, prepared);
  await db.dataset.create({ data: { id: datasetId, orgId, name: "Pictures", status: "ready", manifest, manifestHash: hashManifest(manifest), sizeBytes } });
  return { datasetId, manifest };
}

it("a run on masks finds each pixel's class, keeps small evaluations, and leaves exports that compute the same", async () => {
  const { datasetId, manifest } = await addDataset(prepare("semantic-segmentation", 1));
  expect(manifest.splits.train.classCounts.reduce((sum, count) => sum + count, 0)).toBe(ROWS * (PIXELS - SIDE));
  const settings = { ...defaultSettings("semantic-segmentation", ROWS), datasetId, epochs: 12 };
  const id = await world.queueRun(settings, drawUnet([1, SIDE, SIDE], 3));
  const run = await world.untilEnded(id);
  expect({ status: run.status, failure: run.failure }).toEqual({ status: "finished", failure: null });

  const summary = Summary.parse(run.summary);
  expect(summary["validation/mean_iou"]?.best).toBeGreaterThan(0.8);
  // Most pixels are ground, which is easy.
  expect(summary["validation/pixel_accuracy"]?.best).toBeGreaterThanOrEqual(summary["validation/mean_iou"]?.best ?? 1);
  const evaluation = Evaluation.parse(run.evaluation);
  expect(evaluation.confusion?.flat().reduce((sum, count) => sum + count, 0)).toBe(80 * (PIXELS - SIDE));
  expect(evaluation.samples).toHaveLength(taskNamed("semantic-segmentation").samples);
  for (const { bytes = "" } of evaluation.samples) {
    const found = inflateRawSync(Buffer.from(bytes, "base64"));
    expect(found.length).toBe(PIXELS);
    expect(Math.max(...found)).toBeLessThan(3);
  }
  expect(JSON.stringify(run.evaluation).length).toBeLessThan(4_000);
  // The best checkpoint is that of the highest mean IoU, of equals the one with the lower loss.
  const best = await world.db.checkpoint.findFirstOrThrow({ where: { runId: id, isBest: true } });
  expect(best.step).toBeGreaterThanOrEqual(summary["validation/mean_iou"]?.bestStep ?? Number.POSITIVE_INFINITY);
  await expectExports(id, [{ name: "y", shape: [64, 3, SIDE, SIDE] }]);
});

it("a run with another task than its data set's learns the pictures themselves, and maps them by the classes it was not told", async () => {
  const { datasetId } = await addDataset(prepare("image-classification", 2));
  const autoencoder = taskNamed("autoencoder");
  const manifest = autoencoder.from?.((await addDataset(prepare("image-classification", 2))).manifest);
  if (!manifest) throw new Error("Pictures can be rebuilt.");
  const settings = { ...defaultSettings("autoencoder", ROWS), datasetId, task: "autoencoder" as const, epochs: 20, batchSize: 16 };
  const id = await world.queueRun(settings, autoencoder.starter(manifest));
  const run = await world.untilEnded(id);
  expect({ status: run.status, failure: run.failure }).toEqual({ status: "finished", failure: null });

  const summary = Summary.parse(run.summary);
  // The pictures' own variance is about 0.05.
  expect(summary["validation/reconstruction_error"]?.best).toBeLessThan(0.03);
  const { latent, samples, confusion } = Evaluation.parse(run.evaluation);
  expect(confusion).toBeNull();
  expect(samples.map(({ bytes = "" }) => inflateRawSync(Buffer.from(bytes, "base64")).length)).toEqual(Array(autoencoder.samples).fill(PIXELS));
  expect(latent?.rows).toHaveLength(80);
  expect(latent?.width).toBe(16);
  expect(new Set(latent?.classes)).toEqual(new Set([0, 1]));
  await expectExports(id, [
    { name: "latent", shape: [64, 16] },
    { name: "y", shape: [64, 1, SIDE, SIDE] },
  ]);
  expect(await world.audit()).toEqual([]);
});

it("a task that cannot be learned from a data set is refused", async () => {
  await expect(world.queueRun({ task: "autoencoder" })).rejects.toMatchObject({ code: "CONFIG_RANGE", message: expect.stringContaining("Autoencoder cannot be learned from") });
});

async function expectExports(runId: string, outputs: { name: string; shape: number[] }[]): Promise<void> {
  const artifacts = await world.db.artifact.findMany({ where: { runId }, orderBy: { kind: "asc" } });
  expect(artifacts.map(({ kind, refusal }) => ({ kind, refusal }))).toEqual(["onnx", "pytorch", "safetensors"].map((kind) => ({ kind, refusal: null })));
  const report = artifacts[0]?.report as { passed: boolean; outputs: { name: string; shape: number[] }[] };
  expect(report.passed).toBe(true);
  expect(report.outputs.map(({ name, shape }) => ({ name, shape })).sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(outputs);
}
