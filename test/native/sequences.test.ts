import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { encodeNpy } from "../../core/data/npy.ts";
import { readSafetensors } from "../../core/export/safetensors.ts";
import { tensorBytes, tensorOf } from "../../core/export/tensor.ts";
import type { Graph } from "../../core/graph/document.ts";
import { float32 } from "../../core/layers/kit.ts";
import { lowerModel, lowerTraining } from "../../core/program/lower.ts";
import { sketch } from "../../core/templates/sketch.ts";
import type { LossRecord, MetricRecord } from "../../core/training/records.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { run } from "../../native/index.ts";
import { pointsOf, randomNumbers, specOf, temporaryFolder, trainAll } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

const VOCABULARY = 7;

/** Letters and their lengths through an LSTM, both ways, and the mean over the steps that count. */
function reader(dropout = 0): Graph {
  const s = sketch();
  s.put(["x", "input", { shape: ["T"], dtype: "int64" }], { column: 0, row: 0 });
  s.put(["lengths", "input", { shape: [], dtype: "int64" }, "lengths"], { column: 1, row: 0 });
  s.put(["embedding", "embedding", { num_embeddings: VOCABULARY, embedding_dim: 4 }], { column: 0, row: 1 }, { x: "x" });
  s.put(["lstm", "lstm", { hidden_size: 5, bidirectional: true, num_layers: 2 }], { column: 0, row: 2 }, { x: "embedding", lengths: "lengths" });
  s.put(["pool", "masked_mean"], { column: 0, row: 3 }, { x: "lstm", lengths: "lengths" });
  s.put(["drop", "dropout", { p: dropout }], { column: 0, row: 4 }, { x: "pool" });
  s.put(["fc", "linear", { out_features: 2 }], { column: 0, row: 5 }, { x: "drop" });
  s.put(["y", "output"], { column: 0, row: 6 }, { x: "fc" });
  return s.graph();
}

