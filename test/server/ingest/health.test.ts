import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { DatasetAnswer, ingestInChild } from "../../../server/ingest/child.ts";
import { examineDataset } from "../../../server/ingest/health.ts";
import { rootOf } from "../../../server/ingest/upload.ts";
import { writeDataset } from "../../../server/ingest/write.ts";
import { temporaryFiles } from "../world.ts";

const files = temporaryFiles();

/** A table of two columns, one of them constant in training; row 3 of training once more in each part, once with another class. */
function examples(rows: [number, number, number][]) {
  return {
    input: { dtype: "float32" as const, shape: [rows.length, 2], data: Float32Array.from(rows.flatMap((row) => row.slice(0, 2))) },
    target: { dtype: "int64" as const, shape: [rows.length], data: BigInt64Array.from(rows, ([, , target]) => BigInt(target)) },
  };
}

describe("the health of a data set", () => {
  it("names rows that are there twice, leaks, contradictions, constant columns and what is far off", async () => {
    const train: [number, number, number][] = Array.from({ length: 100 }, (_, row) => [row, 7, row % 2]);
    train.push([3, 7, 1]);
    const { manifest } = await writeDataset(files, "00000000-0000-7000-8000-000000000001", {
      task: "tabular-classification",
      preprocess: { dtype: "float32", scale: 1, mean: [49.5, 7], std: [29, 1] },
      classes: ["a", "b"],
      columns: ["size", "always"],
      targetName: "kind",
      source: "test",
      licence: "",
      splits: {
        train: examples(train),
        validation: examples([
          [200.5, 7, 0],
          [3, 7, 0],
          [-1000, 7, 1],
        ]),
      },
    });
    expect(await examineDataset(files, "00000000-0000-7000-8000-000000000001", manifest)).toEqual({
      ok: true,
      compared: 104,
      duplicates: [
        { where: "train", count: 1, contradictions: 0, first: [{ row: { split: "train", row: 100 }, equals: { split: "train", row: 3 }, contradicts: false }] },
        { where: "across", count: 1, contradictions: 1, first: [{ row: { split: "validation", row: 1 }, equals: { split: "train", row: 3 }, contradicts: true }] },
      ],
      similar: [],
      constant: ["always"],
      outliers: [{ column: "size", count: 1, first: [{ split: "validation", row: 2, value: -1000, deviations: (-1000 - 49.5) / 29 }] }],
    });
  });

  it("finds nothing wrong with the penguins", async () => {
    const datasetId = randomUUID();
    const answer = DatasetAnswer.parse(await ingestInChild({ root: rootOf(files), datasetId, builtin: "penguins" }));
    if (!answer.ok) throw new Error(answer.failure.message);
    const health = await examineDataset(files, datasetId, answer.manifest);
    expect(health).toMatchObject({ compared: 333, constant: [], outliers: [] });
  });
});
