import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ArrayPlan } from "../../../core/data/arrays.ts";
import type { Manifest } from "../../../core/data/manifest.ts";
import { readNpyHeader } from "../../../core/data/npy.ts";
import { inspectArrays } from "../../../server/ingest/arrayFacts.ts";
import { writeOwnArrays } from "../../../server/ingest/ownArrays.ts";
import { IngestError } from "../../../server/ingest/source.ts";
import { openFileStore } from "../../../server/storage/files.ts";
import { missingOracles, runPython } from "../../oracle.ts";

const missing = missingOracles("numpy");

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tensorloom-arrays-"));
  mkdirSync(join(root, "uploads", "o"), { recursive: true });
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** What real NumPy wrote, as the product reads it: with the plan as guessed, but for `change`. */
async function read(python: string, change: (plan: ArrayPlan) => void = () => {}) {
  const [key, datasetId] = [`uploads/o/${randomUUID()}`, randomUUID()];
  await runPython(`import numpy as np, json\nrng = np.random.default_rng(1)\nf = open(${JSON.stringify(join(root, key))}, "wb")\n${python}\nf.close()\nprint("null")`);
  const { plan } = await inspectArrays(join(root, key));
  change(plan);
  try {
    const { manifest } = await writeOwnArrays(openFileStore(root), datasetId, { file: join(root, key), name: "own.npz" }, plan);
    return { plan, manifest, load: (array: Manifest["splits"]["train"]["input"], rows: number) => load(datasetId, array, rows) };
  } catch (error) {
    if (error instanceof IngestError) return { plan, failure: { code: error.code, message: error.message } };
    throw error;
  } finally {
    const left = await readdir(join(root, "datasets", datasetId)).catch(() => []);
    expect(left.filter((name) => !name.endsWith(".npy"))).toEqual([]);
  }
}

async function load(datasetId: string, array: Manifest["splits"]["train"]["input"], rows: number): Promise<number[]> {
  const bytes = await readFile(join(root, "datasets", datasetId, array.file));
  const { offset, shape, dtype } = readNpyHeader(bytes, bytes.length);
  expect(shape).toEqual([rows, ...array.shape]);
  const data = bytes.subarray(offset);
  const { buffer } = new Uint8Array(data);
  return dtype === "uint8" ? [...data] : dtype === "float32" ? [...new Float32Array(buffer)] : Array.from(new BigInt64Array(buffer), Number);
}

async function take(answer: Awaited<ReturnType<typeof read>>) {
  if (!("manifest" in answer) || !answer.manifest) throw new Error(answer.failure?.message);
  const { manifest, plan } = answer;
  const { train, validation } = manifest.splits;
  return {
    plan,
    manifest,
    train: { x: await answer.load(train.input, train.rows), y: await answer.load(train.target, train.rows) },
    validation: { x: await answer.load(validation.input, validation.rows), y: await answer.load(validation.target, validation.rows) },
  };
}

