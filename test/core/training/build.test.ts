import { describe, expect, it } from "vitest";
import type { Manifest } from "../../../core/data/manifest.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import { taskNamed } from "../../../core/tasks/index.ts";
import { findTemplate, templates } from "../../../core/templates/index.ts";
import { buildTrainSpec, planSteps } from "../../../core/training/build.ts";
import { objectiveOf } from "../../../core/training/objective.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import { scheduleFactor, schedules } from "../../../core/training/schedules/index.ts";
import { TrainSpec } from "../../../core/training/spec.ts";

const array = (file: string, dtype: "uint8" | "float32" | "int64", shape: number[]) => ({ file, dtype, shape, sha256: "" });
const split = (name: string, rows: number) => ({
  rows,
  input: array(`${name}-input.npy`, "uint8", [1, 28, 28]),
  target: array(`${name}-target.npy`, "int64", []),
  classCounts: [],
});
const manifest: Manifest = {
  task: "image-classification",
  preprocess: { dtype: "uint8", scale: 1 / 255, mean: [0.1307], std: [0.3081] },
  classes: [..."0123456789"],
  columns: [],
  targetName: "digit",
  splits: { train: split("train", 1000), validation: split("validation", 100) },
  source: "",
  licence: "",
};
const graph = findTemplate("lenet5")?.graph ?? taskNamed(manifest.task).starter(manifest);
const settings = { ...defaultSettings(manifest.task, 1000), datasetId: "d", batchSize: 128 };

describe("a train spec", () => {
  it("is one that the engine's schema takes, with a factor for each step", () => {
    const spec = TrainSpec.parse(buildTrainSpec(graph, settings, manifest));
    expect(spec.lr.schedule).toMatchObject({ kind: "table" });
    expect(spec.lr.schedule.kind === "table" && spec.lr.schedule.factors).toHaveLength(8 * settings.epochs);
    expect(spec.data.train.arrays).toEqual({ x: { file: "train-input.npy" }, target: { file: "train-target.npy" } });
    expect(spec.metrics).toEqual([
      { output: "accuracy", reduce: "mean", when: "always" },
      { output: "confusion", reduce: "sum", when: "validation" },
    ]);
    expect(new Set(spec.sampleRows).size).toBe(24);
    expect(Math.max(...spec.sampleRows)).toBeLessThan(100);
  });

  it("stops early on the loss, or on what the best checkpoint is chosen by", () => {
    const of = (watch: "loss" | "metric", data = manifest) =>
      TrainSpec.parse(buildTrainSpec(graph, { ...settings, earlyStopping: { watch, patience: 3, minDelta: 0.5 } }, data)).earlyStopping;
    expect(of("loss")).toEqual({ output: "loss", better: "lower", patience: 3, minDelta: 0.5 });
    expect(of("metric")).toEqual({ output: "accuracy", better: "higher", patience: 3, minDelta: 0.5 });
    expect("earlyStopping" in buildTrainSpec(graph, settings, manifest)).toBe(false);
  });

  it("averages weights where it is asked to", () => {
    expect(TrainSpec.parse(buildTrainSpec(graph, { ...settings, emaDecay: 0.99 }, manifest)).ema).toEqual({ decay: 0.99 });
    expect("ema" in buildTrainSpec(graph, settings, manifest)).toBe(false);
  });

  it("clips gradients by norm or by value", () => {
    const clip = (change: Partial<typeof settings>) => TrainSpec.parse(buildTrainSpec(graph, { ...settings, ...change }, manifest)).gradClip;
    expect(clip({ gradClipNorm: 2 })).toEqual({ kind: "norm", max: 2 });
    expect(clip({ gradClipValue: 0.25 })).toEqual({ kind: "value", max: 0.25 });
    expect(clip({})).toBeNull();
  });

  it("on one batch heeds no early stopping", () => {
    const spec = TrainSpec.parse(buildTrainSpec(graph, { ...settings, oneBatch: true, earlyStopping: { watch: "loss", patience: 1, minDelta: 0 } }, manifest));
    expect(spec.oneBatch).toBe(true);
    expect("earlyStopping" in spec).toBe(false);
  });

  it("is the same for the same graph, whatever the order of its nodes", () => {
    const shuffled = { ...graph, nodes: graph.nodes.toReversed(), edges: graph.edges.toReversed() };
    expect(buildTrainSpec(shuffled, settings, manifest)).toEqual(buildTrainSpec(graph, settings, manifest));
  });

  it.each([
    [1000, 128, 1, { stepsPerEpoch: 8, dropLast: false }],
    [1000, 128, 3, { stepsPerEpoch: 3, dropLast: false }],
    [1025, 128, 1, { stepsPerEpoch: 8, dropLast: true }],
    [1, 128, 1, { stepsPerEpoch: 1, dropLast: false }],
  ])("takes %d rows in batches of %d, %d a step", (rows, batchSize, accumulate, plan) => {
    expect(planSteps(rows, { batchSize, accumulate })).toEqual(plan);
  });
});

describe("schedules", () => {
  it.each(schedules.flatMap((schedule) => ("plateau" in schedule ? [] : [schedule.name])))("%s never leaves the range from 0 to 1, however short the run", (schedule) => {
    for (const totalSteps of [1, 2, 3, 4, 10, 101]) {
      for (const warmupSteps of [0, 1, 5, 200]) {
        const factors = Array.from(
          { length: totalSteps },
          (_, step) => scheduleFactor({ schedule, scheduleParams: {}, warmupSteps, lr: 1 }, step, { totalSteps, stepsPerEpoch: 4 }) ?? -1,
        );
        expect(
          factors.every((factor) => factor >= 0 && factor <= 1 + 1e-12),
          `${totalSteps} steps, ${warmupSteps} of warm-up: ${factors}`,
        ).toBe(true);
        expect(Math.max(...factors), `${totalSteps} steps, ${warmupSteps} of warm-up`).toBeGreaterThan(0.1);
      }
    }
  });
});

describe("templates", () => {
  it.each(templates.map((template) => [template.id, template] as const))("%s has no problem, not even a hint", (_, { graph, task, settings: own }) => {
    const { loss } = objectiveOf({ ...defaultSettings(task, 1000), ...own });
    expect(checkGraph(graph, { loss }).problems).toEqual([]);
  });
  it("leave room between nodes", () => {
    for (const { id, graph } of templates) {
      const crowded = graph.nodes.flatMap((a) => graph.nodes.filter((b) => a !== b && Math.abs(a.at.x - b.at.x) < 184 + 40 && Math.abs(a.at.y - b.at.y) < 52 + 40));
      expect([id, crowded]).toEqual([id, []]);
    }
  });
});
