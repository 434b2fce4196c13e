import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { Manifest } from "../../core/data/manifest.ts";
import { encodeNpy } from "../../core/data/npy.ts";
import { readSafetensors } from "../../core/export/safetensors.ts";
import { dataFor, tasksOf } from "../../core/tasks/index.ts";
import { chain, sketch } from "../../core/templates/sketch.ts";
import { buildTrainSpec } from "../../core/training/build.ts";
import { defaultSettings } from "../../core/training/recipes.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { run } from "../../native/index.ts";
import { pointsOf, randomNumbers, temporaryFolder, trainAll } from "./specs.ts";

/** Rows that are their own targets: nothing is stored twice, and what a variational network draws is drawn again after a stop. */

const folder = temporaryFolder();
afterAll(folder.remove);

const [ROWS, SIDE] = [70, 6];
const random = randomNumbers(3);
const pixels = Uint8Array.from({ length: ROWS * SIDE * SIDE }, () => Math.floor(random() * 256));
writeFileSync(join(folder.path, "x.npy"), encodeNpy("uint8", [ROWS, 1, SIDE, SIDE], pixels));

const input = { file: "x.npy", dtype: "uint8" as const, shape: [1, SIDE, SIDE], sha256: "" };
const split = { rows: ROWS, input, target: { file: "y.npy", dtype: "int64" as const, shape: [], sha256: "" }, classCounts: [] };
const digits: Manifest = {
  task: "image-classification",
  preprocess: { dtype: "uint8", scale: 1 / 255, mean: [0.5], std: [0.29] },
  classes: ["a", "b"],
  columns: [],
  targetName: "letter",
  splits: { train: split, validation: split },
  source: "",
  licence: "",
};
const manifest = dataFor(digits, "autoencoder");
if (!manifest) throw new Error("Pictures can be rebuilt.");

/** A small network that draws numbers while it trains. */
function variational() {
  const s = sketch();
  const seen = s.stack(
    [
      ["input", "input", { shape: [1, SIDE, SIDE] }],
      ["flatten", "flatten"],
    ],
    { column: 0, row: 0 },
  );
  const mu = s.put(["mu", "linear", { out_features: 3 }], { column: 0, row: 2 }, { x: seen });
  const logvar = s.put(["logvar", "linear", { out_features: 3 }], { column: 1, row: 2 }, { x: seen });
  const code = s.put(["code", "reparameterize"], { column: 0, row: 3 }, { mu, logvar });
  s.put(["latent", "output", {}, "latent"], { column: 1, row: 3 }, { x: code });
  s.put(["divergence", "expression", { expression: "0.5 * (mu ** 2 + exp(logvar) - 1 - logvar).sum(axis=1)" }], { column: 2, row: 3 }, { mu, logvar });
  s.put(["kl", "output", {}, "kl"], { column: 2, row: 4 }, { x: "divergence" });
  s.stack(
    [
      ["fc", "linear", { out_features: SIDE * SIDE }],
      ["sigmoid", "sigmoid"],
      ["unflatten", "unflatten", { dim: 1, unflattened_size: [1, SIDE, SIDE] }],
      ["output", "output"],
    ],
    { column: 0, row: 4 },
    code,
  );
  return s.graph();
}

function specOf(): TrainSpec {
  if (!manifest) throw new Error("Pictures can be rebuilt.");
  const settings = {
    ...defaultSettings("autoencoder", ROWS),
    datasetId: "d",
    loss: "BCELoss" as const,
    extraLosses: [{ output: "kl", loss: "Value" as const, lossParams: {}, weight: 0.01 }],
    batchSize: 16,
    epochs: 3,
  };
  const spec = buildTrainSpec(variational(), settings, manifest);
  const place = (part: TrainSpec["data"]["train"]) => ({
    ...part,
    arrays: Object.fromEntries(Object.entries(part.arrays).map(([name, { file }]) => [name, { file: join(folder.path, file) }])),
  });
  return { ...spec, data: { train: place(spec.data.train), validation: place(spec.data.validation) }, checkpoint: { folder: mkdtempSync(join(folder.path, "run-")), everyMs: 1 } };
}

it("pictures of any data set can be rebuilt, and their classes are no target then", () => {
  expect(tasksOf(digits)).toEqual(["image-classification", "autoencoder"]);
  expect(manifest.classes).toEqual([]);
  expect(dataFor({ ...digits, preprocess: { ...digits.preprocess, dtype: "float32" } }, "autoencoder")).toBeNull();
});

it("the input is read once: it is the target too, its pixels from 0 to 1", async () => {
  const spec = specOf();
  expect(Object.keys(spec.data.train.arrays)).toEqual(["x"]);
  const echo = chain([
    ["input", "input", { shape: [1, SIDE, SIDE] }],
    ["output", "output"],
  ]);
  const { program } = buildTrainSpec(echo, { ...defaultSettings("autoencoder", ROWS), datasetId: "d" }, manifest);
  const outputs = await run({ program, weights: { seed: 0 }, inputs: { x: { dtype: "uint8", shape: [ROWS, 1, SIDE, SIDE], data: pixels } } });
  // What comes out is the input as the network sees it: (x / 255 − 0.5) / 0.29 beside x / 255.
  const wanted = pixels.reduce((sum, pixel) => sum + ((pixel / 255 - 0.5) / 0.29 - pixel / 255) ** 2, 0) / pixels.length;
  expect(Number(outputs.loss?.data[0])).toBeCloseTo(wanted, 4);
});

it("an evaluation carries rebuilt pictures as bytes, and the latent numbers of the rows of its map", async () => {
  const spec = specOf();
  const { events } = await trainAll({ ...spec, epochs: 1 });
  const evaluated = events.find((event) => event.type === "evaluated");
  expect(spec.points?.rows).toHaveLength(ROWS);
  expect(evaluated?.samples.latent?.map((row) => row.length)).toEqual(Array(ROWS).fill(3));
  expect(evaluated?.samples.y).toHaveLength(8);
  for (const row of evaluated?.samples.y ?? []) {
    expect(row).toHaveLength(SIDE * SIDE);
    for (const value of row) expect(Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255).toBe(true);
  }
  expect(Object.keys(evaluated?.values ?? {}).sort()).toEqual(["loss", "loss/kl", "loss/y", "mae", "reconstruction_error"]);
});

it("a variational run that goes on from its middle draws the same numbers, and ends as if it had never stopped", async () => {
  const spec = specOf();
  const whole = await trainAll(spec);
  const again = await trainAll({ ...spec, checkpoint: specOf().checkpoint });
  const checkpoints = whole.events.filter((event) => event.type === "checkpoint");
  const cut = checkpoints[Math.floor(checkpoints.length / 2)];
  if (!cut) throw new Error("The run wrote no checkpoint.");
  const rest = await trainAll({ ...spec, checkpoint: specOf().checkpoint, resumeFrom: cut.file });
  expect(pointsOf(again.events, "train/loss")).toEqual(pointsOf(whole.events, "train/loss"));
  expect(pointsOf(rest.events, "train/loss")).toEqual(pointsOf(whole.events, "train/loss").slice(cut.step));
  const weights = (file: string | null | undefined) =>
    [...readSafetensors(readFileSync(file ?? "")).tensors].filter(([name]) => !name.startsWith("tensorloom")).map(([name, { data }]) => [name, [...data]]);
  expect(weights(rest.result.file)).toEqual(weights(whole.result.file));
  const latent = (events: typeof whole.events) => events.findLast((event) => event.type === "evaluated")?.samples;
  expect(latent(rest.events)).toEqual(latent(whole.events));
});
