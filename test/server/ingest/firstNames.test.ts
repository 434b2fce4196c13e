import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeText, PADDING } from "../../../core/data/text.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import { findTemplate } from "../../../core/templates/index.ts";
import { buildTrainSpec } from "../../../core/training/build.ts";
import { objectiveOf } from "../../../core/training/objective.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import type { RunSettings } from "../../../core/training/settings.ts";
import type { TrainSpec } from "../../../core/training/spec.ts";
import { firstNames } from "../../../server/ingest/firstNames.ts";
import type { Prepared } from "../../../server/ingest/source.ts";
import { datasetFolder, hashManifest, writeDataset } from "../../../server/ingest/write.ts";
import { openFileStore } from "../../../server/storage/files.ts";
import { allowed } from "../../allowed.ts";
import { trainAll } from "../../native/specs.ts";

const datasetId = "018f0000-0000-7000-8000-000000000001";
let root: string;
let prepared: Prepared;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tensorloom-names-"));
  prepared = await firstNames.prepare();
});
afterAll(() => rm(root, { recursive: true, force: true }));

type Row = { name: string; length: number; target: number };

/** The rows of a split as they can be read back from its arrays. */
function rowsOf({ input, lengths, target }: Prepared["splits"]["train"]): Row[] {
  const [count = 0, longest = 0] = input.shape;
  return Array.from({ length: count }, (_, row) => ({
    name: decodeText(Array.from(input.data.slice(row * longest, (row + 1) * longest), Number), prepared.text ?? { tokens: [] }),
    length: Number(lengths?.data[row]),
    target: Number(target.data[row]),
  }));
}

describe("first names", () => {
  it("are on one list only, each once, with their own length and nothing but padding behind", () => {
    const rows = [...rowsOf(prepared.splits.train), ...rowsOf(prepared.splits.validation)];
    expect(rows).toHaveLength(4951 + 3898 - 2 * 419 - 8);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    for (const { name, length } of rows) expect([...name]).toHaveLength(length);
    expect(rows.find(({ name }) => name === "abigail")?.target).toBe(0);
    expect(rows.find(({ name }) => name === "abraham")?.target).toBe(1);
    // On both lists.
    expect(rows.find(({ name }) => name === "abbie")).toBeUndefined();
    expect(prepared.source).toContain("419 names that are on both lists are left out");
    const { input, lengths } = prepared.splits.validation;
    const longest = input.shape[1] ?? 0;
    lengths?.data.forEach((length, row) => {
      for (let at = Number(length); at < longest; at++) expect(Number(input.data[row * longest + at])).toBe(PADDING);
    });
  });

  it("are the same bytes every time", async () => {
    const files = openFileStore(root);
    const [once, again] = [await writeDataset(files, datasetId, prepared), await writeDataset(files, datasetId, await firstNames.prepare())];
    expect(hashManifest(again.manifest)).toBe(hashManifest(once.manifest));
    expect(once.manifest.splits.train.lengths).toMatchObject({ dtype: "int64", shape: [] });
  });

  it("are told apart by the BiLSTM template better than by their endings", async () => {
    const { manifest } = await writeDataset(openFileStore(root), datasetId, prepared);
    const template = findTemplate("name-lstm");
    if (!template) throw new Error("The template is there.");
    const settings: RunSettings = { ...defaultSettings(manifest.task, manifest.splits.train.rows), ...template.settings, datasetId };
    expect(checkGraph(template.graph, { ...objectiveOf(settings), data: manifest }).problems).toEqual([]);
    const started = performance.now();
    const { events } = await trainAll(placed(buildTrainSpec(template.graph, settings, manifest)));
    expect(performance.now() - started).toBeLessThan(allowed(60_000));
    const reached = Math.max(...events.flatMap((event) => (event.type === "evaluated" ? [event.values.accuracy ?? 0] : [])));
    const byEndings = accuracyOfEndings(rowsOf(prepared.splits.train), rowsOf(prepared.splits.validation));
    expect(byEndings).toBeGreaterThan(0.8);
    expect(reached).toBeGreaterThan(byEndings);
    expect(reached).toBeGreaterThan(0.86);
  }, 120_000);
});

/** The spec with files where they were written, one thread, and no checkpoints. */
function placed(spec: TrainSpec): TrainSpec {
  const path = (file: string) => join(root, datasetFolder(datasetId), file);
  const place = (split: TrainSpec["data"]["train"]): TrainSpec["data"]["train"] => ({
    ...split,
    arrays: Object.fromEntries(Object.entries(split.arrays).map(([name, { file }]) => [name, { file: path(file) }])),
    ...(split.lengths ? { lengths: { ...split.lengths, file: path(split.lengths.file) } } : {}),
  });
  return { ...spec, data: { train: place(spec.data.train), validation: place(spec.data.validation) }, threads: 1, checkpoint: null };
}

/** What counting gets: for each name the list on which its longest known ending, of up to three letters, is commoner. */
function accuracyOfEndings(train: Row[], validation: Row[]): number {
  const counts = new Map<string, [number, number]>();
  const endings = (name: string) => [3, 2, 1].map((letters) => name.slice(-letters));
  for (const { name, target } of train) {
    for (const ending of endings(name)) {
      const count = counts.get(ending) ?? [0, 0];
      count[target === 0 ? 0 : 1]++;
      counts.set(ending, count);
    }
  }
  const right = validation.filter(({ name, target }) => {
    const [female, male] = endings(name)
      .map((ending) => counts.get(ending))
      .find((count) => count !== undefined) ?? [1, 0];
    return (female >= male ? 0 : 1) === target;
  });
  return right.length / validation.length;
}