describe.skipIf(missing.length > 0)(`NumPy files of a person's own${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  it("Keras's own names: pictures in colour, channels last, with the split that the file has", async () => {
    const { plan, manifest, train, validation } = await take(
      await read(`
x = np.arange(20 * 4 * 5 * 3, dtype=np.uint8).reshape(20, 4, 5, 3)
np.savez(f, x_train=x, y_train=np.arange(20) % 3 * 7, x_test=x[:6] + 1, y_test=(np.arange(6) % 3 * 7)[:, None])`),
    );
    expect(plan).toMatchObject({
      train: { input: "x_train", target: "y_train" },
      validation: { input: "x_test", target: "y_test" },
      layout: "channels-last",
      learns: "classes",
      split: { how: "given" },
    });
    expect(manifest).toMatchObject({
      task: "image-classification",
      classes: ["0", "7", "14"],
      preprocess: { dtype: "uint8", scale: 1 / 255 },
      splits: { train: { rows: 20, classCounts: [7, 7, 6] }, validation: { rows: 6 } },
    });
    expect(manifest.splits.train.input.shape).toEqual([3, 4, 5]);
    // Row 2, pixel (1, 3), each channel: place (2·20 + 8)·3 in the file.
    for (const channel of [0, 1, 2]) expect(train.x[2 * 60 + channel * 20 + 8]).toBe(((2 * 20 + 8) * 3 + channel) % 256);
    expect(train.y.slice(0, 4)).toEqual([0, 1, 2, 0]);
    expect(validation.x[0]).toBe(1);
    expect(manifest.preprocess.mean).toHaveLength(3);
    const channel = train.x.filter((_, at) => Math.floor(at / 20) % 3 === 1).map((value) => value / 255);
    const mean = channel.reduce((sum, value) => sum + value, 0) / channel.length;
    expect(manifest.preprocess.mean[1]).toBeCloseTo(mean, 5);
    expect(manifest.preprocess.std[1]).toBeCloseTo(Math.sqrt(channel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / channel.length), 5);
  });

  it.each([
    ["packed", "savez_compressed"],
    ["as it is", "savez"],
  ])("grey pictures without names, %s: split by chance within each class, the same for the same seed", async (_, save) => {
    const python = `
y = np.repeat(np.arange(4), 25)
np.${save}(f, np.broadcast_to(y[:, None, None], (100, 9, 8)).astype(np.uint8), y.astype(np.int32))`;
    const first = await take(await read(python));
    expect(first.plan).toMatchObject({ train: { input: "arr_0", target: "arr_1" }, layout: "grey", split: { how: "stratified" } });
    expect(first.manifest.splits.validation.classCounts).toEqual([5, 5, 5, 5]);
    expect(first.manifest.splits.train.input.shape).toEqual([1, 9, 8]);
    // Every picture is filled with its own class.
    for (const part of [first.train, first.validation]) expect(part.y.every((y, row) => part.x[row * 72] === y)).toBe(true);
    expect((await take(await read(python))).train).toEqual(first.train);
    expect((await take(await read(python, (plan) => Object.assign(plan.split, { seed: 2 })))).train.y).not.toEqual(first.train.y);
  });

  it("a table with named columns and classes, in Fortran order and half precision", async () => {
    const { manifest, train } = await take(
      await read(`
x = np.asfortranarray(np.stack([np.arange(50.), np.arange(50.) * -2, np.ones(50)], 1).astype(np.float16))
np.savez(f, X=x, y=np.arange(50) % 2, feature_names=np.array(["a", "b", "bias"]), target_names=np.array(["no", "yes"]))`),
    );
    expect(manifest).toMatchObject({ task: "tabular-classification", classes: ["no", "yes"], columns: ["a", "b", "bias"], targetName: "y" });
    for (let row = 0; row < 40; row++) {
      expect(train.x[row * 3 + 1]).toBe((train.x[row * 3] as number) * -2);
      expect(train.y[row]).toBe((train.x[row * 3] as number) % 2);
    }
    expect(manifest.preprocess.std[2]).toBe(1);
  });

  it("one .npy with the target in a column, chosen by hand", async () => {
    const python = "np.save(f, np.stack([np.arange(60.) * 3, np.arange(60.), rng.normal(size=60)], 1))";
    const guessed = await take(await read(python));
    expect(guessed.manifest).toMatchObject({ task: "tabular-regression", columns: ["x0", "x1"], targetName: "target" });
    const { manifest, train } = await take(await read(python, (plan) => Object.assign(plan, { targetColumn: 0 })));
    expect(manifest.columns).toEqual(["x1", "x2"]);
    expect(train.y.every((y, row) => y === (train.x[row * 2] as number) * 3)).toBe(true);
  });

  it("one-hot targets, class names as texts, and several values a row", async () => {
    const oneHot = await take(await read("np.savez(f, X=rng.normal(size=(60, 4)), Y=np.eye(3)[np.arange(60) % 3])"));
    expect([oneHot.plan.learns, oneHot.manifest.classes]).toEqual(["one-hot", ["0", "1", "2"]]);
    const texts = await take(await read('np.savez(f, images=np.zeros((60, 8, 8), np.uint8), labels=np.array(["dog", "cat", "été"] * 20))'));
    expect([texts.manifest.task, texts.manifest.classes]).toEqual(["image-classification", ["cat", "dog", "été"]]);
    const values = await take(await read("x = rng.normal(size=(60, 4)); np.savez(f, X=x, y=x[:, :2] * 2)"));
    expect(values.manifest).toMatchObject({ task: "tabular-regression", classes: [], splits: { train: { target: { shape: [2], dtype: "float32" } } } });
    expect(values.train.y[1]).toBeCloseTo((values.train.x[1] as number) * 2, 5);
  });

  it("sequences of tokens with the length of each row", async () => {
    const { plan, manifest } = await take(await read("np.savez(f, tokens=rng.integers(0, 9, (40, 12)), lengths=np.arange(40) % 12 + 1, labels=np.arange(40) % 2)"));
    expect(plan).toMatchObject({ train: { input: "tokens", target: "labels", lengths: "lengths" }, layout: "sequence" });
    expect(manifest).toMatchObject({ task: "text-classification", splits: { train: { input: { dtype: "int64", shape: [12] }, lengths: { dtype: "int64", shape: [] } } } });
  });

  it("NaN and infinity ask for a rule, and then have one", async () => {
    const python = "x = np.ones((50, 2)); x[:, 1] = np.arange(50); x[3, 1] = np.nan; x[7, 0] = np.inf; np.savez(f, X=x, y=np.arange(50) % 2)";
    expect(await read(python)).toMatchObject({
      failure: { code: "MISSING_RULE", message: '2 rows hold NaN or infinity, the first is row 3 of "X". Choose what is done with them.' },
    });
    const leftOut = await take(await read(python, (plan) => Object.assign(plan, { notFinite: "leave-out" })));
    expect(leftOut.manifest.arrays?.rowsLeftOut).toBe(2);
    const filled = await take(await read(python, (plan) => Object.assign(plan, { notFinite: "mean" })));
    expect([...filled.train.x, ...filled.validation.x].every(Number.isFinite)).toBe(true);
    expect(filled.manifest.splits.train.rows + filled.manifest.splits.validation.rows).toBe(50);
  });

  it("labels in order pack a thousand to one, which is no attack; too many rows are too many", async () => {
    const { failure } = await read("np.savez_compressed(f, X=np.zeros((5_000_001, 2), np.uint8), y=np.repeat(np.arange(3), 1_666_667))");
    expect(failure?.code).toBe("ARRAY_ROWS");
  });

  it.each([
    [
      "rows that do not belong together",
      "np.savez(f, X=np.ones((10, 2)), y=np.ones(9))",
      "ARRAY_PLAN|ARRAY_ROWS|DATASET_ONE_CLASS",
      (plan: ArrayPlan) => Object.assign(plan.train, { target: "y" }),
    ],
    ["one class", "np.savez(f, X=np.ones((10, 2)), y=np.ones(10, int))", "DATASET_ONE_CLASS"],
    ["lengths beyond the row", "np.savez(f, X=np.ones((40, 3), int), lengths=np.arange(40), y=np.arange(40) % 2)", "ARRAY_LENGTHS"],
    ["no rows", "np.savez(f, X=np.ones((0, 2)), y=np.ones(0))", "DATASET_EMPTY"],
    ["pictures without targets", "np.save(f, np.zeros((10, 8, 8), np.uint8))", "ARRAY_PLAN"],
  ] as const)("%s are refused with a reason", async (_, python, code, change?: (plan: ArrayPlan) => void) => {
    const { failure } = await read(python, change);
    expect(failure?.code).toMatch(new RegExp(`^(${code})$`));
  });
});