describe("padding", () => {
  const program = lowerModel(reader());
  const predict = async (rows: readonly number[][], steps: number, padding: () => number) => {
    const data = rows.flatMap((row) => [...row, ...Array.from({ length: steps - row.length }, padding)]);
    const inputs = {
      x: tensorOf("int64", [rows.length, steps], data),
      lengths: tensorOf(
        "int64",
        [rows.length],
        rows.map((row) => row.length),
      ),
    };
    return Array.from((await run({ program, weights: { seed: 5 }, inputs })).y?.data ?? [], Number);
  };

  it("never changes what is said of a row, however much of it there is and whatever it holds", async () => {
    const row = fc.array(fc.nat(VOCABULARY - 1), { minLength: 1, maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 5 }), fc.nat(6), fc.integer(), async (rows, more, seed) => {
        const random = randomNumbers(seed);
        const together = await predict(rows, Math.max(...rows.map(({ length }) => length)) + more, () => Math.floor(random() * VOCABULARY));
        for (const [i, one] of rows.entries()) {
          const alone = await predict([one], one.length, () => 0);
          // The same arithmetic over another number of rows: only the last bits may differ.
          for (const [k, value] of alone.entries()) expect(together[2 * i + k]).toBeCloseTo(value, 5);
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** Rows of random lengths; the target of row i is 2^i, so that a batch's sum says which rows it holds. */
function writeSequences(name: string, rows: number, longest: number, target: "bits" | "classes"): TrainSpec["data"]["train"] {
  const random = randomNumbers(rows);
  const lengths = BigInt64Array.from({ length: rows }, () => BigInt(1 + Math.floor(random() * longest)));
  const x = BigInt64Array.from({ length: rows * longest }, (_, i) =>
    i % longest < Number(lengths[Math.floor(i / longest)]) ? BigInt(1 + Math.floor(random() * (VOCABULARY - 1))) : 0n,
  );
  const files = { x: join(folder.path, `${name}-x.npy`), lengths: join(folder.path, `${name}-lengths.npy`), target: join(folder.path, `${name}-target.npy`) };
  writeFileSync(files.x, encodeNpy("int64", [rows, longest], x));
  writeFileSync(files.lengths, encodeNpy("int64", [rows], lengths));
  writeFileSync(
    files.target,
    target === "bits"
      ? encodeNpy(
          "float32",
          [rows],
          Float32Array.from({ length: rows }, (_, i) => 2 ** i),
        )
      : encodeNpy(
          "int64",
          [rows],
          lengths.map((length) => length % 2n),
        ),
  );
  return { arrays: { x: { file: files.x }, lengths: { file: files.lengths }, target: { file: files.target } }, rows, lengths: { file: files.lengths, crop: ["x"] } };
}

describe("batches of sequences", () => {
  const ROWS = 22;
  const LONGEST = 12;
  const BATCH = 4;
  const anyLoss: LossRecord = {
    name: "MSELoss",
    title: "",
    doc: "",
    source: "",
    expects: "values",
    target: () => ({ target: { dtype: "float32", shape: ["B"] } }),
    lower: (b, { y }) => b.call("aten::mean", [y], float32([])),
    torch: "",
  };
  const whatIsIn: MetricRecord = { name: "rows", title: "", doc: "", reduce: "mean", when: "always", lower: (b, { target }) => b.call("aten::sum", [target], float32([])) };
  const steps: MetricRecord = {
    name: "steps",
    title: "",
    doc: "",
    reduce: "mean",
    when: "always",
    lower: (b, { y, target }) =>
      b.call(
        "aten::div.Tensor",
        [b.call("aten::sum", [b.call("aten::ones_like", [y], y.type)], float32([])), b.call("aten::sum", [b.call("aten::ones_like", [target], target.type)], float32([]))],
        float32([]),
      ),
  };
  /** One number for every step, so that its size tells how far the rows were cut. */
  const graph = (() => {
    const s = sketch();
    s.put(["x", "input", { shape: ["T"], dtype: "int64" }], { column: 0, row: 0 });
    s.put(["lengths", "input", { shape: [], dtype: "int64" }, "lengths"], { column: 1, row: 0 });
    s.stack(
      [
        ["embedding", "embedding", { num_embeddings: VOCABULARY, embedding_dim: 1 }],
        ["y", "output"],
      ],
      { column: 0, row: 1 },
      "x",
    );
    return s.graph();
  })();
  const data = writeSequences("bits", ROWS, LONGEST, "bits");
  const lengthOf = new BigInt64Array(new Uint8Array(readFileSync(data.lengths?.file ?? "")).slice(-8 * ROWS).buffer);

  async function batchesOf(settings: Partial<TrainSpec>): Promise<{ rows: number[]; steps: number }[][]> {
    const spec = specOf({ graph }, { train: data }, { ...lowerTraining(graph, { loss: anyLoss, metrics: [whatIsIn, steps] }), batchSize: BATCH, epochs: 3, ...settings });
    const { events } = await trainAll(spec);
    const sums = pointsOf(events, "train/rows").map(([, value]) => value ?? 0);
    const sizes = pointsOf(events, "train/steps").map(([, value]) => value ?? 0);
    const batches = sums.map((sum, i) => ({ rows: Array.from({ length: ROWS }, (_, row) => row).filter((row) => Math.floor(sum / 2 ** row) % 2 === 1), steps: sizes[i] ?? 0 }));
    const perEpoch = Math.ceil(ROWS / BATCH);
    return [0, 1, 2].map((epoch) => batches.slice(epoch * perEpoch, (epoch + 1) * perEpoch));
  }

  it.each([true, false])("hold each row once an epoch and end with their longest one (bucketing %s)", async (bucketing) => {
    for (const epoch of await batchesOf({ bucketing })) {
      expect(epoch.flatMap(({ rows }) => rows).sort((a, b) => a - b)).toEqual(Array.from({ length: ROWS }, (_, row) => row));
      expect(epoch.map(({ rows }) => rows.length)).toEqual([4, 4, 4, 4, 4, 2]);
      for (const { rows, steps } of epoch) expect(steps).toBe(Math.max(...rows.map((row) => Number(lengthOf[row]))));
    }
  });

  it("come in another order each epoch, and in the same one each time", async () => {
    const [once, again, other] = [await batchesOf({ bucketing: true }), await batchesOf({ bucketing: true }), await batchesOf({ bucketing: true, seed: 8 })];
    expect(again).toEqual(once);
    expect(other).not.toEqual(once);
    expect(once[1]).not.toEqual(once[0]);
  });

  it("of rows of like length hold less padding", async () => {
    const read = (epochs: { rows: number[]; steps: number }[][]) => epochs.flat().reduce((sum, { rows, steps }) => sum + rows.length * steps, 0);
    expect(read(await batchesOf({ bucketing: true }))).toBeLessThan(0.9 * read(await batchesOf({ bucketing: false })));
  });

  it.each([
    [13n, "is not from 1 to 12"],
    [0n, "is not from 1 to 12"],
  ])("are refused where a length is %d", async (length, words) => {
    const file = join(folder.path, `wrong-${length}.npy`);
    writeFileSync(file, encodeNpy("int64", [ROWS], new BigInt64Array(ROWS).fill(2n).with(3, length)));
    const wrong = { ...data, lengths: { file, crop: ["x"] } };
    const spec = specOf({ graph }, { train: wrong }, { ...lowerTraining(graph, { loss: anyLoss, metrics: [] }) });
    await expect(trainAll(spec)).rejects.toMatchObject({ failure: { code: "DATA_MISMATCH", message: expect.stringContaining(`wrong at row 3: ${length} ${words}`) } });
  });
});

describe("a run on sequences", () => {
  it("cannot be bucketed without lengths", async () => {
    const { lengths, ...rest } = writeSequences("plain", 8, 4, "classes");
    const spec = specOf({ graph: reader() }, { train: rest }, { bucketing: true });
    await expect(trainAll(spec)).rejects.toMatchObject({
      failure: { code: "PROGRAM_INVALID", message: expect.stringContaining("rows can be grouped by length only where they have lengths") },
    });
  });

  it("that is resumed in the middle of an epoch ends as if it had never stopped, bit for bit", async () => {
    const data = writeSequences("classes", 120, 10, "classes");
    const graph = reader(0.3);
    const spec = specOf(
      { graph },
      { train: data },
      {
        batchSize: 8,
        epochs: 3,
        bucketing: true,
        lr: { base: 0.01, schedule: { kind: "plateau", factor: 0.5, patience: 0, threshold: 0.5, thresholdMode: "rel", cooldown: 0, minLr: 0, eps: 0 } },
      },
    );
    const ownFolder = (name: string) => {
      mkdirSync(join(folder.path, name));
      return { folder: join(folder.path, name), everyMs: 1 };
    };
    for (const [optimizer, name] of [
      [{ kind: "NAdam", betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, momentumDecay: 4e-3, decoupled: false }, "nadam"],
      [{ kind: "Lion", betas: [0.9, 0.99], weightDecay: 0.1 }, "lion"],
    ] satisfies [TrainSpec["optimizer"], string][]) {
      const whole = await trainAll({ ...spec, optimizer, checkpoint: ownFolder(`${name}-whole`) });
      const cuts = whole.events.flatMap((event) => (event.type === "checkpoint" && event.step % 15 !== 0 && event.step > 15 ? [event] : []));
      const cut = cuts[Math.floor(cuts.length / 2)];
      if (!cut) throw new Error("No checkpoint within an epoch was written.");
      const rest = await trainAll({ ...spec, optimizer, checkpoint: ownFolder(`${name}-rest`), resumeFrom: cut.file });
      expect(pointsOf(rest.events, "train/loss")).toEqual(pointsOf(whole.events, "train/loss").slice(cut.step));
      expect(pointsOf(rest.events, "lr")).toEqual(pointsOf(whole.events, "lr").slice(cut.step));
      expect(new Set(pointsOf(whole.events, "lr").map(([, lr]) => lr)).size).toBeGreaterThan(1);
      expect(stateOf(rest.result.file ?? "")).toEqual(stateOf(whole.result.file ?? ""));
    }
  });
});

function stateOf(file: string): Map<string, string> {
  const { tensors } = readSafetensors(readFileSync(file));
  return new Map([...tensors].map(([name, tensor]) => [name, Buffer.from(tensorBytes(tensor)).toString("base64")]));
}
