import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { playgroundMoons, playgroundSpiral } from "../../../core/templates/playground.ts";
import { boundaryOf } from "../../../core/training/boundary.ts";
import { buildTrainSpec } from "../../../core/training/build.ts";
import type { RunEvent } from "../../../core/training/events.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import { train } from "../../../native/index.ts";
import { findBuiltinDataset } from "../../../server/ingest/builtin.ts";
import { hashManifest, writeDataset } from "../../../server/ingest/write.ts";
import { openFileStore } from "../../../server/storage/files.ts";
import { placeFiles } from "../../../server/trainer/load.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-playground-"));
const files = openFileStore(folder);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function write(id: string, to: string) {
  const dataset = findBuiltinDataset(id);
  if (!dataset) throw new Error(`There is no ${id}.`);
  return (await writeDataset(files, to, await dataset.prepare())).manifest;
}

describe("the playground", () => {
  it.each([
    ["moons", 500],
    ["circles", 500],
    ["spiral", 500],
    ["xor", 500],
    ["blobs", 750],
  ])("%s has the same points each time, split alike in every class", async (id, rows) => {
    const [first, second] = [await write(id, "first"), await write(id, "second")];
    expect(hashManifest(first)).toBe(hashManifest(second));
    expect(first.splits.train.rows + first.splits.validation.rows).toBe(rows);
    expect(new Set(first.splits.validation.classCounts)).toEqual(new Set([50]));
    expect(first.columns).toEqual(["x", "y"]);
  });

  it.each([playgroundMoons, playgroundSpiral])("$title is learned, and says all over the plane what it decides", async (template) => {
    const manifest = await write(template.datasetBuiltin, template.id);
    const settings = {
      ...defaultSettings(template.task, manifest.splits.train.rows),
      ...template.settings,
      datasetId: "00000000-0000-4000-8000-000000000000",
      device: "cpu" as const,
    };
    const spec = { ...placeFiles(buildTrainSpec(template.graph, settings, manifest), template.id, files), checkpoint: null, threads: 1 };
    const evaluations: Extract<RunEvent, { type: "evaluated" }>[] = [];
    await train(spec, (events) => {
      for (const event of events) if (event.type === "evaluated") evaluations.push(event);
    }).done;
    const last = evaluations.at(-1);
    expect(last?.values.accuracy).toBeGreaterThanOrEqual(0.95);
    const { lattice } = spec;
    if (!lattice || !last) throw new Error("Two columns and a class have a plane.");
    const [begun, learned] = [evaluations[0], last].map((event) => boundaryOf(lattice, event?.samples.lattice ?? []));
    expect(learned?.side).toBe(lattice.side);
    expect(learned?.places).not.toBe(begun?.places);
    // Both classes have their part of the plane.
    const classes = new Set([...atob(learned?.places ?? "")].filter((_, at) => at % 2 === 0).map((letter) => letter.charCodeAt(0)));
    expect(classes).toEqual(new Set([0, 1]));
  });
});

describe("a map of decisions", () => {
  const lattice = { input: "x", low: [0, 0] as [number, number], high: [1, 1] as [number, number], side: 2 };
  it("keeps the class and how sure the network is, of scores of all classes or of the second alone", () => {
    const read = (rows: (number | null)[][]) => [...atob(boundaryOf(lattice, rows)?.places ?? "")].map((letter) => letter.charCodeAt(0));
    expect(
      read([
        [0, 0],
        [9, 0],
        [0, 9],
        [0, Math.log(3)],
      ]),
    ).toEqual([0, 128, 0, 255, 1, 255, 1, 191]);
    expect(read([[-9], [9], [0], [Math.log(3)]])).toEqual([0, 255, 1, 255, 0, 128, 1, 191]);
  });
  it("is none where a score is no number, or some are missing", () => {
    expect(boundaryOf(lattice, [[0], [0], [null], [0]])).toBeNull();
    expect(boundaryOf(lattice, [[0]])).toBeNull();
  });
});
