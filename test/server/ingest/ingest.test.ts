import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Manifest } from "../../../core/data/manifest.ts";
import { readNpyHeader } from "../../../core/data/npy.ts";
import { ingestInChild } from "../../../server/ingest/child.ts";
import { readIdx } from "../../../server/ingest/idx.ts";
import { prepareTable } from "../../../server/ingest/table.ts";
import { hashManifest } from "../../../server/ingest/write.ts";
import { sha256Of } from "../../../server/storage/files.ts";

const datasetId = "018f0000-0000-7000-8000-000000000001";
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tensorloom-ingest-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function ingest(builtin: string): Promise<Manifest> {
  const answer = await ingestInChild({ root, datasetId, builtin });
  if (!answer.ok) throw new Error(answer.failure.message);
  return answer.manifest;
}

/** The numbers of one array, checked against what the manifest says of it. */
async function load(column: Manifest["splits"]["train"]["input"], rows: number): Promise<Buffer> {
  const file = join(root, "datasets", datasetId, column.file);
  const bytes = await readFile(file);
  const header = readNpyHeader(bytes, bytes.length);
  expect(header.dtype).toBe(column.dtype);
  expect(header.shape).toEqual([rows, ...column.shape]);
  expect(await sha256Of(file)).toBe(column.sha256);
  return bytes.subarray(header.offset);
}

describe("ingest", () => {
  it("MNIST: 60,000 and 10,000 images whose statistics are the ones the manifest states", async () => {
    const manifest = await ingest("mnist");
    expect([manifest.splits.train.rows, manifest.splits.validation.rows]).toEqual([60_000, 10_000]);
    expect(manifest.splits.train.classCounts).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    const pixels = await load(manifest.splits.train.input, 60_000);
    let sum = 0;
    let squares = 0;
    for (const pixel of pixels) {
      sum += pixel / 255;
      squares += (pixel / 255) ** 2;
    }
    const mean = sum / pixels.length;
    expect(mean).toBeCloseTo(manifest.preprocess.mean[0] ?? 0, 4);
    expect(Math.sqrt(squares / pixels.length - mean ** 2)).toBeCloseTo(manifest.preprocess.std[0] ?? 0, 4);
    await load(manifest.splits.validation.target, 10_000);
  });

  it("penguins: a stratified split, standardised by the training rows alone, and the same bytes every time", async () => {
    const manifest = await ingest("penguins");
    const { train, validation } = manifest.splits;
    expect(train.rows + validation.rows).toBe(333);
    expect(validation.classCounts).toEqual([29, 14, 24]);
    const bytes = await load(train.input, train.rows);
    const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const columns = manifest.columns.length;
    manifest.columns.forEach((column, at) => {
      const values = Array.from(
        { length: train.rows },
        (_, row) => ((numbers[row * columns + at] ?? Number.NaN) - (manifest.preprocess.mean[at] ?? 0)) / (manifest.preprocess.std[at] ?? 1),
      );
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      // One-hot columns stay 0 or 1; float32 storage costs the others about seven digits.
      if (column.includes("=")) expect(values.every((value) => value === 0 || value === 1)).toBe(true);
      else expect(Math.abs(mean)).toBeLessThan(1e-5);
    });
    expect(hashManifest(await ingest("penguins"))).toBe(hashManifest(manifest));
  });

  it("penguins: the categories once more as numbers, the same rows as the one-hot columns", async () => {
    const { splits, columns } = await ingest("penguins");
    const { rows, input, more } = splits.train;
    if (!more?.categories) throw new Error("The categories are there.");
    expect(more.categories.shape).toEqual([2]);
    const [bytes, numbers] = [await load(input, rows), await load(more.categories, rows)];
    const first = columns.findIndex((column) => column.includes("="));
    for (let row = 0; row < rows; row++)
      for (const at of [0, 1]) {
        const category = Number(numbers.readBigInt64LE((row * 2 + at) * 8));
        expect(category < 3 ? 0 : 1).toBe(at);
        expect(bytes.readFloatLE((row * columns.length + first + category) * 4)).toBe(1);
      }
  });

  it("cars: a regression target with an axis of its own", async () => {
    const manifest = await ingest("cars");
    expect(manifest.task).toBe("tabular-regression");
    expect(manifest.splits.train.rows + manifest.splits.validation.rows).toBe(392);
    expect(manifest.splits.train.target.shape).toEqual([1]);
    await load(manifest.splits.train.target, manifest.splits.train.rows);
  });

  it("an unknown set is an answer, not a crash", async () => {
    expect(await ingestInChild({ root, datasetId, builtin: "none" })).toEqual({
      ok: false,
      failure: { code: "DATASET_UNKNOWN", message: 'There is no built-in data set "none".' },
    });
  });

  it("rows with a missing or unknown cell are left out and counted", () => {
    const rows = Array.from({ length: 20 }, (_, index) => ({ size: index, kind: index % 2 === 0 ? "a" : "b" }));
    const table = prepareTable([...rows, { size: null, kind: "a" }, { size: 1, kind: "." }, { kind: "b" }], {
      numeric: [{ column: "size" }],
      categorical: [],
      target: { kind: "class", column: "kind", values: ["a", "b"] },
      seed: 1,
    });
    expect(table.rowsLeftOut).toBe(3);
    expect(table.splits.validation.target.shape).toEqual([4]);
  });

  it("an IDX file whose header lies is refused", () => {
    expect(() => readIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 9, 1, 2), "x")).toThrow("promises [9], 9 bytes, and holds 2");
    expect(() => readIdx(Uint8Array.of(1, 2, 3), "x")).toThrow("not an IDX file");
  });
});
