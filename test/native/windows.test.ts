import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { encodeNpy } from "../../core/data/npy.ts";
import { chain } from "../../core/templates/sketch.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { specOf, temporaryFolder, trainAll } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

const LETTERS = 4;
const CONTEXT = 5;
/** 2 3 2 3 …: what comes next is plain to see. */
const text = BigInt64Array.from({ length: 201 }, (_, at) => BigInt(2 + (at % 2)));

/** Says of each letter which comes next, of texts of any length or of one. */
const drawReader = (length: number | string) =>
  chain([
    ["x", "input", { shape: [length], dtype: "int64" }],
    ["embedding", "embedding", { num_embeddings: LETTERS, embedding_dim: 8 }],
    ["fc", "linear", { out_features: LETTERS }],
    ["turn", "permute", { dims: [0, 2, 1] }],
    ["y", "output"],
  ]);
const graph = drawReader("T");

function write(name: string, dtype: "int64", shape: number[], data: BigInt64Array): string {
  const file = join(folder.path, `${name}.npy`);
  writeFileSync(file, encodeNpy(dtype, shape, data));
  return file;
}

const generate: TrainSpec["generate"] = { input: "x", output: "y", prompt: [2], tokens: 6, context: CONTEXT, temperature: 0, everyEpochs: 1, without: [0, 1] };

describe("rows that are windows over one array", () => {
  const series = write("series", "int64", [text.length], text);
  const windows = (first: number, rows: number): TrainSpec["data"]["train"] => ({
    arrays: { x: { file: series, window: { first, stride: CONTEXT, length: CONTEXT } }, target: { file: series, window: { first: first + 1, stride: CONTEXT, length: CONTEXT } } },
    rows,
  });

  it("train bit for bit as the same rows written out", async () => {
    const rows = 40;
    const cut = (from: number) => BigInt64Array.from({ length: rows * CONTEXT }, (_, at) => text[from + at] ?? 0n);
    const plain = {
      arrays: { x: { file: write("x", "int64", [rows, CONTEXT], cut(0)) }, target: { file: write("target", "int64", [rows, CONTEXT], cut(1)) } },
      rows,
    };
    const lossesOf = async (data: TrainSpec["data"]["train"]) => {
      const { events } = await trainAll(specOf({ graph }, { train: data }, { epochs: 2, metrics: [] }));
      return events.flatMap((event) => (event.type === "points" && event.key === "train/loss" ? event.values : []));
    };
    const [cutOut, writtenOut] = [await lossesOf(windows(0, rows)), await lossesOf(plain)];
    expect(cutOut.length).toBeGreaterThan(0);
    expect(cutOut).toEqual(writtenOut);
  });

  it("are refused where the array ends before the last of them", async () => {
    await expect(trainAll(specOf({ graph }, { train: windows(0, 41) }, { metrics: [] }))).rejects.toMatchObject({ failure: { code: "DATA_MISMATCH" } });
  });

  it("make a network that goes on with a text after each epoch, and trains the same with it and without", async () => {
    const settings = { epochs: 6, metrics: [] };
    const written = await trainAll(specOf({ graph }, { train: windows(0, 40) }, { ...settings, generate }));
    const silent = await trainAll(specOf({ graph }, { train: windows(0, 40) }, settings));
    const texts = written.events.filter((event) => event.type === "generated");
    expect(texts.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(texts.at(-1)?.tokens).toEqual([2, 3, 2, 3, 2, 3, 2]);
    const lossOf = ({ events }: typeof written) => events.findLast((event) => event.type === "evaluated")?.values.loss;
    expect(lossOf(written)).toBe(lossOf(silent));
  });

  it("write the same text again for the same seed, and never what is not to be written", async () => {
    const freely = { ...generate, temperature: 5, tokens: 40, everyEpochs: 3, prompt: [2, 3, 2, 3, 2, 3, 2, 3] };
    const textsOf = async () => {
      const { events } = await trainAll(specOf({ graph }, { train: windows(0, 40) }, { epochs: 3, metrics: [], generate: freely }));
      return events.flatMap((event) => (event.type === "generated" ? [event.tokens] : []));
    };
    const texts = await textsOf();
    // The first epoch and every third.
    expect(texts).toHaveLength(2);
    expect(texts.flat().every((token) => token >= 2 && token < LETTERS)).toBe(true);
    expect(await textsOf()).toEqual(texts);
  });

  it("also of a network that takes one length only", async () => {
    const { events } = await trainAll(specOf({ graph: drawReader(CONTEXT) }, { train: windows(0, 40) }, { epochs: 6, metrics: [], generate }));
    expect(events.findLast((event) => event.type === "generated")?.tokens).toEqual([2, 3, 2, 3, 2, 3, 2]);
  });
});
